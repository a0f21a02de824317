package io.grantwire.vswitch.ring;

import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.vswitch.count.DropReason;
import io.grantwire.vswitch.count.FrameCounters;
import java.lang.foreign.MemorySegment;

/**
 * Frames out of a guest's transmit ring, into mbufs. What is parsed later is the copy, which the
 * guest cannot change any more.
 */
public final class TransmitPath {
    /** Shortest frame carried: an Ethernet header. */
    public static final int MIN_FRAME = 14;

    private static final MemorySegment ALL = DeviceRing.ALL;
    private static final int HEAD_MASK = DeviceRing.CHAIN_HEAD_MASK;
    private static final int BYTES_SHIFT = DeviceRing.CHAIN_BYTES_SHIFT;
    private static final int BYTES_MASK = DeviceRing.CHAIN_BYTES_MASK;
    private static final int BUFFERS_SHIFT = DeviceRing.CHAIN_BUFFERS_SHIFT;

    private TransmitPath() {}

    /**
     * Takes a burst of frames from a guest, each into mbufs of its own that become the caller's.
     * The guest is told by {@link DeviceRing#publish}, which is left to the caller.
     *
     * @param pool where the mbufs come from; when it is empty, frames stay in the ring
     * @param mbufs receives the frames, from index {@code off} on
     * @param n most chains looked at, those dropped included
     * @param maxFrame longest frame carried
     * @param port what {@link Mbuf#port} of the frames becomes
     * @param counters counts the frames, and those dropped for their length
     * @return how many frames
     */
    public static int dequeue(
            DeviceRing from,
            Mempool pool,
            int[] mbufs,
            int off,
            int n,
            int maxFrame,
            int port,
            FrameCounters counters) {
        int taken = 0;
        // What is dropped counts as well: a guest that offers runts as fast as they are dropped
        // would otherwise keep this thread here for ever (XSA-39).
        int left = n;
        while (left > 0) {
            int burst = Math.min(from.fill(), left);
            if (burst == 0) {
                break;
            }
            if (!pool.allocBulk(mbufs, off + taken, burst)) {
                // The last few one by one, so that a nearly empty pool does not stop everything.
                burst = 1;
                if (!pool.allocBulk(mbufs, off + taken, burst)) {
                    break;
                }
            }
            int filled = copyOut(from, pool, mbufs, off + taken, burst, maxFrame, port, counters);
            taken += filled;
            left -= burst;
            if (filled < burst) {
                Mempool.freeBulk(mbufs, off + taken, burst - filled);
                if (from.waiting() > 0) {
                    break;
                }
            }
        }
        return taken;
    }

    /** Fills fresh mbufs from as many chains of the window; returns how many are filled. */
    private static int copyOut(
            DeviceRing from,
            Mempool pool,
            int[] mbufs,
            int off,
            int n,
            int maxFrame,
            int port,
            FrameCounters counters) {
        from.touch(n);
        long[] window = from.window;
        long usedRing = from.usedRing;
        int mask = from.mask;
        int chain = from.winPos;
        int used = from.used;
        long buffers = pool.segment().address() + Mempool.HEADROOM;
        int most = Math.min(maxFrame, pool.dataRoom());
        int filled = 0;
        long bytes = 0;
        for (int i = 0; i < n; i++) {
            int m = mbufs[off + filled];
            long what = window[2 * chain + 1];
            int len = (int) (what >>> BYTES_SHIFT) & BYTES_MASK;
            if (what >>> BUFFERS_SHIFT == 1 && len >= MIN_FRAME && len <= most) {
                long to = buffers + Mbuf.bufferOffset(m);
                MemorySegment.copy(ALL, window[2 * chain], ALL, to, (long) len);
                Mbuf.init(m, len, port);
                DeviceRing.use(usedRing + ((long) (used & mask) << 3), what & HEAD_MASK);
                chain++;
                used++;
                filled++;
                bytes += len;
                continue;
            }
            from.winPos = chain;
            from.used = used;
            if (len < MIN_FRAME || len > maxFrame) {
                counters.drop(
                        len < MIN_FRAME ? DropReason.FRAME_TOO_SHORT : DropReason.FRAME_TOO_LONG,
                        1);
            } else if (copyFrame(from, m, pool)) {
                Mbuf.setPort(m, port);
                filled++;
                bytes += len;
            } else {
                break;
            }
            from.complete(0);
            chain = from.winPos;
            used = from.used;
        }
        from.winPos = chain;
        from.used = used;
        if (filled > 0) {
            counters.count(filled, bytes);
        }
        return filled;
    }

    /**
     * Copies the window's first frame into a fresh mbuf, adding more to it when one is too small.
     * The chain is not completed.
     *
     * @param m an mbuf fresh from {@code pool}
     * @return false when the pool had too few mbufs; {@code m} is then empty as before
     */
    public static boolean copyFrame(DeviceRing from, int m, Mempool pool) {
        int len = from.frameBytes();
        int room = pool.dataRoom();
        int chain = from.winPos;
        if (from.buffers(chain) == 1 && len <= room) {
            MemorySegment.copy(
                    ALL,
                    from.window[2 * chain],
                    ALL,
                    Mbuf.segment(m).address() + Mbuf.offset(m),
                    (long) len);
            Mbuf.setLen(m, len);
            return true;
        }
        return copyPieces(from, m, pool, len, room);
    }

    private static boolean copyPieces(DeviceRing from, int m, Mempool pool, int len, int room) {
        int last = m;
        int segments = 1;
        int at = 0;
        while (true) {
            int n = Math.min(len - at, room);
            from.read(at, Mbuf.segment(last), Mbuf.offset(last), n);
            Mbuf.setDataLen(last, n);
            at += n;
            if (at == len) {
                break;
            }
            int next = pool.alloc();
            if (next == 0) {
                Mbuf.free(Mbuf.next(m));
                Mbuf.reset(m);
                return false;
            }
            Mbuf.setNext(last, next);
            last = next;
            segments++;
        }
        Mbuf.setNbSegs(m, segments);
        Mbuf.setPktLen(m, len);
        return true;
    }
}
