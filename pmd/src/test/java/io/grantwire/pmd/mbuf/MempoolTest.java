package io.grantwire.pmd.mbuf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.bindings.NativeException;
import io.grantwire.pmd.ring.Ring;
import io.grantwire.pmd.testkit.OnLcore;
import io.grantwire.pmd.testkit.ZeroAllocation;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MempoolTest {
    private static Mempool pool(int count, int cache) {
        return Mempool.create(new MempoolConfig("t", count, 2048, cache, MemorySource.plain()));
    }

    @Test
    void givesOutEveryMbufOnceAndThenNone() {
        try (Mempool pool = pool(100, 0)) {
            Set<Integer> handles = new HashSet<>();
            Set<Long> buffers = new HashSet<>();
            for (int i = 0; i < 100; i++) {
                int m = pool.alloc();
                assertTrue(m > 0);
                assertTrue(handles.add(m));
                assertTrue(buffers.add(Mbuf.bufferOffset(m)));
                assertSame(pool, Mempool.of(m));
                assertEquals(1, Mbuf.refcnt(m));
            }
            assertEquals(0, pool.available());
            assertEquals(100, pool.inUse());
            assertEquals(0, pool.alloc());
            assertFalse(pool.allocBulk(new int[1], 0, 1));
            assertEquals(2, pool.allocFailures());
            handles.forEach(Mbuf::free);
            assertEquals(0, pool.inUse());
        }
    }

    @Test
    void buffersLieSideBySideOnCacheLinesAndBelongToOneMbuf() {
        try (Mempool pool =
                Mempool.create(new MempoolConfig("t", 10, 1000, 0, MemorySource.plain()))) {
            assertEquals(1152, pool.elementSize());
            assertTrue(pool.segment().byteSize() >= 10 * 1152);
            int[] all = new int[10];
            assertTrue(pool.allocBulk(all, 0, 10));
            for (int m : all) {
                assertEquals(0, Mbuf.bufferOffset(m) % 64);
                assertTrue(Mbuf.append(m, 1000));
                Mbuf.segment(m).asSlice(Mbuf.offset(m), 1000).fill((byte) m);
            }
            for (int m : all) {
                assertEquals((byte) m, Mbuf.segment(m).get(ValueLayout.JAVA_BYTE, Mbuf.offset(m)));
                assertEquals(
                        (byte) m, Mbuf.segment(m).get(ValueLayout.JAVA_BYTE, Mbuf.offset(m) + 999));
            }
            Mempool.freeBulk(all, 0, 10);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 7, 32, 64})
    void bulkIsAllOrNothingAndCountsStayRight(int cache) throws Exception {
        OnLcore.run(() -> {
            try (Mempool pool = pool(100, cache)) {
                Random random = new Random(cache);
                List<Integer> out = new ArrayList<>();
                Set<Integer> outSet = new HashSet<>();
                int[] a = new int[120];
                for (int i = 0; i < 5000; i++) {
                    int n = random.nextInt(random.nextInt(10) == 0 ? 110 : 40);
                    if (random.nextBoolean()) {
                        boolean got = pool.allocBulk(a, 3, n);
                        assertEquals(n <= 100 - out.size(), got);
                        for (int k = 0; got && k < n; k++) {
                            assertTrue(outSet.add(a[3 + k]), "given out twice");
                            out.add(a[3 + k]);
                        }
                    } else {
                        n = Math.min(n, out.size());
                        for (int k = 0; k < n; k++) {
                            a[k] = out.remove(out.size() - 1);
                            outSet.remove(a[k]);
                        }
                        Mempool.freeBulk(a, 0, n);
                    }
                    assertEquals(out.size(), pool.inUse());
                    assertEquals(100 - out.size(), pool.available());
                }
                out.forEach(Mbuf::free);
                assertEquals(0, pool.inUse());
            }
        });
    }

    @Test
    void theCacheIsLastInFirstOut() throws Exception {
        OnLcore.run(() -> {
            try (Mempool pool = pool(100, 16)) {
                int a = pool.alloc();
                int b = pool.alloc();
                Mbuf.free(a);
                Mbuf.free(b);
                assertEquals(b, pool.alloc());
                assertEquals(a, pool.alloc());
                Mempool.freeBulk(new int[] {a, b}, 0, 2);
            }
        });
    }

    @Test
    void whoHasNoMoreThanHalfACacheAtOnceGetsTheSameMbufsEachTime() throws Exception {
        OnLcore.run(() -> {
            try (Mempool pool = pool(1000, 64)) {
                Set<Integer> seen = new HashSet<>();
                int[] mbufs = new int[32];
                for (int round = 0; round < 1000; round++) {
                    int n = 1 + round % 4;
                    for (int i = 0; i < 32; i += 8) {
                        assertTrue(pool.allocBulk(mbufs, i, 8));
                    }
                    for (int m : mbufs) {
                        seen.add(m);
                    }
                    for (int i = 0; i < 32; i += n) {
                        Mempool.freeBulk(mbufs, i, Math.min(n, 32 - i));
                    }
                }
                assertTrue(seen.size() <= 64, seen.size() + " of 1000 mbufs went round");
            }
        });
    }

    @Test
    void anotherThreadSeesWhatAnLcoreFreedOnlyBeyondTheCache() throws Exception {
        try (Mempool pool = pool(64, 32)) {
            int[] all = new int[64];
            OnLcore.run(() -> {
                assertTrue(pool.allocBulk(all, 0, 64));
                Mempool.freeBulk(all, 0, 16);
                Mempool.freeBulk(all, 16, 16);
            });
            assertEquals(32, pool.available());
            assertEquals(0, pool.alloc(), "all that is free is in the lcore's cache");
            OnLcore.run(() -> Mempool.freeBulk(all, 32, 8));
            assertEquals(40, pool.available());
            int m = pool.alloc();
            assertTrue(m != 0);
            Mbuf.free(m);
            OnLcore.run(() -> Mempool.freeBulk(all, 40, 24));
            assertEquals(64, pool.available());
        }
    }

    @Test
    void aFailedBulkLeavesTheCacheAsItWas() throws Exception {
        OnLcore.run(() -> {
            try (Mempool pool = pool(20, 10)) {
                int[] a = new int[30];
                assertTrue(pool.allocBulk(a, 0, 4));
                assertFalse(pool.allocBulk(a, 10, 17));
                assertEquals(16, pool.available());
                assertTrue(pool.allocBulk(a, 4, 16));
                assertEquals(20, pool.inUse());
                Mempool.freeBulk(a, 0, 20);
            }
        });
    }

    @Test
    void aSecondFreeIsCountedAndRefused() throws Exception {
        OnLcore.Body body =
                () -> {
                    try (Mempool pool = pool(8, 4)) {
                        long bad = Mempool.badFrees();
                        int m = pool.alloc();
                        Mbuf.free(m);
                        Mbuf.free(m);
                        assertEquals(bad + 1, Mempool.badFrees());
                        assertEquals(8, pool.available());
                        int[] twice = {pool.alloc(), pool.alloc(), 0, 0};
                        twice[2] = twice[0];
                        twice[3] = twice[1];
                        Mempool.freeBulk(twice, 0, 4);
                        assertEquals(bad + 3, Mempool.badFrees());
                        assertEquals(8, pool.available());
                        Set<Integer> distinct = new HashSet<>();
                        for (int i = 0; i < 8; i++) {
                            distinct.add(pool.alloc());
                        }
                        assertEquals(8, distinct.size());
                        distinct.forEach(Mbuf::free);
                    }
                };
        body.run();
        OnLcore.run(body);
    }

    @Test
    void aStrangersHandleIsCountedAndRefused() throws Exception {
        OnLcore.Body body =
                () -> {
                    try (Mempool pool = pool(8, 4)) {
                        int good = pool.alloc();
                        int slot = good & 0xFF00_0000;
                        int[] strangers = {
                            -1,
                            // In slot 0 that is "none", which is ignored.
                            slot == 0 ? slot | 10 : slot,
                            slot | 9,
                            slot | 0xFF_FFFF,
                            0x7FFF_FFFF,
                            Integer.MIN_VALUE,
                            good ^ 0x4000_0000
                        };
                        long bad = Mempool.badFrees();
                        for (int s : strangers) {
                            Mbuf.free(s);
                        }
                        assertEquals(bad + strangers.length, Mempool.badFrees());
                        Mempool.freeBulk(strangers, 0, strangers.length);
                        assertEquals(bad + 2 * strangers.length, Mempool.badFrees());
                        assertEquals(7, pool.available());
                        Mbuf.free(good);
                        assertEquals(8, pool.available());
                    }
                };
        body.run();
        OnLcore.run(body);
    }

    @Test
    void zeroIsIgnored() {
        long bad = Mempool.badFrees();
        Mbuf.free(0);
        Mempool.freeBulk(new int[5], 0, 5);
        assertEquals(bad, Mempool.badFrees());
        assertNull(Mempool.of(-1));
    }

    @Test
    void aHandleOfAClosedPoolIsRefusedAndItsMemoryOutOfReach() {
        Mempool pool = pool(8, 0);
        int m = pool.alloc();
        Mbuf.free(m);
        pool.close();
        assertTrue(pool.isClosed());
        pool.close();
        long bad = Mempool.badFrees();
        Mbuf.free(m);
        assertEquals(bad + 1, Mempool.badFrees());
        assertEquals(0, Mbuf.segment(m).byteSize());
        assertThrows(IndexOutOfBoundsException.class, () -> Mbuf.offset(m));
    }

    @Test
    void closeIsRefusedWhileMbufsAreOut() {
        AtomicInteger closes = new AtomicInteger();
        Mempool pool =
                Mempool.create(
                        MempoolConfig.of("t", 8)
                                .withSource(bytes -> {
                                    MemorySource.BackingMemory m =
                                            MemorySource.plain().allocate(bytes);
                                    return new MemorySource.BackingMemory() {
                                        @Override
                                        public MemorySegment segment() {
                                            return m.segment();
                                        }

                                        @Override
                                        public void close() {
                                            closes.incrementAndGet();
                                            m.close();
                                        }
                                    };
                                }));
        int m = pool.alloc();
        pool.close();
        assertFalse(pool.isClosed());
        assertEquals(0, closes.get());
        Mbuf.segment(m).set(ValueLayout.JAVA_BYTE, Mbuf.offset(m), (byte) 1);
        Mbuf.free(m);
        pool.close();
        assertTrue(pool.isClosed());
        assertEquals(1, closes.get());
    }

    @Test
    void manyPoolsMayComeAndGoButNotBeThereAtOnce() {
        for (int i = 0; i < 300; i++) {
            pool(2, 0).close();
        }
        List<Mempool> open = new ArrayList<>();
        try {
            IllegalStateException e =
                    assertThrows(
                            IllegalStateException.class,
                            () -> {
                                for (int i = 0; i < 129; i++) {
                                    open.add(pool(2, 0));
                                }
                            });
            assertTrue(e.getMessage().contains("128 pools"), e.getMessage());
        } finally {
            open.forEach(Mempool::close);
        }
        pool(2, 0).close();
    }

    @Test
    void badNumbersAreRefusedByName() {
        MempoolConfig ok = MempoolConfig.of("p", 10_000);
        assertThrows(IllegalArgumentException.class, () -> MempoolConfig.of("p", 0));
        assertThrows(
                IllegalArgumentException.class, () -> MempoolConfig.of("p", Mempool.MAX_COUNT + 1));
        assertThrows(IllegalArgumentException.class, () -> ok.withCacheSize(Mempool.MAX_CACHE + 1));
        assertThrows(IllegalArgumentException.class, () -> ok.withDataRoom(0));
        assertThrows(IllegalArgumentException.class, () -> ok.withDataRoom(65_536));
        assertThrows(IllegalArgumentException.class, () -> ok.withSource(null));
        assertThrows(IllegalArgumentException.class, () -> MempoolConfig.of("", 1));
        String message =
                assertThrows(IllegalArgumentException.class, () -> ok.withCacheSize(-1))
                        .getMessage();
        assertEquals("mempool p: cache size -1 is not in 0 to 4096", message);
    }

    @Test
    void aSourceThatGivesTooLittleIsRefusedAndClosed() {
        AtomicInteger closes = new AtomicInteger();
        MempoolConfig config =
                MempoolConfig.of("t", 8)
                        .withSource(bytes ->
                                new MemorySource.BackingMemory() {
                                    @Override
                                    public MemorySegment segment() {
                                        return MemorySegment.NULL;
                                    }

                                    @Override
                                    public void close() {
                                        closes.incrementAndGet();
                                    }
                                });
        assertThrows(IllegalArgumentException.class, () -> Mempool.create(config));
        assertEquals(1, closes.get());
    }

    @Test
    void chainsAreTakenAndFreedAsAWhole() {
        try (Mempool pool =
                Mempool.create(new MempoolConfig("t", 10, 100, 0, MemorySource.plain()))) {
            int m = pool.allocChain(250);
            assertEquals(3, Mbuf.nbSegs(m));
            assertEquals(250, Mbuf.pktLen(m));
            assertEquals(100, Mbuf.dataLen(m));
            assertEquals(50, Mbuf.dataLen(Mbuf.lastSegment(m)));
            assertEquals(3, pool.inUse());
            assertEquals(0, pool.allocChain(701 + 0));
            assertEquals(3, pool.inUse());
            Mbuf.free(m);
            assertEquals(0, pool.inUse());
            int empty = pool.allocChain(0);
            assertEquals(1, Mbuf.nbSegs(empty));
            int full = pool.allocChain(900);
            assertEquals(9, Mbuf.nbSegs(full));
            Mempool.freeBulk(new int[] {empty, full}, 0, 2);
            assertEquals(0, pool.inUse());
        }
    }

    @Test
    void freeBulkSortsOutPoolsChainsAndOwners() throws Exception {
        OnLcore.run(() -> {
            try (Mempool p = pool(40, 8);
                    Mempool q =
                            Mempool.create(
                                    new MempoolConfig("q", 40, 100, 4, MemorySource.plain()))) {
                int shared = p.alloc();
                Mbuf.retain(shared, 1);
                int[] mixed = {
                    p.alloc(),
                    p.alloc(),
                    q.alloc(),
                    0,
                    q.allocChain(350),
                    shared,
                    p.alloc(),
                    q.alloc(),
                    q.alloc(),
                    p.alloc()
                };
                Mempool.freeBulk(mixed, 0, mixed.length);
                assertEquals(0, q.inUse());
                assertEquals(1, p.inUse());
                Mbuf.free(shared);
                assertEquals(0, p.inUse());
            }
        });
    }

    @Test
    void lcoresPassMbufsOnWithoutLosingAny() throws Exception {
        int rounds = 3000;
        try (Mempool pool = pool(1024, 64)) {
            Ring ring = Ring.create("r", 256, Ring.Sync.MULTI, Ring.Sync.HTS);
            AtomicInteger received = new AtomicInteger();
            CountDownLatch done = new CountDownLatch(4);
            List<Throwable> failures = new ArrayList<>();
            List<Thread> threads = new ArrayList<>();
            for (int t = 0; t < 4; t++) {
                boolean producer = t < 2;
                threads.add(
                        new Thread(() -> {
                            try {
                                OnLcore.run(() -> {
                                    if (producer) {
                                        produce(pool, ring, rounds);
                                    } else {
                                        consume(ring, received, 2 * 32 * rounds);
                                    }
                                });
                            } catch (Throwable e) {
                                synchronized (failures) {
                                    failures.add(e);
                                }
                            }
                            done.countDown();
                        }));
            }
            threads.forEach(Thread::start);
            assertTrue(done.await(60, TimeUnit.SECONDS));
            assertTrue(failures.isEmpty(), failures.toString());
            assertEquals(2 * 32 * rounds, received.get());
            assertEquals(0, pool.inUse());
        }
    }

    private static void produce(Mempool pool, Ring ring, int rounds) {
        int[] burst = new int[32];
        for (int i = 0; i < rounds; i++) {
            while (!pool.allocBulk(burst, 0, 32)) {
                Thread.yield();
            }
            for (int k = 0; k < 32; k++) {
                Mbuf.init(burst[k], 60, k);
                Mbuf.segment(burst[k])
                        .set(ValueLayout.JAVA_INT_UNALIGNED, Mbuf.offset(burst[k]), burst[k]);
            }
            int sent = 0;
            while (sent < 32) {
                int n = ring.enqueueBurst(burst, sent, 32 - sent);
                sent += n;
                if (n == 0) {
                    Thread.yield();
                }
            }
        }
    }

    private static void consume(Ring ring, AtomicInteger received, int total) {
        int[] burst = new int[32];
        while (received.get() < total) {
            int n = ring.dequeueBurst(burst, 0, 32);
            for (int k = 0; k < n; k++) {
                int m = burst[k];
                assertEquals(60, Mbuf.pktLen(m));
                assertEquals(
                        m, Mbuf.segment(m).get(ValueLayout.JAVA_INT_UNALIGNED, Mbuf.offset(m)));
            }
            Mempool.freeBulk(burst, 0, n);
            received.addAndGet(n);
            if (n == 0) {
                Thread.yield();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void allocatesNothing(boolean lcore) throws Exception {
        OnLcore.Body body =
                () -> {
                    try (Mempool pool = pool(1000, 64)) {
                        int[] burst = new int[96];
                        ZeroAllocation.check(
                                "mempool",
                                () -> {
                                    pool.allocBulk(burst, 0, 96);
                                    for (int i = 0; i < 8; i++) {
                                        Mbuf.free(burst[i]);
                                    }
                                    Mempool.freeBulk(burst, 8, 88);
                                    return 96;
                                });
                    }
                };
        if (lcore) {
            OnLcore.run(body);
        } else {
            body.run();
        }
    }

    @Test
    void hugePagesAreUsedOrTheirLackIsNamed() {
        MempoolConfig config = MempoolConfig.of("t", 100).withSource(MemorySource.hugePages());
        try (Mempool pool = Mempool.create(config)) {
            assertEquals(0, pool.segment().address() % (2 << 20));
        } catch (NativeException e) {
            assertTrue(e.getMessage().contains("huge pages"), e.getMessage());
            assertFalse(e.hint().isEmpty());
        }
        try (Mempool pool = Mempool.create(config.withSource(MemorySource.hugePagesOrPlain()))) {
            int m = pool.alloc();
            Mbuf.segment(m).set(ValueLayout.JAVA_BYTE, Mbuf.offset(m), (byte) 1);
            Mbuf.free(m);
        }
    }
}
