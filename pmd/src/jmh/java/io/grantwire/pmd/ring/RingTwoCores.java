package io.grantwire.pmd.ring;

import io.grantwire.bindings.CpuAffinity;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;

/**
 * What an element costs from one core to another, bulk by bulk, as ring_perf_autotest of DPDK
 * measures it: the time of the enqueuing side and of the dequeuing side, added. Arguments: elements
 * in a bulk, rounds. Prints the least and the median of the rounds in nanoseconds.
 */
public final class RingTwoCores {
    private static final int BULKS = 300_000;

    private RingTwoCores() {}

    /** Measures. */
    public static void main(String[] args) throws InterruptedException {
        int bulk = args.length > 0 ? Integer.parseInt(args[0]) : 32;
        int rounds = args.length > 1 ? Integer.parseInt(args[1]) : 60;
        for (Ring.Sync sync : Ring.Sync.values()) {
            Ring ring = Ring.create("bench", 4096, sync, sync);
            double[] perElement = new double[rounds];
            for (int i = 0; i < rounds; i++) {
                perElement[i] = round(ring, bulk);
            }
            Arrays.sort(perElement);
            System.out.printf(
                    "%-6s bulk %d: min %.2f median %.2f ns per element%n",
                    sync, bulk, perElement[0], perElement[rounds / 2]);
        }
    }

    private static double round(Ring ring, int bulk) throws InterruptedException {
        int[] cpus = CpuAffinity.allowed();
        CountDownLatch ready = new CountDownLatch(2);
        long[] nanos = new long[2];
        Thread producer = new Thread(() -> nanos[0] = run(cpus[0], ready, () -> fill(ring, bulk)));
        Thread consumer =
                new Thread(() ->
                        nanos[1] = run(cpus[cpus.length - 1], ready, () -> drain(ring, bulk)));
        producer.start();
        consumer.start();
        producer.join();
        consumer.join();
        return (nanos[0] + nanos[1]) / (double) BULKS / bulk;
    }

    private static long run(int cpu, CountDownLatch ready, Runnable body) {
        CpuAffinity.pinCurrentThread(cpu);
        ready.countDown();
        while (ready.getCount() > 0) {
            Thread.onSpinWait();
        }
        long start = System.nanoTime();
        body.run();
        return System.nanoTime() - start;
    }

    private static void fill(Ring ring, int bulk) {
        int[] a = new int[bulk];
        Arrays.setAll(a, i -> i + 1);
        for (int i = 0; i < BULKS; i++) {
            while (ring.enqueueBulk(a, 0, bulk) == 0) {
                Thread.onSpinWait();
            }
        }
    }

    private static void drain(Ring ring, int bulk) {
        int[] a = new int[bulk];
        for (int i = 0; i < BULKS; i++) {
            while (ring.dequeueBulk(a, 0, bulk) == 0) {
                Thread.onSpinWait();
            }
        }
    }
}
