package io.grantwire.gntalloc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.bindings.Epoll;
import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.gen.libc.LibC;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What event channels must do, whoever does it. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
abstract class EventChannelContractTest {
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final Duration SHORT = Duration.ofMillis(30);

    /** Both ends of a conversation, in two domains or as two opens in one. */
    protected record Pair(EventChannel a, int aDomid, EventChannel b, int bDomid)
            implements AutoCloseable {
        @Override
        public void close() {
            b.close();
            a.close();
        }
    }

    private Pair pair;
    private EventChannel a;
    private EventChannel b;

    /** Opens both ends. Called before each test. */
    protected abstract Pair open();

    @BeforeEach
    void openPair() {
        pair = open();
        a = pair.a();
        b = pair.b();
    }

    @AfterEach
    void closePair() {
        if (pair != null) {
            pair.close();
        }
    }

    /** Takes the event that a fresh binding may fire with. */
    private static void settle(EventChannel channel) {
        int port;
        while ((port = channel.await(SHORT)) != 0) {
            channel.unmask(port);
        }
    }

    private int[] connect() {
        int offered = a.bindUnbound(pair.bDomid());
        int bound = b.bindInterdomain(pair.aDomid(), offered);
        assertTrue(offered > 0 && bound > 0);
        settle(a);
        settle(b);
        return new int[] {offered, bound};
    }

    private static void assertErrno(int errno, Runnable call) {
        NativeException e = assertThrows(NativeException.class, call::run);
        assertEquals(errno, e.errno(), e.getMessage());
    }

    @Test
    void anEventReachesTheOtherEndInBothDirections() {
        int[] ports = connect();
        a.notify(ports[0]);
        assertEquals(ports[1], b.await(LONG));
        b.unmask(ports[1]);
        b.notify(ports[1]);
        assertEquals(ports[0], a.await(LONG));
        a.unmask(ports[0]);
        assertEquals(0, a.await(SHORT));
        assertEquals(0, b.await(SHORT));
    }

    @Test
    void aFreshBindingFiresOnceForEventsSentBefore() {
        int offered = a.bindUnbound(pair.bDomid());
        a.notify(offered);
        int bound = b.bindInterdomain(pair.aDomid(), offered);
        assertEquals(bound, b.await(LONG));
        b.unmask(bound);
        assertEquals(0, b.await(SHORT));
    }

    @Test
    void eventsNotYetTakenMerge() {
        int[] ports = connect();
        for (int i = 0; i < 1000; i++) {
            a.notify(ports[0]);
        }
        assertEquals(ports[1], b.await(LONG));
        b.unmask(ports[1]);
        // Linux masks a port when it queues its event, not when the event is read: what comes
        // between the two makes one more.
        int again = b.await(SHORT);
        if (again != 0) {
            assertEquals(ports[1], again);
            b.unmask(again);
        }
        assertEquals(0, b.await(SHORT));
    }

    @Test
    void aReportedPortStaysMaskedAndRemembersAnEvent() {
        int[] ports = connect();
        a.notify(ports[0]);
        assertEquals(ports[1], b.await(LONG));
        a.notify(ports[0]);
        assertEquals(0, b.await(SHORT));
        b.unmask(ports[1]);
        assertEquals(ports[1], b.await(LONG));
        b.unmask(ports[1]);
        assertEquals(0, b.await(SHORT));
    }

    @Test
    void portsAreToldApart() {
        int[] first = connect();
        int[] second = connect();
        assertNotEquals(first[0], second[0]);
        assertNotEquals(first[1], second[1]);
        a.notify(second[0]);
        assertEquals(second[1], b.await(LONG));
        a.notify(first[0]);
        assertEquals(first[1], b.await(LONG));
        b.unmask(first[1]);
        b.unmask(second[1]);
        a.notify(first[0]);
        a.notify(second[0]);
        Set<Integer> fired = new HashSet<>();
        fired.add(b.await(LONG));
        fired.add(b.await(LONG));
        assertEquals(Set.of(first[1], second[1]), fired);
    }

    @Test
    void waitingGivesUpInTime() {
        connect();
        long start = System.nanoTime();
        assertEquals(0, b.await(Duration.ZERO));
        assertEquals(0, b.await(Duration.ofMillis(50)));
        assertTrue(System.nanoTime() - start >= Duration.ofMillis(45).toNanos());
    }

    @Test
    void aPortThatIsNotBoundHereIsNotConnected() {
        assertErrno(LibC.ENOTCONN(), () -> a.notify(999));
        assertErrno(LibC.ENOTCONN(), () -> a.unbind(999));
        int[] ports = connect();
        a.unbind(ports[0]);
        assertErrno(LibC.ENOTCONN(), () -> a.notify(ports[0]));
        assertErrno(LibC.ENOTCONN(), () -> a.unbind(ports[0]));
        a.unmask(ports[0]);
        // The other end stands, and talks to nobody.
        b.notify(ports[1]);
    }

    @Test
    void aPortThatIsNotOfferedCannotBeBound() {
        assertErrno(LibC.EINVAL(), () -> b.bindInterdomain(pair.aDomid(), 999));
        int[] ports = connect();
        assertErrno(LibC.EINVAL(), () -> b.bindInterdomain(pair.aDomid(), ports[0]));
        int forSomeoneElse = a.bindUnbound(pair.bDomid() == 77 ? 78 : 77);
        assertErrno(LibC.EINVAL(), () -> b.bindInterdomain(pair.aDomid(), forSomeoneElse));
    }

    @Test
    void thePeerMayBindAgainAfterItUnbound() {
        int[] ports = connect();
        b.unbind(ports[1]);
        a.notify(ports[0]);
        int again = b.bindInterdomain(pair.aDomid(), ports[0]);
        settle(b);
        a.notify(ports[0]);
        assertEquals(again, b.await(LONG));
        b.notify(again);
        assertEquals(ports[0], a.await(LONG));
    }

    @Test
    void theDescriptorPollsReadableWhileAPortIsPending() {
        int[] ports = connect();
        try (Epoll epoll = Epoll.create()) {
            epoll.add(b.fd(), LibC.EPOLLIN(), 1);
            long[] ready = new long[1];
            assertEquals(0, epoll.await(ready, 1, Duration.ZERO));
            a.notify(ports[0]);
            assertEquals(1, epoll.await(ready, 1, LONG));
            assertEquals(ports[1], b.await(Duration.ZERO));
            assertEquals(0, epoll.await(ready, 1, Duration.ZERO));
            a.notify(ports[0]);
            assertEquals(0, epoll.await(ready, 1, Duration.ZERO));
            b.unmask(ports[1]);
            assertEquals(1, epoll.await(ready, 1, LONG));
            assertEquals(ports[1], b.await(Duration.ZERO));
        }
    }

    @Test
    void closingWakesWhoWaits() throws Exception {
        connect();
        CompletableFuture<Integer> waiter = CompletableFuture.supplyAsync(() -> b.await(LONG));
        // Whether it waits already or not, it must come back early.
        long start = System.nanoTime();
        b.close();
        assertEquals(0, waiter.get(20, TimeUnit.SECONDS));
        assertTrue(System.nanoTime() - start < Duration.ofSeconds(20).toNanos());
        b.close();
        assertFalse(waiter.isCompletedExceptionally());
    }

    @Test
    void aHundredCyclesLeakNoDescriptor() {
        int[] first = connect();
        int descriptors = Leaks.descriptors();
        for (int i = 0; i < 100; i++) {
            int offered = a.bindUnbound(pair.bDomid());
            int bound = b.bindInterdomain(pair.aDomid(), offered);
            if (i % 2 == 0) {
                a.unbind(offered);
                b.unbind(bound);
            } else {
                b.unbind(bound);
                a.unbind(offered);
            }
        }
        assertTrue(
                Leaks.descriptors() < descriptors + 20,
                descriptors + " descriptors became " + Leaks.descriptors());
        a.notify(first[0]);
        assertEquals(first[1], b.await(LONG));
    }

    @Test
    void pingPongLosesNoEvent() throws Exception {
        int[] ports = connect();
        int rounds = 2000;
        Thread echo =
                new Thread(() -> {
                    for (int i = 0; i < rounds; i++) {
                        int port = b.await(LONG);
                        b.unmask(port);
                        b.notify(port);
                    }
                });
        echo.start();
        for (int i = 0; i < rounds; i++) {
            a.notify(ports[0]);
            assertEquals(ports[0], a.await(LONG), "round " + i);
            a.unmask(ports[0]);
        }
        echo.join(30_000);
        assertFalse(echo.isAlive());
    }
}
