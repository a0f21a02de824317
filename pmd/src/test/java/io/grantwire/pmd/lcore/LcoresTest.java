package io.grantwire.pmd.lcore;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.bindings.CpuAffinity;
import io.grantwire.bindings.NativeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class LcoresTest {
    private static final Duration LONG = Duration.ofSeconds(30);

    @Test
    void anLcoreKnowsItsIdAndOthersHaveNone() throws InterruptedException {
        assertEquals(-1, Lcore.currentId());
        AtomicInteger id = new AtomicInteger(-2);
        CountDownLatch ran = new CountDownLatch(3);
        Lcore lcore =
                Lcores.launch(
                        7,
                        -1,
                        "seven",
                        () -> {
                            id.set(Lcore.currentId());
                            ran.countDown();
                            return 0;
                        });
        assertTrue(ran.await(30, TimeUnit.SECONDS));
        assertTrue(lcore.isRunning());
        assertTrue(Lcores.running().contains(lcore));
        assertEquals("lcore 7 (seven)", lcore.toString());
        assertThrows(IllegalStateException.class, () -> Lcores.launch(7, -1, "again", () -> 0));
        lcore.stop();
        assertTrue(lcore.join(LONG));
        assertEquals(7, id.get());
        assertNull(lcore.failure());
        assertFalse(lcore.isRunning());
        assertFalse(Lcores.running().contains(lcore));
        Lcore again = Lcores.launch(7, -1, "again", () -> 0);
        assertEquals(List.of(), Lcores.stop(List.of(again), LONG));
    }

    @Test
    void anyFreeIdIsFoundAndIdsOutOfRangeAreRefused() throws InterruptedException {
        List<Lcore> all = new ArrayList<>();
        Set<Integer> ids = new HashSet<>();
        for (int i = 0; i < 5; i++) {
            all.add(Lcores.launch(-1, -1, "l" + i, () -> 0));
            ids.add(all.get(i).id());
        }
        assertEquals(5, ids.size());
        assertTrue(Lcores.stop(all, LONG).isEmpty());
        assertThrows(IllegalArgumentException.class, () -> Lcores.launch(128, -1, "x", () -> 0));
        assertThrows(IllegalArgumentException.class, () -> Lcores.launch(-2, -1, "x", () -> 0));
    }

    @Test
    void whatTheLoopThrowsEndsTheLcoreAndIsKept() throws InterruptedException {
        IllegalStateException cause = new IllegalStateException("enough");
        Lcore lcore =
                Lcores.launch(
                        -1,
                        -1,
                        "fails",
                        () -> {
                            throw cause;
                        });
        assertTrue(lcore.join(LONG));
        assertSame(cause, lcore.failure());
        assertFalse(Lcores.running().contains(lcore));
    }

    @Test
    void anLcoreRunsOnItsCpus() throws InterruptedException {
        int[] allowed = CpuAffinity.allowed();
        int cpu = allowed[allowed.length - 1];
        AtomicReference<int[]> seen = new AtomicReference<>();
        Lcore lcore = launchAndAsk(new LcoreSet.Entry(3, List.of(cpu)), seen);
        assertArrayEquals(new int[] {cpu}, seen.get());
        assertArrayEquals(new int[] {cpu}, lcore.cpus());
        assertNull(lcore.failure());
    }

    @Test
    void aCpuThatIsNotThereIsTheLcoresFailure() throws InterruptedException {
        Lcore lcore = launchAndAsk(new LcoreSet.Entry(3, List.of(1023)), new AtomicReference<>());
        assertTrue(lcore.failure() instanceof NativeException, String.valueOf(lcore.failure()));
    }

    private static Lcore launchAndAsk(LcoreSet.Entry entry, AtomicReference<int[]> seen)
            throws InterruptedException {
        Lcore lcore =
                Lcores.launch(
                        entry,
                        "pinned",
                        () -> {
                            seen.set(CpuAffinity.ofCurrentThread());
                            return 0;
                        },
                        IdleStrategy.Backoff::new);
        long deadline = System.nanoTime() + LONG.toNanos();
        while (seen.get() == null && lcore.isRunning() && System.nanoTime() < deadline) {
            Thread.sleep(1);
        }
        lcore.stop();
        assertTrue(lcore.join(LONG));
        return lcore;
    }

    @Test
    void manyMorePollersThanCpusAllMakeProgress() throws InterruptedException {
        int pollers = 4 * CpuAffinity.available() + 3;
        AtomicIntegerArray turns = new AtomicIntegerArray(pollers);
        AtomicInteger token = new AtomicInteger();
        Set<Integer> ids = ConcurrentHashMap.newKeySet();
        List<Lcore> all = new ArrayList<>();
        for (int i = 0; i < pollers; i++) {
            int me = i;
            all.add(
                    Lcores.launch(
                            -1,
                            -1,
                            "poller" + i,
                            () -> {
                                // Work only when it is this one's turn: the token goes round.
                                if (token.get() % pollers != me) {
                                    return 0;
                                }
                                ids.add(Lcore.currentId());
                                turns.incrementAndGet(me);
                                token.incrementAndGet();
                                return 1;
                            }));
        }
        long deadline = System.nanoTime() + LONG.toNanos();
        while (turns.get(pollers - 1) < 20 && System.nanoTime() < deadline) {
            Thread.sleep(1);
        }
        assertTrue(Lcores.stop(all, LONG).isEmpty());
        assertEquals(pollers, ids.size());
        assertTrue(turns.get(pollers - 1) >= 20, "turns " + turns);
    }

    @Test
    void backoffParksWhenIdleAndWakesWithWork() {
        IdleStrategy.Backoff idle = new IdleStrategy.Backoff();
        for (int i = 0; i < IdleStrategy.Backoff.SPINS + IdleStrategy.Backoff.YIELDS; i++) {
            idle.idle(0);
        }
        long before = System.nanoTime();
        for (int i = 0; i < 100; i++) {
            idle.idle(0);
        }
        long parked = System.nanoTime() - before;
        assertTrue(parked > 100 * IdleStrategy.Backoff.MIN_PARK_NANOS / 2, "parked " + parked);
        idle.idle(1);
        before = System.nanoTime();
        for (int i = 0; i < 10; i++) {
            idle.idle(0);
        }
        assertTrue(System.nanoTime() - before < LONG.toNanos());
        new IdleStrategy.BusySpin().idle(0);
    }
}
