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

    private TransmitPath() {}

    /**
     * Takes a burst of frames from a guest, each into mbufs of its own that become the caller's.
     * The guest is told by {@link DeviceRing#publish}, which is left to the caller.
     *
     * @param pool where the mbufs come from; when it is empty, frames stay in the ring
     * @param mbufs receives the frames, from index {@code off} on
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
        long bytes = 0;
        while (taken < n) {
            int burst = Math.min(from.fill(), n - taken);
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
            int copied = copyOut(from, pool, mbufs, off + taken, burst, maxFrame, port, counters);
            for (int i = 0; i < copied; i++) {
                bytes += Mbuf.pktLen(mbufs[off + taken + i]);
            }
            taken += copied;
            if (copied < burst && from.waiting() > 0) {
                break;
            }
        }
        if (taken > 0) {
            counters.count(taken, bytes);
        }
        return taken;
    }

    /** Fills fresh mbufs from the window, frees those left over, returns how many are filled. */
    private static int copyOut(
            DeviceRing from,
            Mempool pool,
            int[] mbufs,
            int off,
            int n,
            int maxFrame,
            int port,
            FrameCounters counters) {
        int filled = 0;
        for (int i = 0; i < n; i++) {
            int chain = from.winPos;
            int len = from.bytes[chain];
            if (len < MIN_FRAME || len > maxFrame) {
                counters.drop(
                        len < MIN_FRAME ? DropReason.FRAME_TOO_SHORT : DropReason.FRAME_TOO_LONG,
                        1);
                from.complete(0);
                continue;
            }
            int m = mbufs[off + filled];
            if (!copyFrame(from, m, pool)) {
                break;
            }
            Mbuf.setPort(m, port);
            from.complete(0);
            filled++;
        }
        Mempool.freeBulk(mbufs, off + filled, n - filled);
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
        int buffer = from.firstBuffer[chain];
        if (from.firstBuffer[chain + 1] - buffer == 1 && len <= room) {
            long place = from.places[buffer];
            MemorySegment.copy(
                    from.memory.segment(GuestMemory.rangeOf(place)),
                    GuestMemory.offsetOf(place),
                    Mbuf.segment(m),
                    Mbuf.offset(m),
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
