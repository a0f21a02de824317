package io.grantwire.tools.bench.micro;

import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import io.grantwire.pmd.ring.Ring;
import io.grantwire.tools.bench.Spread;
import java.util.concurrent.CyclicBarrier;

/** What taking mbufs out of a pool and giving them back costs; nanoseconds per mbuf. */
final class MempoolLoops {
    private static final int COUNT = 8191;
    private static final int BATCH = 1 << 18;

    private MempoolLoops() {}

    /** In bulks, by one lcore, through its cache. */
    static Spread bulks(int bulk, int cpu, int rounds) throws InterruptedException {
        return OnCore.start(cpu, () -> timed(rounds, bulk, MempoolLoops::bulkBatch)).get();
    }

    /** One by one, by one lcore, through its cache. */
    static Spread singles(int bulk, int cpu, int rounds) throws InterruptedException {
        return OnCore.start(cpu, () -> timed(rounds, bulk, MempoolLoops::singleBatch)).get();
    }

    /** Taken out by one lcore, handed through a ring, given back by another; as on a path. */
    static Spread across(int bulk, int cpu1, int cpu2, int rounds) throws InterruptedException {
        try (Mempool pool = Mempool.create(MempoolConfig.of("bench", COUNT))) {
            Ring ring = Ring.create("bench", 1023, Ring.Sync.SINGLE, Ring.Sync.SINGLE);
            CyclicBarrier barrier = new CyclicBarrier(2);
            OnCore<Spread> taker =
                    OnCore.start(
                            cpu1,
                            () ->
                                    timed(
                                            rounds,
                                            bulk,
                                            pool,
                                            barrier,
                                            (p, burst) -> take(p, ring, burst)));
            OnCore<Spread> giver =
                    OnCore.start(
                            cpu2,
                            () ->
                                    timed(
                                            rounds,
                                            bulk,
                                            pool,
                                            barrier,
                                            (p, burst) -> give(ring, burst)));
            giver.get();
            return taker.get();
        }
    }

    private interface Batch {
        void run(Mempool pool, int[] burst);
    }

    private static Spread timed(int rounds, int bulk, Batch batch) throws Exception {
        try (Mempool pool = Mempool.create(MempoolConfig.of("bench", COUNT))) {
            return timed(rounds, bulk, pool, new CyclicBarrier(1), batch);
        }
    }

    private static Spread timed(
            int rounds, int bulk, Mempool pool, CyclicBarrier barrier, Batch batch)
            throws Exception {
        int[] burst = new int[bulk];
        double[] nanos = new double[rounds];
        for (int round = -rounds; round < rounds; round++) {
            barrier.await();
            long start = System.nanoTime();
            batch.run(pool, burst);
            long end = System.nanoTime();
            if (round >= 0) {
                nanos[round] = (double) (end - start) / BATCH / bulk;
            }
        }
        return Spread.of(nanos);
    }

    private static void bulkBatch(Mempool pool, int[] burst) {
        for (int i = 0; i < BATCH; i++) {
            if (pool.allocRawBulk(burst, 0, burst.length)) {
                Mempool.freeBulk(burst, 0, burst.length);
            }
        }
    }

    private static void singleBatch(Mempool pool, int[] burst) {
        for (int i = 0; i < BATCH; i++) {
            for (int j = 0; j < burst.length; j++) {
                burst[j] = pool.alloc();
            }
            for (int m : burst) {
                Mbuf.free(m);
            }
        }
    }

    private static void take(Mempool pool, Ring ring, int[] burst) {
        for (int i = 0; i < BATCH; i++) {
            while (!pool.allocRawBulk(burst, 0, burst.length)) {
                Thread.onSpinWait();
            }
            while (ring.enqueueBulk(burst, 0, burst.length) == 0) {
                Thread.onSpinWait();
            }
        }
    }

    private static void give(Ring ring, int[] burst) {
        for (int i = 0; i < BATCH; i++) {
            while (ring.dequeueBulk(burst, 0, burst.length) == 0) {
                Thread.onSpinWait();
            }
            Mempool.freeBulk(burst, 0, burst.length);
        }
    }
}
