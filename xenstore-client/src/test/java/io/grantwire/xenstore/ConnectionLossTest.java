package io.grantwire.xenstore;

import static io.grantwire.xenstore.testing.Fixture.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.grantwire.xenstore.testing.EmbeddedStore;
import io.grantwire.xenstore.testing.Fixture;
import io.grantwire.xenstore.testing.ScriptedStore;
import io.grantwire.xenstore.testing.StoreUnderTest;
import io.grantwire.xenstore.testing.Via;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What callers and watchers are told when the store goes away. */
@Timeout(60)
class ConnectionLossTest {

    @ParameterizedTest
    @EnumSource(Via.class)
    void callersThatWaitAreTold(Via via) throws Exception {
        assumeAvailable(via);
        ScriptedStore server = new ScriptedStore(ScriptedStore.SILENCE);
        try (Xenstore store = via.open(server.socket())) {
            CompletableFuture<XenstoreException> waiting = new CompletableFuture<>();
            Thread.ofPlatform()
                    .daemon()
                    .start(() ->
                            waiting.complete(
                                    assertThrows(XenstoreException.class, () -> store.read("/a"))));
            long end = System.nanoTime() + Fixture.SOON.toNanos();
            while (server.requests().isEmpty() && System.nanoTime() < end) {
                Thread.sleep(1);
            }
            server.close();
            XenstoreException e = waiting.get(Fixture.SOON.toSeconds(), TimeUnit.SECONDS);
            assertTrue(e.getMessage().contains("connection lost"), e.getMessage());
            assertEquals("/a", e.path());
        } finally {
            server.close();
        }
    }

    @ParameterizedTest
    @EnumSource(Via.class)
    void watchersAreTold(Via via) throws Exception {
        assumeAvailable(via);
        assertLossIsTold(EmbeddedStore.start(), via);
    }

    /** Opens connections, stops the store, and expects everybody to be told. */
    static void assertLossIsTold(StoreUnderTest server, Via... vias) throws Exception {
        Xenstore[] stores = new Xenstore[vias.length];
        XenstoreWatch[] watches = new XenstoreWatch[vias.length];
        for (int i = 0; i < vias.length; i++) {
            stores[i] = vias[i].open(server.socket());
            watches[i] = stores[i].watch("/loss", "t");
            assertNotNull(watches[i].await(Fixture.SOON));
            stores[i].write("/loss", "" + i);
        }
        server.close();
        for (int i = 0; i < vias.length; i++) {
            XenstoreWatch watch = watches[i];
            XenstoreException told =
                    assertThrows(
                            XenstoreException.class,
                            () -> {
                                // First what was there before the store went.
                                while (watch.await(Fixture.SOON) != null) {}
                            },
                            vias[i]::toString);
            assertTrue(told.getMessage().contains("connection lost"), told.getMessage());
            assertEquals("/loss", told.path());
            assertThrows(XenstoreException.class, watch::poll);
            Xenstore store = stores[i];
            XenstoreException e = assertThrows(XenstoreException.class, () -> store.read("/loss"));
            assertTrue(e.getMessage().contains("connection lost"), e.getMessage());
            watch.close();
            store.close();
            failure(e.errnoName(), () -> store.write("/loss", "x"));
        }
    }

    private static void assumeAvailable(Via via) {
        String reason = via.unavailable().orElse(null);
        if (reason != null) {
            System.out.println("skipped: connection loss over " + via + ": " + reason);
            assumeTrue(false, reason);
        }
    }
}
