package io.grantwire.xenstore;

import static io.grantwire.xenstore.testing.Fixture.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.xenstore.testing.Fixture;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** What a store and the client do with transactions. */
interface TransactionsContract extends Fixture {

    @Test
    default void transactionIsSeenByOthersOnlyAfterItsCommit() {
        Xenstore other = another();
        store().write(key("old"), "1");
        String result =
                store().transaction(t -> {
                    t.write(key("new"), "2");
                    t.write(key("bytes"), new byte[] {1, 2});
                    t.mkdir(key("made"));
                    t.rm(key("old"));
                    assertEquals("2", t.readString(key("new")));
                    assertEquals(2, t.read(key("bytes")).length);
                    assertNull(t.readString(key("old")));
                    assertFalse(t.exists(key("old")));
                    assertTrue(t.directory(key("made")).isEmpty());
                    t.setPermissions(key("made"), t.permissions(key("made")));
                    assertNull(other.readString(key("new")));
                    assertEquals("1", other.readString(key("old")));
                    return "done";
                });
        assertEquals("done", result);
        assertEquals("2", other.readString(key("new")));
        assertTrue(other.exists(key("made")));
        assertNull(other.readString(key("old")));
    }

    @Test
    default void exceptionAbortsAndIsPassedOn() {
        IllegalStateException mine = new IllegalStateException("mine");
        for (int i = 0; i < 15; i++) {
            // More often than a domain may have transactions open: each one has been ended.
            assertSame(
                    mine,
                    assertThrows(
                            IllegalStateException.class,
                            () ->
                                    store().transaction(t -> {
                                        t.write(key("x"), "1");
                                        throw mine;
                                    })));
        }
        assertFalse(store().exists(key("x")));
        failure("ENOENT", () -> store().transaction(t -> t.read(key("none"))));
        assertEquals(0, mine.getSuppressed().length);
    }

    @Test
    default void conflictingWritersLoseNothing() throws Exception {
        store().write(key("counter"), "0");
        int writers = 3;
        int rounds = 20;
        try (ExecutorService threads = Executors.newFixedThreadPool(writers)) {
            List<Future<?>> all = new ArrayList<>();
            for (int w = 0; w < writers; w++) {
                Xenstore mine = another();
                all.add(
                        threads.submit(() -> {
                            for (int i = 0; i < rounds; i++) {
                                increment(mine);
                            }
                        }));
            }
            for (Future<?> one : all) {
                one.get();
            }
        }
        assertEquals(Integer.toString(writers * rounds), store().readString(key("counter")));
    }

    private void increment(Xenstore store) {
        store.transaction(t -> {
            int n = Integer.parseInt(t.readString(key("counter")));
            t.write(key("counter"), Integer.toString(n + 1));
            return n;
        });
    }

    @Test
    default void bodyRunsAgainAfterAConflict() {
        Xenstore other = another();
        store().write(key("a"), "0");
        AtomicInteger runs = new AtomicInteger();
        int seen =
                store().transaction(t -> {
                    int value = Integer.parseInt(t.readString(key("a")));
                    t.write(key("b"), "from " + value);
                    if (runs.incrementAndGet() == 1) {
                        other.write(key("a"), "1");
                    }
                    return value;
                });
        assertEquals(2, runs.get());
        assertEquals(1, seen);
        assertEquals("from 1", other.readString(key("b")));
    }

    @Test
    default void conflictThatPersistsIsReported() {
        Xenstore other = another();
        store().write(key("a"), "0");
        AtomicInteger runs = new AtomicInteger();
        XenstoreException e =
                failure(
                        "EAGAIN",
                        () ->
                                store().transaction(t -> {
                                    t.readString(key("a"));
                                    t.write(key("b"), "1");
                                    other.write(key("a"), "" + runs.incrementAndGet());
                                    return null;
                                }));
        assertTrue(e.getMessage().contains("others kept changing"), e.getMessage());
        assertEquals(XsClient.TRANSACTION_ATTEMPTS, runs.get());
        assertFalse(store().exists(key("b")));
    }

    @Test
    default void transactionIsOfNoUseOutsideItsBody() throws InterruptedException {
        AtomicReference<XenstoreTransaction> kept = new AtomicReference<>();
        AtomicReference<Throwable> elsewhere = new AtomicReference<>();
        store().transaction(t -> {
            kept.set(t);
            Thread thread =
                    Thread.ofPlatform()
                            .unstarted(() ->
                                    elsewhere.set(
                                            assertThrows(
                                                    IllegalStateException.class,
                                                    () -> t.exists("/"))));
            thread.start();
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return null;
        });
        assertThrows(IllegalStateException.class, () -> kept.get().exists("/"));
        assertTrue(elsewhere.get() instanceof IllegalStateException);
    }

    @Test
    default void transactionsOfOneConnectionStayApart() {
        store().transaction(outer -> {
            outer.write(key("outer"), "1");
            store().transaction(inner -> {
                assertFalse(inner.exists(key("outer")));
                inner.write(key("inner"), "1");
                return null;
            });
            return null;
        });
        assertTrue(store().exists(key("outer")));
        assertTrue(store().exists(key("inner")));
    }
}
