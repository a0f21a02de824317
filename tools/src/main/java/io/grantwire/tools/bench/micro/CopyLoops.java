package io.grantwire.tools.bench.micro;

import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import io.grantwire.tools.bench.Spread;
import java.lang.foreign.MemorySegment;

/** What the copy of one frame costs, from a buffer of one pool into one of another; nanoseconds. */
final class CopyLoops {
    private static final int BUFFERS = 1024;
    private static final int BATCH = 1 << 19;

    private CopyLoops() {}

    /** Between the same two buffers over and over: the instructions alone. */
    static Spread near(int size, int cpu, int rounds) throws InterruptedException {
        return run(size, cpu, rounds, 1);
    }

    /** From a few buffers into as many as a ring has, in turn. */
    static Spread ring(int size, int cpu, int rounds) throws InterruptedException {
        return run(size, cpu, rounds, 256);
    }

    private static Spread run(int size, int cpu, int rounds, int targets)
            throws InterruptedException {
        try (Mempool from = Mempool.create(MempoolConfig.of("from", BUFFERS));
                Mempool to = Mempool.create(MempoolConfig.of("to", BUFFERS))) {
            int[] sources = new int[32];
            int[] sinks = new int[targets];
            from.allocBulk(sources, 0, sources.length);
            to.allocBulk(sinks, 0, sinks.length);
            try {
                return OnCore.start(cpu, () -> timed(sources, sinks, size, rounds)).get();
            } finally {
                Mempool.freeBulk(sources, 0, sources.length);
                Mempool.freeBulk(sinks, 0, sinks.length);
            }
        }
    }

    private static Spread timed(int[] sources, int[] sinks, int size, int rounds) {
        double[] nanos = new double[rounds];
        for (int round = -rounds; round < rounds; round++) {
            long start = System.nanoTime();
            copies(sources, sinks, size);
            long end = System.nanoTime();
            if (round >= 0) {
                nanos[round] = (double) (end - start) / BATCH;
            }
        }
        return Spread.of(nanos);
    }

    private static void copies(int[] sources, int[] sinks, int size) {
        int sink = 0;
        for (int i = 0; i < BATCH; i++) {
            int m = sources[i & 31];
            int n = sinks[sink];
            sink = sink + 1 == sinks.length ? 0 : sink + 1;
            MemorySegment.copy(
                    Mbuf.segment(m), Mbuf.offset(m), Mbuf.segment(n), Mbuf.offset(n), size);
        }
    }
}
