package io.grantwire.pmd.ring;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** One enqueue and one dequeue of a bulk by one thread, as in DPDK's ring_perf_autotest. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 10, time = 100, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 30, time = 100, timeUnit = TimeUnit.MILLISECONDS)
@Fork(1)
public class RingBench {
    @Param({"SINGLE", "MULTI", "HTS"})
    Ring.Sync sync;

    @Param({"8", "32", "64"})
    int bulk;

    private Ring ring;
    private int[] in;
    private int[] out;

    /** Makes the ring. */
    @org.openjdk.jmh.annotations.Setup
    public void setUp() {
        ring = Ring.create("bench", 4096, sync, sync);
        in = new int[bulk];
        out = new int[bulk];
        for (int i = 0; i < bulk; i++) {
            in[i] = i + 1;
        }
    }

    /** The pair. */
    @Benchmark
    public int pair() {
        return ring.enqueueBulk(in, 0, bulk) + ring.dequeueBulk(out, 0, bulk);
    }
}
