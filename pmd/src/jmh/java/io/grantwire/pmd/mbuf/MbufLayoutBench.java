package io.grantwire.pmd.mbuf;

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

/**
 * What the representation of mbuf metadata costs per packet: the same work (take 32 handles from a
 * stack, fill in what a receiving driver fills in, let {@code inFlight} frames pass in between,
 * read what a transmitting driver reads, check and free) over metadata packed into longs, packed
 * into ints, and spread over one array per field; the arrays found by a table of pools or in a pool
 * object. All variants share the stack and the queue, which cost the same.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 10, time = 100, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 30, time = 100, timeUnit = TimeUnit.MILLISECONDS)
@Fork(1)
public class MbufLayoutBench {
    static final int BURST = 32;
    static final int COUNT = 16_384;
    static final int MASK = 0xFF_FFFF;
    static final int ELEMENT = 2176;
    static final long SINGLE = 1L << 16 | 1;

    /** Metadata as static tables by pool slot. */
    static final long[][] LONGS = new long[256][];

    static final int[][] INTS = new int[256][];
    static final int[][] DATA_OFF = new int[256][];
    static final int[][] DATA_LEN = new int[256][];
    static final int[][] PKT_LEN = new int[256][];
    static final int[][] NEXT = new int[256][];
    static final int[][] NB_SEGS = new int[256][];
    static final int[][] REFCNT = new int[256][];
    static final int[][] PORT = new int[256][];
    static final int[][] FLAGS = new int[256][];
    static final Pool[] POOLS = new Pool[256];

    /** Metadata in an object per pool. */
    static final class Pool {
        final long[] longs = new long[COUNT + 1 << 2];
    }

    @Param({"0", "256", "4096"})
    int inFlight;

    private int[] stack;
    private int depth;
    private int[] queue;
    private int head;
    private int tail;
    private final int[] burst = new int[BURST];

    /** Fills the stack and lets the queue run up to its depth. */
    @Setup
    public void setUp() {
        int slot = 3;
        LONGS[slot] = new long[COUNT + 1 << 2];
        INTS[slot] = new int[COUNT + 1 << 3];
        DATA_OFF[slot] = new int[COUNT + 1];
        DATA_LEN[slot] = new int[COUNT + 1];
        PKT_LEN[slot] = new int[COUNT + 1];
        NEXT[slot] = new int[COUNT + 1];
        NB_SEGS[slot] = new int[COUNT + 1];
        REFCNT[slot] = new int[COUNT + 1];
        PORT[slot] = new int[COUNT + 1];
        FLAGS[slot] = new int[COUNT + 1];
        POOLS[slot] = new Pool();
        stack = new int[COUNT];
        for (int i = 0; i < COUNT; i++) {
            stack[i] = slot << 24 | i + 1;
            LONGS[slot][(i + 1 << 2) + 3] = (long) i * ELEMENT >>> 6;
            INTS[slot][(i + 1 << 3) + 7] = i * ELEMENT >>> 6;
            POOLS[slot].longs[(i + 1 << 2) + 3] = (long) i * ELEMENT >>> 6;
        }
        depth = COUNT;
        queue = new int[8192];
        for (int i = 0; i < inFlight; i += BURST) {
            take();
            for (int k = 0; k < BURST; k++) {
                int m = burst[k];
                LONGS[slot][(m & MASK) << 2] = SINGLE;
                POOLS[slot].longs[(m & MASK) << 2] = SINGLE;
                INTS[slot][(m & MASK) << 3] = 1 << 16 | 1;
                REFCNT[slot][m & MASK] = 1;
                NB_SEGS[slot][m & MASK] = 1;
            }
            push();
        }
    }

    private void take() {
        int d = depth - BURST;
        System.arraycopy(stack, d, burst, 0, BURST);
        depth = d;
    }

    private void push() {
        System.arraycopy(burst, 0, queue, tail & 8191, BURST);
        tail += BURST;
    }

    private void pop() {
        System.arraycopy(queue, head & 8191, burst, 0, BURST);
        head += BURST;
    }

    /** Four longs an mbuf in a table by slot. */
    @Benchmark
    @OperationsPerInvocation(BURST)
    public long packedLongs() {
        take();
        int[] b = burst;
        for (int i = 0; i < BURST; i++) {
            long[] meta = LONGS[b[i] >>> 24];
            int at = (b[i] & MASK) << 2;
            meta[at] = SINGLE;
            meta[at + 1] = 64L << 32 | 64 << 16 | 128;
            meta[at + 2] = 7;
        }
        push();
        pop();
        long sum = 0;
        for (int i = 0; i < BURST; i++) {
            long[] meta = LONGS[b[i] >>> 24];
            int at = (b[i] & MASK) << 2;
            long g = meta[at + 1];
            sum += (g >>> 32) + ((meta[at + 3] & 0xFFFF_FFFFL) << 6) + (g & 0xFFFF);
        }
        int d = depth;
        for (int i = 0; i < BURST; i++) {
            int m = b[i];
            long[] meta = LONGS[m >>> 24];
            int at = (m & MASK) << 2;
            if (at < meta.length && meta[at] == SINGLE) {
                meta[at] = 0;
                stack[d++] = m;
            }
        }
        depth = d;
        return sum;
    }

    /** Four longs an mbuf, found through the pool object. */
    @Benchmark
    @OperationsPerInvocation(BURST)
    public long packedLongsInPool() {
        take();
        int[] b = burst;
        for (int i = 0; i < BURST; i++) {
            long[] meta = POOLS[b[i] >>> 24].longs;
            int at = (b[i] & MASK) << 2;
            meta[at] = SINGLE;
            meta[at + 1] = 64L << 32 | 64 << 16 | 128;
            meta[at + 2] = 7;
        }
        push();
        pop();
        long sum = 0;
        for (int i = 0; i < BURST; i++) {
            long[] meta = POOLS[b[i] >>> 24].longs;
            int at = (b[i] & MASK) << 2;
            long g = meta[at + 1];
            sum += (g >>> 32) + ((meta[at + 3] & 0xFFFF_FFFFL) << 6) + (g & 0xFFFF);
        }
        int d = depth;
        for (int i = 0; i < BURST; i++) {
            int m = b[i];
            Pool pool = POOLS[m >>> 24];
            if (pool == null) {
                continue;
            }
            long[] meta = pool.longs;
            int at = (m & MASK) << 2;
            if (at < meta.length && meta[at] == SINGLE) {
                meta[at] = 0;
                stack[d++] = m;
            }
        }
        depth = d;
        return sum;
    }

    /** Eight ints an mbuf: state, next, lengths, offset, flags, port and tci, buffer. */
    @Benchmark
    @OperationsPerInvocation(BURST)
    public long packedInts() {
        take();
        int[] b = burst;
        for (int i = 0; i < BURST; i++) {
            int[] meta = INTS[b[i] >>> 24];
            int at = (b[i] & MASK) << 3;
            meta[at] = 1 << 16 | 1;
            meta[at + 1] = 0;
            meta[at + 2] = 64;
            meta[at + 3] = 64 << 16 | 128;
            meta[at + 4] = 0;
            meta[at + 5] = 7;
        }
        push();
        pop();
        long sum = 0;
        for (int i = 0; i < BURST; i++) {
            int[] meta = INTS[b[i] >>> 24];
            int at = (b[i] & MASK) << 3;
            sum += meta[at + 2] + ((meta[at + 7] & 0xFFFF_FFFFL) << 6) + (meta[at + 3] & 0xFFFF);
        }
        int d = depth;
        for (int i = 0; i < BURST; i++) {
            int m = b[i];
            int[] meta = INTS[m >>> 24];
            int at = (m & MASK) << 3;
            if (at + 1 < meta.length && meta[at] == (1 << 16 | 1) && meta[at + 1] == 0) {
                meta[at] = 0;
                stack[d++] = m;
            }
        }
        depth = d;
        return sum;
    }

    /** One int array per field. */
    @Benchmark
    @OperationsPerInvocation(BURST)
    public long arrayPerField() {
        take();
        int[] b = burst;
        for (int i = 0; i < BURST; i++) {
            int slot = b[i] >>> 24;
            int at = b[i] & MASK;
            REFCNT[slot][at] = 1;
            NB_SEGS[slot][at] = 1;
            NEXT[slot][at] = 0;
            DATA_OFF[slot][at] = 128;
            DATA_LEN[slot][at] = 64;
            PKT_LEN[slot][at] = 64;
            PORT[slot][at] = 7;
            FLAGS[slot][at] = 0;
        }
        push();
        pop();
        long sum = 0;
        for (int i = 0; i < BURST; i++) {
            int slot = b[i] >>> 24;
            int at = b[i] & MASK;
            sum += PKT_LEN[slot][at] + (long) (at - 1) * ELEMENT + DATA_OFF[slot][at];
        }
        int d = depth;
        for (int i = 0; i < BURST; i++) {
            int m = b[i];
            int slot = m >>> 24;
            int at = m & MASK;
            int[] refcnt = REFCNT[slot];
            if (at < refcnt.length
                    && refcnt[at] == 1
                    && NB_SEGS[slot][at] == 1
                    && NEXT[slot][at] == 0) {
                refcnt[at] = 0;
                stack[d++] = m;
            }
        }
        depth = d;
        return sum;
    }
}
