package io.grantwire.xenstore;

import static io.grantwire.xenstore.testing.Fixture.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.xenstore.XenstoreWatch.Event;
import io.grantwire.xenstore.testing.Fixture;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What a store and the client do with watches. */
interface WatchesContract extends Fixture {

    @Test
    default void watchFiresOnceAtOnce() throws Exception {
        try (XenstoreWatch watch = store().watch(key("w"), "my token")) {
            assertEquals(key("w"), watch.path());
            assertEquals(new Event(key("w"), "my token"), watch.await(SOON));
            assertNothingWaits(watch);
        }
    }

    @Test
    default void changesBelowTheWatchedPathFire() throws Exception {
        store().write(key("w/there"), "1");
        try (XenstoreWatch watch = store().watch(key("w"), "t")) {
            watch.await(SOON);
            another().write(key("w/there"), "2");
            assertEquals(new Event(key("w/there"), "t"), watch.await(SOON));
            store().mkdir(key("w/made"));
            assertEquals(new Event(key("w/made"), "t"), watch.await(SOON));
            int owner = store().permissions(key("w/made")).getFirst().domid();
            store().setPermissions(
                            key("w/made"), List.of(new XenstorePermission(owner, true, false)));
            assertEquals(new Event(key("w/made"), "t"), watch.await(SOON));
            store().rm(key("w/made"));
            assertEquals(new Event(key("w/made"), "t"), watch.await(SOON));
            store().write(key("elsewhere"), "1");
            store().write(key("w-not-below"), "1");
            assertNothingWaits(watch);
        }
    }

    @Test
    default void removalOfAParentFiresForTheWatchedPath() throws Exception {
        store().write(key("top/middle/leaf"), "1");
        try (XenstoreWatch watch = store().watch(key("top/middle/leaf"), "t")) {
            watch.await(SOON);
            another().rm(key("top"));
            assertEquals(new Event(key("top/middle/leaf"), "t"), watch.await(SOON));
        }
    }

    @Test
    default void relativeWatchesHaveRelativeEvents() throws Exception {
        Xenstore guest = guest();
        try (XenstoreWatch watch = guest.watch("data/w", "t")) {
            assertEquals(new Event("data/w", "t"), watch.await(SOON));
            guest.write("data/w/x", "1");
            assertEquals(new Event("data/w/x", "t"), watch.await(SOON));
        }
    }

    @Test
    default void closedWatchIsSilentAndWakesItsConsumer() throws Exception {
        XenstoreWatch watch = store().watch(key("w"), "t");
        watch.await(SOON);
        CompletableFuture<Event> consumer =
                CompletableFuture.supplyAsync(() -> {
                    try {
                        return watch.await(SOON.multipliedBy(3));
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                });
        watch.close();
        watch.close();
        assertNull(consumer.get(SOON.toSeconds(), TimeUnit.SECONDS));
        store().write(key("w"), "1");
        store().read(key("w"));
        assertNull(watch.poll());
        assertNull(watch.await(Duration.ofMillis(1)));
    }

    @Test
    default void watchesOfOnePathAndTokenAreIndependent() throws Exception {
        XenstoreWatch one = store().watch(key("w"), "same");
        XenstoreWatch two = store().watch(key("w"), "same");
        one.await(SOON);
        two.await(SOON);
        one.close();
        store().write(key("w"), "1");
        assertEquals(new Event(key("w"), "same"), two.await(SOON));
        two.close();
    }

    @Test
    default void transactionFiresWhenItIsCommitted() throws Exception {
        store().mkdir(key("w"));
        try (XenstoreWatch watch = another().watch(key("w"), "t")) {
            watch.await(SOON);
            store().transaction(t -> {
                t.write(key("w/a"), "1");
                t.write(key("w/b"), "2");
                // A round trip on the watching connection would bring an event.
                assertNull(watch.poll());
                return null;
            });
            Set<String> changed = new HashSet<>();
            while (changed.size() < 2) {
                Event event = watch.await(SOON);
                assertNotNull(event, "waited for both, got " + changed);
                changed.add(event.path());
            }
            assertEquals(Set.of(key("w/a"), key("w/b")), changed);
        }
    }

    @Test
    default void abortedTransactionFiresNothing() throws Exception {
        store().mkdir(key("w"));
        try (XenstoreWatch watch = store().watch(key("w"), "t")) {
            watch.await(SOON);
            try {
                store().transaction(t -> {
                    t.write(key("w/a"), "1");
                    throw new IllegalStateException("no");
                });
            } catch (IllegalStateException expected) {
                // It is what aborts.
            }
            assertNothingWaits(watch);
        }
    }

    @Test
    default void slowConsumerSeesEveryChangedPathOnceOrIsToldToLookAgain() throws Exception {
        try (XenstoreWatch watch = store().watch(key("w"), "t")) {
            watch.await(SOON);
            for (int i = 0; i < 300; i++) {
                store().write(key("w/" + i % 3), "" + i);
            }
            store().write(key("w/last"), "x");
            Set<String> seen = new HashSet<>();
            int events = 0;
            while (!seen.contains(key("w/last"))) {
                Event event = watch.await(SOON);
                assertNotNull(event);
                events++;
                seen.add(event.path());
            }
            assertEquals(Set.of(key("w/0"), key("w/1"), key("w/2"), key("w/last")), seen);
            // The queue's thread may have handed some on before we began to look.
            assertTrue(events <= 301, "events: " + events);
        }
    }

    @Test
    default void specialWatchesFireWhenDomainsComeAndGo() throws Exception {
        guest();
        try (XenstoreWatch released = store().watch(XenstorePath.RELEASE_DOMAIN, "r");
                XenstoreWatch introduced = store().watch(XenstorePath.INTRODUCE_DOMAIN, "i")) {
            assertEquals(new Event("@releaseDomain", "r"), released.await(SOON));
            assertEquals(new Event("@introduceDomain", "i"), introduced.await(SOON));
            destroyGuest();
            assertEquals(new Event("@releaseDomain", "r"), released.await(SOON));
            guest();
            assertEquals(new Event("@introduceDomain", "i"), introduced.await(SOON));
        }
    }

    @Test
    default void watchesEndWithTheirConnection() throws Exception {
        Xenstore closing = another();
        XenstoreWatch watch = closing.watch(key("w"), "t");
        watch.await(SOON);
        closing.close();
        assertNull(watch.poll());
        assertNull(watch.await(SOON));
        watch.close();
        failure("EBADF", () -> closing.watch(key("w"), "t"));
    }

    /** After a round trip nothing more can be under way, unless on libxenstore's own thread. */
    private void assertNothingWaits(XenstoreWatch watch) throws InterruptedException {
        store().readString(key("none"));
        assertNull(watch.await(Duration.ofMillis(100)));
    }
}
