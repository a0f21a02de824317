package io.grantwire.xenstore;

import static io.grantwire.xenstore.testing.Fixture.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.grantwire.xenstore.server.ServerOptions;
import io.grantwire.xenstore.server.XenstoreServer;
import io.grantwire.xenstore.testing.EmbeddedStore;
import io.grantwire.xenstore.testing.Fixture;
import io.grantwire.xenstore.testing.NativeEnvironment;
import io.grantwire.xenstore.testing.Via;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A store that goes and comes back under its clients. */
@Timeout(60)
class ReconnectionTest {
    private static final Reconnection QUICK =
            new Reconnection(Duration.ofMillis(5), Duration.ofMillis(100), Fixture.SOON);
    private static final Reconnection IMPATIENT =
            new Reconnection(Duration.ofMillis(5), Duration.ofMillis(100), Duration.ofMillis(50));

    private final List<Xenstore> opened = new ArrayList<>();
    private EmbeddedStore embedded;
    private Xenstore other;

    @BeforeEach
    void start() {
        embedded = EmbeddedStore.start();
        other = Xenstores.socket(embedded.socket());
    }

    @AfterEach
    void stop() {
        opened.forEach(Xenstore::close);
        other.close();
        embedded.close();
    }

    private Xenstore open(Via via, Reconnection policy) {
        String reason = via.unavailable().orElse(null);
        if (reason != null) {
            System.out.println("skipped: reconnection over " + via + ": " + reason);
            assumeTrue(false, reason);
        }
        Path socket = embedded.socket();
        Xenstores.Options options = Xenstores.Options.socket(socket);
        if (via == Via.LIBRARY) {
            NativeEnvironment.set("XENSTORED_PATH", socket.toString());
            options =
                    new Xenstores.Options(
                            Xenstores.Transport.LIBRARY, null, Xenstores.DEFAULT_TIMEOUT);
        }
        Xenstore store = Xenstores.reconnecting(options, policy);
        opened.add(store);
        return store;
    }

    private void restart() {
        embedded.server().suspend();
        embedded.server().resume();
    }

    @ParameterizedTest
    @EnumSource(names = {"SOCKET", "LIBRARY"})
    void everythingGoesOnAfterARestart(Via via) throws Exception {
        Xenstore store = open(via, QUICK);
        store.write("/a", "1");
        XenstoreWatch watch = store.watch("/a", "t");
        assertNotNull(watch.await(Fixture.SOON));
        String description = store.description();
        for (int i = 0; i < 3; i++) {
            restart();
            assertEquals("1", store.readString("/a"));
            Reconnections.await(store);
            store.write("/a", "1");
            XenstoreWatch.Event event = watch.await(Fixture.SOON);
            assertEquals(new XenstoreWatch.Event("/a", "t"), event);
            while (watch.await(Duration.ofMillis(200)) != null) {}
            other.close();
            other = Xenstores.socket(embedded.socket());
            other.write("/a", "1");
            assertEquals(event, watch.await(Fixture.SOON), "the watch is really there");
        }
        assertEquals(description, store.description());
    }

    @ParameterizedTest
    @EnumSource(names = {"SOCKET", "LIBRARY"})
    void aTransactionSurvivesTheStoresRestart(Via via) {
        Xenstore store = open(via, QUICK);
        store.write("/n", "0");
        AtomicInteger runs = new AtomicInteger();
        store.transaction(tx -> {
            int n = Integer.parseInt(tx.readString("/n"));
            if (runs.getAndIncrement() == 0) {
                restart();
            }
            tx.write("/n", "" + (n + 1));
            return null;
        });
        assertEquals(2, runs.get());
        assertEquals("1", store.readString("/n"));
    }

    /**
     * The library cannot tell what it has sent: only the socket knows that the commit never left.
     */
    @Test
    void aTransactionThatIsLostBeforeItsCommitRunsAgain() {
        Xenstore store = open(Via.SOCKET, QUICK);
        store.write("/n", "0");
        AtomicInteger runs = new AtomicInteger();
        store.transaction(tx -> {
            int n = Integer.parseInt(tx.readString("/n"));
            tx.write("/n", "" + (n + 1));
            if (runs.getAndIncrement() == 0) {
                restart();
            }
            return null;
        });
        assertEquals(2, runs.get());
        assertEquals("1", store.readString("/n"));
    }

    @Test
    void whatIsAskedWhileItIsAwayWaitsForIt() throws Exception {
        Xenstore store = open(Via.SOCKET, QUICK);
        store.write("/a", "1");
        embedded.server().suspend();
        Reconnections.awaitLoss(store);
        CompletableFuture<String> read = later(() -> store.readString("/a"));
        CompletableFuture<Void> write =
                later(() -> {
                    store.write("/b", "2");
                    return null;
                });
        CompletableFuture<XenstoreWatch> watch = later(() -> store.watch("/a", "t"));
        Thread.sleep(50);
        assertFalse(read.isDone() || write.isDone() || watch.isDone());
        embedded.server().resume();
        assertEquals("1", read.get(20, TimeUnit.SECONDS));
        write.get(20, TimeUnit.SECONDS);
        assertEquals("2", store.readString("/b"));
        XenstoreWatch made = watch.get(20, TimeUnit.SECONDS);
        assertNotNull(made.await(Fixture.SOON));
        store.write("/a", "3");
        assertNotNull(made.await(Fixture.SOON));
    }

    @Test
    void patienceEnds() throws Exception {
        Xenstore store = open(Via.SOCKET, IMPATIENT);
        XenstoreWatch watch = store.watch("/a", "t");
        assertNotNull(watch.await(Fixture.SOON));
        embedded.server().suspend();
        Reconnections.awaitLoss(store);
        XenstoreException e = failure("ECONNRESET", () -> store.read("/a"));
        assertTrue(e.getMessage().contains("still trying"), e.getMessage());
        failure("ECONNRESET", () -> store.write("/a", "x"));
        failure("ECONNRESET", () -> store.transaction(tx -> null));
        failure("ECONNRESET", () -> store.watch("/b", "given up"));
        assertNull(watch.await(Duration.ofMillis(20)), "the watch only waits");
        long begin = System.nanoTime();
        watch.close();
        assertTrue(System.nanoTime() - begin < 1_000_000_000L);
        embedded.server().resume();
        Reconnections.await(store);
        store.write("/a", "x");
        assertNull(watch.poll());
    }

    @Test
    void aStoreWithOtherContentsIsSeen() throws Exception {
        Xenstore store = open(Via.SOCKET, QUICK);
        store.write("/tree/old", "1");
        XenstoreWatch watch = store.watch("/tree", "t");
        assertNotNull(watch.await(Fixture.SOON));
        Path socket = embedded.socket();
        embedded.server().close();
        Reconnections.awaitLoss(store);
        try (XenstoreServer _ = XenstoreServer.start(ServerOptions.at(socket));
                Xenstore writer = Xenstores.socket(socket)) {
            writer.write("/tree/new", "2");
            assertEquals("/tree", watch.await(Fixture.SOON).path().substring(0, 5));
            assertEquals(List.of("new"), store.directory("/tree"));
            assertNull(store.readString("/tree/old"));
        }
    }

    @Test
    void closeWhileAwayEndsEverybody() throws Exception {
        Xenstore store = open(Via.SOCKET, QUICK);
        XenstoreWatch watch = store.watch("/a", "t");
        assertNotNull(watch.await(Fixture.SOON));
        embedded.server().suspend();
        Reconnections.awaitLoss(store);
        CompletableFuture<XenstoreWatch.Event> event = later(() -> watch.await(Fixture.SOON));
        CompletableFuture<XenstoreException> read =
                later(() -> assertThrows(XenstoreException.class, () -> store.read("/a")));
        Thread.sleep(20);
        long begin = System.nanoTime();
        store.close();
        long took = System.nanoTime() - begin;
        assertTrue(took < 1_000_000_000L, "close took " + took + " ns");
        assertNull(event.get(5, TimeUnit.SECONDS));
        assertEquals("EBADF", read.get(5, TimeUnit.SECONDS).errnoName());
        failure("EBADF", () -> store.write("/a", "x"));
        assertFalse(store.connected());
        assertEquals(0, reconnecting(), "its thread has ended");
        embedded.server().resume();
        Thread.sleep(50);
        assertFalse(store.connected());
        store.close();
    }

    private long reconnecting() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(t -> t.getName().equals("xenstore-reconnect unix:" + embedded.socket()))
                .count();
    }

    @Test
    void aConditionThatIsNotMetKeepsItAway() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        Xenstore store =
                Xenstores.reconnecting(
                        Xenstores.Options.socket(embedded.socket()),
                        IMPATIENT,
                        () -> {
                            if (asked.incrementAndGet() < 5) {
                                throw new IllegalStateException("another host");
                            }
                        });
        opened.add(store);
        restart();
        Reconnections.awaitLoss(store);
        Reconnections.await(store);
        assertEquals(5, asked.get());
    }

    private interface Action<T> {
        T run() throws Exception;
    }

    private static <T> CompletableFuture<T> later(Action<T> action) {
        CompletableFuture<T> result = new CompletableFuture<>();
        Thread.ofPlatform()
                .daemon()
                .start(() -> {
                    try {
                        result.complete(action.run());
                    } catch (Throwable e) {
                        result.completeExceptionally(e);
                    }
                });
        return result;
    }
}
