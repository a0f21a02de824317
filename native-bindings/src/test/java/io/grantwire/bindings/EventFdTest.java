package io.grantwire.bindings;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.bindings.gen.libc.LibC;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** {@link EventFd} and {@link Epoll} with real kernel objects. */
@Timeout(60)
class EventFdTest {
    private static final Duration LONG = Duration.ofSeconds(30);

    @Test
    void signalsMergeUntilDrained() {
        try (EventFd event = EventFd.create()) {
            assertEquals(0, event.drain());
            assertFalse(event.await(Duration.ZERO));
            event.signal();
            event.signal();
            assertTrue(event.await(Duration.ZERO));
            assertEquals(2, event.drain());
            assertEquals(0, event.drain());
        }
    }

    @Test
    void aSignalWakesAWaitingThread() throws Exception {
        try (EventFd event = EventFd.create()) {
            CompletableFuture<Boolean> woken =
                    CompletableFuture.supplyAsync(() -> event.await(LONG));
            event.signal();
            assertTrue(woken.get(30, TimeUnit.SECONDS));
        }
    }

    @Test
    void aCopyOfTheDescriptorIsTheSameCounter() {
        try (EventFd event = EventFd.create();
                EventFd copy = EventFd.adopt(event.fd().duplicate())) {
            copy.signal();
            assertEquals(1, event.drain());
        }
    }

    @Test
    void epollReportsWhoIsReadyByItsValue() {
        try (Epoll epoll = Epoll.create();
                EventFd a = EventFd.create();
                EventFd b = EventFd.create()) {
            long[] data = new long[4];
            int[] events = new int[4];
            epoll.add(a.fd().value(), LibC.EPOLLIN(), 0x1111_2222_3333_4444L);
            epoll.add(b.fd().value(), LibC.EPOLLIN(), -1L);
            assertEquals(0, epoll.await(data, 4, Duration.ZERO));
            b.signal();
            assertEquals(1, epoll.await(data, events, 4, LONG));
            assertEquals(-1L, data[0]);
            assertEquals(LibC.EPOLLIN(), events[0]);
            a.signal();
            assertEquals(2, epoll.await(data, 4, LONG));
            long[] both = {data[0], data[1]};
            Arrays.sort(both);
            assertArrayEquals(new long[] {-1L, 0x1111_2222_3333_4444L}, both);
            assertEquals(1, epoll.await(data, 1, LONG), "no more than asked for");
        }
    }

    @Test
    void aOneShotMemberIsSilentUntilItIsArmedAgain() {
        try (Epoll epoll = Epoll.create();
                EventFd event = EventFd.create()) {
            long[] data = new long[1];
            int once = LibC.EPOLLIN() | LibC.EPOLLONESHOT();
            epoll.add(event.fd().value(), once, 1);
            event.signal();
            assertEquals(1, epoll.await(data, 1, LONG));
            assertEquals(0, epoll.await(data, 1, Duration.ZERO));
            epoll.modify(event.fd().value(), once, 2);
            assertEquals(1, epoll.await(data, 1, LONG));
            assertEquals(2, data[0]);
        }
    }

    @Test
    void aMemberThatWasRemovedIsNotReported() {
        try (Epoll epoll = Epoll.create();
                EventFd event = EventFd.create()) {
            epoll.add(event.fd().value(), LibC.EPOLLIN(), 1);
            event.signal();
            epoll.remove(event.fd().value());
            assertEquals(0, epoll.await(new long[1], 1, Duration.ZERO));
            NativeException e =
                    assertThrows(NativeException.class, () -> epoll.remove(event.fd().value()));
            assertEquals("ENOENT", e.errnoName());
        }
    }

    @Test
    void membersCanBeAddedWhileAThreadWaits() throws Exception {
        try (Epoll epoll = Epoll.create();
                EventFd event = EventFd.create()) {
            long[] data = new long[1];
            CompletableFuture<Integer> waiter =
                    CompletableFuture.supplyAsync(() -> epoll.await(data, 1, LONG));
            event.signal();
            epoll.add(event.fd().value(), LibC.EPOLLIN(), 7);
            assertEquals(1, waiter.get(30, TimeUnit.SECONDS));
            assertEquals(7, data[0]);
        }
    }

    @Test
    void aWaitWithoutRoomForEventsIsRefused() {
        try (Epoll epoll = Epoll.create()) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> epoll.await(new long[1], 2, Duration.ZERO));
            assertThrows(
                    IllegalArgumentException.class,
                    () -> epoll.await(new long[1], 0, Duration.ZERO));
        }
    }
}
