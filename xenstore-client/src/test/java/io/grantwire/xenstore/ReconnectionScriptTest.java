package io.grantwire.xenstore;

import static io.grantwire.xenstore.testing.Fixture.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.xenstore.testing.Fixture;
import io.grantwire.xenstore.testing.ScriptedStore;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A store that hangs up at the worst moment, and what has been asked of it then. */
@Timeout(60)
class ReconnectionScriptTest {
    private static final Reconnection QUICK =
            new Reconnection(Duration.ofMillis(5), Duration.ofMillis(100), Fixture.SOON);

    private ScriptedStore server;
    private Xenstore store;

    /** How often it still hangs up instead of answering a request of {@link #at}. */
    private final AtomicInteger hangUps = new AtomicInteger();

    private volatile XsType at;
    private volatile boolean refuseWatches;

    @AfterEach
    void end() {
        if (store != null) {
            store.close();
        }
        if (server != null) {
            server.close();
        }
    }

    /** Answers everything, but hangs up so often at a kind of request. */
    private void open(Reconnection policy, XsType hangUpAt, int times) {
        at = hangUpAt;
        hangUps.set(times);
        server = new ScriptedStore(this::answer);
        store = Xenstores.reconnecting(Xenstores.Options.socket(server.socket()), policy);
    }

    private void answer(XsMessage request, ScriptedStore.Client client) throws IOException {
        if (request.type() == at.code() && hangUps.getAndDecrement() > 0) {
            client.hangUp();
        } else if (request.is(XsType.GET_DOMAIN_PATH)) {
            client.reply(request, XsWire.join("/local/domain/0"));
        } else if (request.is(XsType.READ)) {
            client.reply(request, XsWire.bytes("value"));
        } else if (request.is(XsType.TRANSACTION_START)) {
            client.reply(request, XsWire.join("7"));
        } else if (request.is(XsType.WATCH) && refuseWatches) {
            client.error(request, "ENOSPC");
        } else {
            client.ok(request);
            if (request.is(XsType.WATCH)) {
                List<String> words = XsWire.split(request.payload());
                client.event(words.get(0), words.get(1));
            }
        }
    }

    private long asked(XsType type) {
        return server.requests().stream().filter(r -> r.is(type)).count();
    }

    @Test
    void aReadUnderWayIsMadeAgain() {
        open(QUICK, XsType.READ, 1);
        assertEquals("value", store.readString("/a"));
        assertEquals(2, asked(XsType.READ));
        assertTrue(store.connected());
    }

    @Test
    void aReadIsMadeAgainOnceOnly() {
        open(QUICK, XsType.READ, Integer.MAX_VALUE);
        XenstoreException e = failure("ECONNRESET", () -> store.read("/a"));
        assertEquals("/a", e.path());
        assertTrue(e.getMessage().contains("unix:" + server.socket()), e.getMessage());
        assertTrue(e.getMessage().contains("connection lost"), e.getMessage());
        assertEquals(2, asked(XsType.READ));
    }

    @Test
    void aWriteUnderWayIsNotMadeAgain() {
        open(QUICK, XsType.WRITE, 1);
        XenstoreException e = failure("ECONNRESET", () -> store.write("/a", "x"));
        assertTrue(e.getMessage().contains("whether the store has done it"), e.getMessage());
        assertEquals(1, asked(XsType.WRITE));
        store.write("/a", "y");
        assertEquals(2, asked(XsType.WRITE));
    }

    @Test
    void aTransactionThatIsLostRunsAgain() {
        open(QUICK, XsType.WRITE, 1);
        AtomicInteger runs = new AtomicInteger();
        String result =
                store.transaction(tx -> {
                    runs.incrementAndGet();
                    tx.write("/a", "x");
                    return tx.readString("/a");
                });
        assertEquals("value", result);
        assertEquals(2, runs.get());
        assertEquals(2, asked(XsType.TRANSACTION_START));
        assertEquals(1, asked(XsType.TRANSACTION_END), "the lost one needs no end");
    }

    @Test
    void aTransactionWhoseBodyFailsOtherwiseDoesNotRunAgain() {
        open(QUICK, XsType.WRITE, 1);
        AtomicInteger runs = new AtomicInteger();
        try {
            store.transaction(tx -> {
                runs.incrementAndGet();
                failure("EAGAIN", () -> tx.write("/a", "x"));
                throw new IllegalStateException("the body's own");
            });
        } catch (IllegalStateException e) {
            assertEquals("the body's own", e.getMessage());
        }
        assertEquals(1, runs.get());
    }

    @Test
    void aCommitUnderWayIsNotMadeAgain() {
        open(QUICK, XsType.TRANSACTION_END, 1);
        AtomicInteger runs = new AtomicInteger();
        XenstoreException e =
                failure("ECONNRESET", () -> store.transaction(tx -> runs.incrementAndGet()));
        assertTrue(e.getMessage().contains("committed is not known"), e.getMessage());
        assertEquals(1, runs.get());
    }

    @Test
    void watchesComeBackUnderTheirTokens() throws Exception {
        open(QUICK, XsType.WRITE, 1);
        XenstoreWatch watch = store.watch("/a", "t");
        XenstoreWatch other = store.watch("@releaseDomain", "t");
        XenstoreWatch closed = store.watch("/c", "t");
        for (XenstoreWatch w : List.of(watch, other, closed)) {
            assertNotNull(w.await(Fixture.SOON));
        }
        closed.close();
        failure("ECONNRESET", () -> store.write("/a", "x"));
        assertEquals(new XenstoreWatch.Event("/a", "t"), watch.await(Fixture.SOON));
        assertEquals(new XenstoreWatch.Event("@releaseDomain", "t"), other.await(Fixture.SOON));
        assertNull(watch.poll(), "one event each");
        assertEquals("value", store.readString("/a"));
        List<String> made =
                server.requests().stream()
                        .filter(r -> r.is(XsType.WATCH))
                        .map(r -> String.join(" ", XsWire.split(r.payload())))
                        .toList();
        assertEquals(5, made.size(), made::toString);
        assertEquals(made.subList(0, 2), made.subList(3, 5), "same paths, same tokens");
    }

    @Test
    void aWatchUnderWayIsMadeAgain() throws Exception {
        open(QUICK, XsType.WATCH, 2);
        XenstoreWatch watch = store.watch("/a", "t");
        assertNotNull(watch.await(Fixture.SOON));
        assertEquals(3, asked(XsType.WATCH));
    }

    @Test
    void aWatchThatTheStoreWillNotHaveAgainKeepsTheStoreAway() throws Exception {
        Duration patience = Duration.ofMillis(200);
        open(QUICK, XsType.WRITE, 1);
        store.close();
        store =
                Xenstores.reconnecting(
                        Xenstores.Options.socket(server.socket()),
                        new Reconnection(QUICK.shortest(), QUICK.longest(), patience));
        XenstoreWatch watch = store.watch("/a", "t");
        assertNotNull(watch.await(Fixture.SOON));
        refuseWatches = true;
        failure("ECONNRESET", () -> store.write("/a", "x"));
        failure("ECONNRESET", () -> store.read("/a"));
        assertFalse(store.connected());
        refuseWatches = false;
        assertNotNull(watch.await(Fixture.SOON));
        Reconnections.await(store);
    }

    @Test
    void aWatchAskedForMeanwhileMayBeRefused() {
        open(QUICK, XsType.WRITE, 1);
        refuseWatches = true;
        failure("ECONNRESET", () -> store.write("/a", "x"));
        failure("ENOSPC", () -> store.watch("/a", "t"));
        assertEquals("value", store.readString("/a"));
    }

    @Test
    void aStoreThatDropsEverybodyAtOnceIsNotRunDown() throws Exception {
        open(
                new Reconnection(Duration.ofMillis(5), Duration.ofMillis(200), Duration.ZERO),
                XsType.WRITE,
                1);
        failure("ECONNRESET", () -> store.write("/a", "x"));
        at = XsType.GET_DOMAIN_PATH;
        hangUps.set(Integer.MAX_VALUE);
        Thread.sleep(1500);
        // 5, 10, 20, 40, 80, 160, 200 … ms; one more may have begun before the script was changed.
        long attempts = asked(XsType.GET_DOMAIN_PATH);
        assertTrue(attempts >= 4 && attempts <= 14, attempts + " attempts in 1.5 s");
        assertFalse(store.connected());
        failure("ECONNRESET", () -> store.read("/a"));
        hangUps.set(0);
        Reconnections.await(store);
    }

    @Test
    void norIsOneThatDropsThemAfterAWhile() throws Exception {
        open(
                new Reconnection(
                        Duration.ofMillis(5), Duration.ofMillis(200), Duration.ofMillis(1)),
                XsType.READ,
                Integer.MAX_VALUE);
        long end = System.nanoTime() + 1_500_000_000L;
        while (System.nanoTime() < end) {
            failure("ECONNRESET", () -> store.read("/a"));
        }
        long attempts = asked(XsType.GET_DOMAIN_PATH);
        assertTrue(attempts >= 4 && attempts <= 14, attempts + " attempts in 1.5 s");
    }
}
