package io.grantwire.tools.bench.micro;

import io.grantwire.pmd.ring.Ring;
import io.grantwire.tools.bench.Spread;
import io.grantwire.tools.cli.CommandFailure;
import java.util.concurrent.CyclicBarrier;

/**
 * What DPDK's {@code ring_perf_autotest} does, with our ring: pairs of enqueue and dequeue on one
 * core, and a producer and a consumer on two, whose times per element are added.
 */
final class RingLoops {
    private static final int CAPACITY = 4095;
    private static final int BATCH = 1 << 18;

    private RingLoops() {}

    /** Nanoseconds of an enqueue and a dequeue of {@code bulk} elements. */
    static Spread oneCore(Ring.Sync sync, int bulk, int cpu, int rounds)
            throws InterruptedException {
        return OnCore.start(cpu, () -> pairs(sync, bulk, rounds)).get();
    }

    private static Spread pairs(Ring.Sync sync, int bulk, int rounds) {
        Ring ring = Ring.create("bench", CAPACITY, sync, sync);
        int[] burst = elements(bulk);
        double[] nanos = new double[rounds];
        for (int round = -rounds; round < rounds; round++) {
            long start = System.nanoTime();
            int moved = pairs(ring, burst);
            long end = System.nanoTime();
            if (moved != BATCH * bulk) {
                throw new CommandFailure("the ring lost elements");
            }
            if (round >= 0) {
                nanos[round] = (double) (end - start) / BATCH;
            }
        }
        return Spread.of(nanos);
    }

    private static int pairs(Ring ring, int[] burst) {
        int moved = 0;
        for (int i = 0; i < BATCH; i++) {
            ring.enqueueBulk(burst, 0, burst.length);
            moved += ring.dequeueBulk(burst, 0, burst.length);
        }
        return moved;
    }

    /** Nanoseconds per element, the producer's and the consumer's added. */
    static Spread twoCores(Ring.Sync sync, int bulk, int cpu1, int cpu2, int rounds)
            throws InterruptedException {
        Ring ring = Ring.create("bench", CAPACITY, sync, sync);
        CyclicBarrier barrier = new CyclicBarrier(2);
        OnCore<double[]> producer =
                OnCore.start(cpu1, () -> rounds(() -> produce(ring, bulk), rounds, bulk, barrier));
        double[] consumed =
                OnCore.start(cpu2, () -> rounds(() -> consume(ring, bulk), rounds, bulk, barrier))
                        .get();
        double[] sum = producer.get();
        for (int i = 0; i < rounds; i++) {
            sum[i] += consumed[i];
        }
        return Spread.of(sum);
    }

    private static double[] rounds(Runnable batch, int rounds, int bulk, CyclicBarrier barrier)
            throws Exception {
        double[] nanos = new double[rounds];
        for (int round = -rounds; round < rounds; round++) {
            barrier.await();
            long start = System.nanoTime();
            batch.run();
            long end = System.nanoTime();
            if (round >= 0) {
                nanos[round] = (double) (end - start) / BATCH / bulk;
            }
        }
        return nanos;
    }

    private static void produce(Ring ring, int bulk) {
        int[] burst = elements(bulk);
        for (int i = 0; i < BATCH; i++) {
            while (ring.enqueueBulk(burst, 0, burst.length) == 0) {
                Thread.onSpinWait();
            }
        }
    }

    private static void consume(Ring ring, int bulk) {
        int[] burst = new int[bulk];
        for (int i = 0; i < BATCH; i++) {
            while (ring.dequeueBulk(burst, 0, burst.length) == 0) {
                Thread.onSpinWait();
            }
        }
    }

    private static int[] elements(int n) {
        int[] elements = new int[n];
        for (int i = 0; i < n; i++) {
            elements[i] = i + 1;
        }
        return elements;
    }
}
