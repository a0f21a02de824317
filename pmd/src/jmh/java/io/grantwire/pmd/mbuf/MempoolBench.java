package io.grantwire.pmd.mbuf;

import io.grantwire.pmd.lcore.Lcore;
import io.grantwire.pmd.ring.Ring;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What allocation, metadata and free cost per packet on one lcore. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 10, time = 100, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 30, time = 100, timeUnit = TimeUnit.MILLISECONDS)
@Fork(
        value = 1,
        jvmArgsAppend = {
            "-Djmh.executor=CUSTOM",
            "-Djmh.executor.class=io.grantwire.pmd.lcore.LcoreExecutor"
        })
public class MempoolBench {
    static final int BURST = 32;

    /** Frames on their way between allocation and free, as in a device's ring. */
    @Param({"0", "256"})
    int inFlight;

    private Mempool pool;
    private Ring queue;
    private final int[] burst = new int[BURST];

    /** Makes the pool and lets the queue run up to its depth. */
    @Setup
    public void setUp() {
        if (Lcore.currentId() < 0) {
            throw new IllegalStateException("run with the lcore executor");
        }
        pool = Mempool.create(MempoolConfig.of("bench", 16_383));
        queue = Ring.create("bench", 1024, Ring.Sync.SINGLE, Ring.Sync.SINGLE);
        for (int i = 0; i < inFlight; i += BURST) {
            pool.allocBulk(burst, 0, BURST);
            queue.enqueueBulk(burst, 0, BURST);
        }
    }

    /** Takes a burst and gives it back. */
    @Benchmark
    @OperationsPerInvocation(BURST)
    public int rawAllocFree() {
        pool.allocRawBulk(burst, 0, BURST);
        Mempool.freeBulk(burst, 0, BURST);
        return burst[0];
    }

    /** The same one by one. */
    @Benchmark
    @OperationsPerInvocation(BURST)
    public int singleAllocFree() {
        for (int i = 0; i < BURST; i++) {
            burst[i] = pool.alloc();
        }
        for (int i = 0; i < BURST; i++) {
            Mbuf.free(burst[i]);
        }
        return burst[0];
    }

    /** What a receiving and a transmitting driver do with the metadata of each frame. */
    @Benchmark
    @OperationsPerInvocation(BURST)
    public long receiveTransmit() {
        int[] b = burst;
        pool.allocRawBulk(b, 0, BURST);
        for (int i = 0; i < BURST; i++) {
            Mbuf.init(b[i], 64, 7);
        }
        queue.enqueueBulk(b, 0, BURST);
        queue.dequeueBulk(b, 0, BURST);
        long sum = 0;
        for (int i = 0; i < BURST; i++) {
            int m = b[i];
            sum += Mbuf.offset(m) + Mbuf.pktLen(m) + Mbuf.nbSegs(m);
        }
        Mempool.freeBulk(b, 0, BURST);
        return sum;
    }
}
