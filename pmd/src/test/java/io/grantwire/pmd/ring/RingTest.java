package io.grantwire.pmd.ring;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.testkit.ZeroAllocation;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class RingTest {
    @ParameterizedTest
    @EnumSource
    void holdsExactlyItsCapacityWhateverThatIs(Ring.Sync sync) {
        for (int capacity : new int[] {1, 2, 3, 5, 8, 100, 1023, 1024}) {
            Ring ring = Ring.create("r", capacity, sync, sync);
            assertEquals(capacity, ring.capacity());
            assertEquals(0, ring.dequeue());
            for (int i = 1; i <= capacity; i++) {
                assertTrue(ring.enqueue(i));
                assertEquals(i, ring.count());
                assertEquals(capacity - i, ring.freeCount());
            }
            assertFalse(ring.enqueue(99));
            for (int i = 1; i <= capacity; i++) {
                assertEquals(i, ring.dequeue());
            }
            assertEquals(0, ring.dequeue());
            assertEquals(0, ring.count());
        }
    }

    @ParameterizedTest
    @EnumSource
    void bulkIsAllOrNothing(Ring.Sync sync) {
        Ring ring = Ring.create("r", 6, sync, sync);
        int[] a = {1, 2, 3, 4};
        assertEquals(4, ring.enqueueBulk(a, 0, 4));
        assertEquals(0, ring.enqueueBulk(a, 0, 3));
        assertEquals(4, ring.count());
        assertEquals(2, ring.enqueueBulk(a, 2, 2));
        int[] out = new int[8];
        assertEquals(0, ring.dequeueBulk(out, 0, 7));
        assertArrayEquals(new int[8], out);
        assertEquals(5, ring.dequeueBulk(out, 1, 5));
        assertArrayEquals(new int[] {0, 1, 2, 3, 4, 3, 0, 0}, out);
        assertEquals(0, ring.dequeueBulk(out, 0, 2));
        assertEquals(1, ring.dequeueBulk(out, 0, 1));
        assertEquals(4, out[0]);
    }

    @ParameterizedTest
    @EnumSource
    void burstTakesWhatFits(Ring.Sync sync) {
        Ring ring = Ring.create("r", 6, sync, sync);
        int[] a = {1, 2, 3, 4};
        assertEquals(4, ring.enqueueBurst(a, 0, 4));
        assertEquals(2, ring.enqueueBurst(a, 0, 4));
        assertEquals(0, ring.enqueueBurst(a, 0, 4));
        int[] out = new int[8];
        assertEquals(6, ring.dequeueBurst(out, 2, 6));
        assertArrayEquals(new int[] {0, 0, 1, 2, 3, 4, 1, 2}, out);
        assertEquals(0, ring.dequeueBurst(out, 0, 8));
    }

    @ParameterizedTest
    @EnumSource
    void nothingAskedForIsNothingDone(Ring.Sync sync) {
        Ring ring = Ring.create("r", 2, sync, sync);
        int[] a = new int[1];
        assertEquals(0, ring.enqueueBulk(a, 1, 0));
        assertEquals(0, ring.enqueueBurst(a, 0, 0));
        assertEquals(0, ring.dequeueBulk(a, 0, 0));
        assertEquals(0, ring.dequeueBurst(a, 0, 0));
        assertEquals(0, ring.count());
    }

    @ParameterizedTest
    @EnumSource
    void aBadRangeIsRefusedBeforeAnythingIsClaimed(Ring.Sync sync) {
        Ring ring = Ring.create("r", 4, sync, sync);
        int[] a = {1, 2};
        assertThrows(IndexOutOfBoundsException.class, () -> ring.enqueueBulk(a, 1, 2));
        assertThrows(IndexOutOfBoundsException.class, () -> ring.enqueueBurst(a, 0, -1));
        assertThrows(IndexOutOfBoundsException.class, () -> ring.dequeueBurst(a, -1, 1));
        assertEquals(2, ring.enqueueBulk(a, 0, 2));
        assertEquals(2, ring.dequeueBulk(a, 0, 2));
    }

    @Test
    void aSizeOutOfRangeIsRefused() {
        for (int size : new int[] {0, -1, Ring.MAX_CAPACITY + 1}) {
            IllegalArgumentException e =
                    assertThrows(
                            IllegalArgumentException.class,
                            () -> Ring.create("x", size, Ring.Sync.HTS, Ring.Sync.HTS));
            assertTrue(e.getMessage().contains("ring x: size " + size), e.getMessage());
        }
    }

    @ParameterizedTest
    @EnumSource
    void behavesLikeAQueueAndWrapsItsIndices(Ring.Sync sync) {
        Ring ring = Ring.create("r", 13, sync, sync);
        // Positions just below the overflow, as after 2^31 elements.
        ring.prodHead = ring.prodTail = ring.prodSeenConsTail = Integer.MAX_VALUE - 20;
        ring.consHead = ring.consTail = ring.consSeenProdTail = Integer.MAX_VALUE - 20;
        ArrayDeque<Integer> model = new ArrayDeque<>();
        Random random = new Random(1);
        int[] a = new int[20];
        int next = 1;
        for (int i = 0; i < 20_000; i++) {
            int n = random.nextInt(16);
            boolean bulk = random.nextBoolean();
            if (random.nextBoolean()) {
                for (int k = 0; k < n; k++) {
                    a[k] = next + k;
                }
                int room = 13 - model.size();
                int expected = bulk ? (n <= room ? n : 0) : Math.min(n, room);
                assertEquals(
                        expected, bulk ? ring.enqueueBulk(a, 0, n) : ring.enqueueBurst(a, 0, n));
                for (int k = 0; k < expected; k++) {
                    model.add(next++);
                }
            } else {
                int expected = bulk ? (n <= model.size() ? n : 0) : Math.min(n, model.size());
                assertEquals(
                        expected, bulk ? ring.dequeueBulk(a, 0, n) : ring.dequeueBurst(a, 0, n));
                for (int k = 0; k < expected; k++) {
                    assertEquals(model.poll(), a[k]);
                }
            }
            assertEquals(model.size(), ring.count());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "SINGLE, SINGLE, 1, 1",
        "MULTI, SINGLE, 3, 1",
        "SINGLE, MULTI, 1, 3",
        "MULTI, MULTI, 3, 3",
        "HTS, HTS, 3, 3",
        "HTS, MULTI, 2, 2",
        "SINGLE, HTS, 1, 3"
    })
    void losesAndDoublesNothingBetweenThreads(
            Ring.Sync producer, Ring.Sync consumer, int producers, int consumers)
            throws InterruptedException {
        int each = 300_000 / producers;
        Ring ring = Ring.create("r", 100, producer, consumer);
        AtomicLongArray seen = new AtomicLongArray(producers * each / 64 + 1);
        AtomicLong taken = new AtomicLong();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        CountDownLatch done = new CountDownLatch(producers + consumers);
        List<Thread> threads = new ArrayList<>();
        for (int p = 0; p < producers; p++) {
            int first = p * each;
            threads.add(
                    new Thread(() -> {
                        int[] a = new int[17];
                        int sent = 0;
                        while (sent < each && failure.get() == null) {
                            int n = Math.min(1 + (sent & 15), each - sent);
                            for (int i = 0; i < n; i++) {
                                a[i] = first + sent + i;
                            }
                            int k = ring.enqueueBurst(a, 0, n);
                            if (k == 0) {
                                Thread.yield();
                            }
                            sent += k;
                        }
                        done.countDown();
                    }));
        }
        for (int c = 0; c < consumers; c++) {
            threads.add(
                    new Thread(() -> {
                        int[] a = new int[32];
                        int[] last = new int[producers];
                        Arrays.fill(last, -1);
                        try {
                            while (taken.get() < (long) producers * each && failure.get() == null) {
                                int k = ring.dequeueBurst(a, 0, 32);
                                if (k == 0) {
                                    Thread.yield();
                                }
                                for (int i = 0; i < k; i++) {
                                    int v = a[i];
                                    long bit = 1L << (v & 63);
                                    long before =
                                            seen.getAndAccumulate(v >> 6, bit, (x, y) -> x | y);
                                    assertEquals(0, before & bit, "twice: " + v);
                                    int from = v / each;
                                    assertTrue(v > last[from], "out of order: " + v);
                                    last[from] = v;
                                }
                                taken.addAndGet(k);
                            }
                        } catch (Throwable t) {
                            failure.compareAndSet(null, t);
                        }
                        done.countDown();
                    }));
        }
        threads.forEach(Thread::start);
        assertTrue(done.await(60, TimeUnit.SECONDS), "threads hang at " + taken.get());
        if (failure.get() != null) {
            throw new AssertionError(failure.get());
        }
        assertEquals((long) producers * each, taken.get());
        assertEquals(0, ring.count());
    }

    @ParameterizedTest
    @EnumSource
    void allocatesNothing(Ring.Sync sync) {
        Ring ring = Ring.create("r", 100, sync, sync);
        int[] a = new int[32];
        ZeroAllocation.check(
                "ring " + sync, () -> ring.enqueueBulk(a, 0, 32) + 0 * ring.dequeueBurst(a, 0, 32));
    }

    @Test
    void theTwoSidesLieOnCacheLinesOfTheirOwn() throws ReflectiveOperationException {
        // Without an import: the class is on its way out, and only this can tell offsets.
        Class<?> unsafe = Class.forName("sun.misc.Unsafe");
        Field instance = unsafe.getDeclaredField("theUnsafe");
        instance.setAccessible(true);
        Method offset = unsafe.getMethod("objectFieldOffset", Field.class);
        Map<String, Long> at = new HashMap<>();
        for (Class<?> c = Ring.class; c != Object.class; c = c.getSuperclass()) {
            for (Field f : c.getDeclaredFields()) {
                if (!Modifier.isStatic(f.getModifiers())) {
                    at.put(f.getName(), (Long) offset.invoke(instance.get(null), f));
                }
            }
        }
        assertTrue(at.get("prodHead") - at.get("slots") >= 128, at.toString());
        assertTrue(at.get("consHead") - at.get("prodSeenConsTail") >= 128, at.toString());
        assertTrue(at.get("consSeenProdTail") - at.get("consHead") < 16, at.toString());
        assertTrue(at.get("r1f") - at.get("consSeenProdTail") >= 124, at.toString());
    }
}
