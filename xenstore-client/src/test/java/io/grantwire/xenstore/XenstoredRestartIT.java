package io.grantwire.xenstore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.xenstore.testing.Fixture;
import io.grantwire.xenstore.testing.NativeEnvironment;
import io.grantwire.xenstore.testing.Via;
import io.grantwire.xenstore.testing.Xenstored;
import io.grantwire.xenstore.testing.XenstoredExtension;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Debian's xenstored is ended and started again under its clients. */
@Tag("machine")
@ExtendWith(XenstoredExtension.class)
@Timeout(120)
class XenstoredRestartIT {
    private static final Reconnection POLICY =
            new Reconnection(Duration.ofMillis(50), Duration.ofMillis(500), Fixture.SOON);

    @Test
    void clientsFindTheNewOneAndTheirWatchesAreThere() throws Exception {
        Xenstored server = Xenstored.start();
        List<Xenstore> stores = new ArrayList<>();
        try {
            stores.add(Xenstores.reconnecting(Xenstores.Options.socket(server.socket()), POLICY));
            if (Via.LIBRARY.unavailable().isEmpty()) {
                NativeEnvironment.set("XENSTORED_PATH", server.socket().toString());
                stores.add(
                        Xenstores.reconnecting(
                                new Xenstores.Options(
                                        Xenstores.Transport.LIBRARY,
                                        null,
                                        Xenstores.DEFAULT_TIMEOUT),
                                POLICY));
            }
            List<XenstoreWatch> watches = new ArrayList<>();
            for (Xenstore store : stores) {
                XenstoreWatch watch = store.watch("/restart", "t");
                assertNotNull(watch.await(Fixture.SOON));
                watches.add(watch);
                watches.add(store.watch("@releaseDomain", "t"));
            }
            stores.getFirst().write("/restart/old", "1");
            for (int i = 0; i < watches.size(); i += 2) {
                assertEquals("/restart/old", watches.get(i).await(Fixture.SOON).path());
                assertNotNull(watches.get(i + 1).await(Fixture.SOON));
            }
            server.restart();
            for (int i = 0; i < watches.size(); i++) {
                XenstoreWatch watch = watches.get(i);
                XenstoreWatch.Event event = watch.await(Fixture.SOON);
                assertNotNull(event, watch::path);
                assertEquals(watch.path(), event.path());
                assertEquals("t", event.token());
            }
            Xenstore first = stores.getFirst();
            assertNull(first.readString("/restart/old"), "this store keeps nothing");
            String done =
                    first.transaction(tx -> {
                        tx.write("/restart/new", "2");
                        return tx.readString("/restart/new");
                    });
            assertEquals("2", done);
            for (int i = 0; i < watches.size(); i += 2) {
                XenstoreWatch.Event event = watches.get(i).await(Fixture.SOON);
                assertNotNull(event);
                assertTrue(event.path().startsWith("/restart"), event::path);
            }
            for (Xenstore store : stores) {
                assertEquals("2", store.readString("/restart/new"));
            }
        } finally {
            stores.forEach(Xenstore::close);
            server.close();
        }
    }
}
