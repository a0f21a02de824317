package io.grantwire.pmd.hostile;

import static io.grantwire.pmd.virtio.SplitRingLayout.F_INDIRECT;
import static io.grantwire.pmd.virtio.SplitRingLayout.F_NEXT;
import static io.grantwire.pmd.virtio.SplitRingLayout.F_WRITE;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A second thread of a hostile guest: rewrites what lies in shared memory, between good and bad, as
 * fast as it can while the other side reads it. Whoever reads a field twice finds another value the
 * second time (XSA-155, CVE-2020-14375).
 */
public final class FieldFlipper implements AutoCloseable {
    /** How often a field becomes bad: once in so many writes. */
    private static final int WILD = 200;

    private final Thread thread;
    private volatile boolean stop;
    private final AtomicLong flips = new AtomicLong();

    /**
     * Starts flipping.
     *
     * @param tx the ring that the device reads
     * @param rx the ring that the device writes
     * @param pool the memory that buffers are in; its bytes change as well
     * @param va where the pool begins, in the guest's terms
     */
    public FieldFlipper(RawRing tx, RawRing rx, MemorySegment pool, long va, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        thread =
                Thread.ofPlatform()
                        .name("flipper")
                        .daemon()
                        .start(() -> {
                            while (!stop) {
                                flip(tx, rx, pool, va, random);
                                flips.incrementAndGet();
                            }
                        });
    }

    private static void flip(
            RawRing tx, RawRing rx, MemorySegment pool, long va, SplittableRandom random) {
        int i = random.nextInt(256);
        boolean wild = random.nextInt(WILD) == 0;
        long good = va + random.nextInt((int) (pool.byteSize() / 4096)) * 4096L;
        int what = random.nextInt(4);
        int flags = wild && what == 0 ? F_INDIRECT : random.nextInt(8) == 0 ? F_NEXT : 0;
        int next = wild && what == 1 ? random.nextInt(65536) : i + 1 & 255;
        long address = wild && what == 2 ? random.nextLong() : good;
        int length = wild && what == 3 ? random.nextInt() : 700 + random.nextInt(2000);
        tx.desc(i, address, length, flags, next);
        rx.desc(i, good, wild ? random.nextInt() : 2058, F_WRITE | flags & F_NEXT, next);
        tx.offer(i);
        rx.offer(random.nextInt(256));
        pool.set(ValueLayout.JAVA_BYTE, random.nextLong(pool.byteSize()), (byte) random.nextInt());
    }

    /** How often it has rewritten something. */
    public long flips() {
        return flips.get();
    }

    /** Ends the thread. */
    @Override
    public void close() {
        stop = true;
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
