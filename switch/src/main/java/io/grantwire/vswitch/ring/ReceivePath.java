package io.grantwire.vswitch.ring;

import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.vswitch.count.DropReason;
import io.grantwire.vswitch.count.FrameCounters;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Frames in mbufs into a guest's receive ring: a zeroed header and the frame per chain, as
 * docs/protocol.md describes.
 */
public final class ReceivePath {
    private static final MemorySegment ALL = DeviceRing.ALL;
    private static final int HEADER = DeviceRing.HEADER;
    private static final int HEAD_MASK = DeviceRing.CHAIN_HEAD_MASK;
    private static final int BYTES_SHIFT = DeviceRing.CHAIN_BYTES_SHIFT;
    private static final int BYTES_MASK = DeviceRing.CHAIN_BYTES_MASK;
    private static final int BUFFERS_SHIFT = DeviceRing.CHAIN_BUFFERS_SHIFT;
    private static final MemorySegment ZERO_HEADER = Arena.global().allocate(HEADER).asReadOnly();

    private ReceivePath() {}

    /**
     * Copies a burst of frames to a guest. The mbufs stay the caller's. The guest is told by {@link
     * DeviceRing#publish}, which is left to the caller.
     *
     * @param mbufs the frames, from index {@code off} on
     * @param counters what was delivered is counted here, and frames dropped since they are longer
     *     than the guest's buffer
     * @return how many frames are dealt with, always a prefix; fewer than {@code n} when the guest
     *     has no more buffers
     */
    public static int enqueue(DeviceRing to, int[] mbufs, int off, int n, FrameCounters counters) {
        int done = 0;
        int delivered = 0;
        int tooLong = 0;
        long bytes = 0;
        MemorySegment pool = null;
        long poolAddress = 0;
        while (done < n && to.fill() > 0) {
            long[] window = to.window;
            long usedRing = to.usedRing;
            int mask = to.mask;
            int used = to.used;
            int chain = to.winPos;
            int end = to.winEnd;
            for (; done < n && chain < end; done++) {
                int m = mbufs[off + done];
                int len = Mbuf.pktLen(m);
                long what = window[2 * chain + 1];
                if (len > ((int) (what >>> BYTES_SHIFT) & BYTES_MASK)) {
                    tooLong++;
                    continue;
                }
                if (what >>> BUFFERS_SHIFT == 1 && Mbuf.nbSegs(m) == 1) {
                    MemorySegment source = Mbuf.segment(m);
                    if (source != pool) {
                        pool = source;
                        poolAddress = source.address();
                    }
                    long at = window[2 * chain];
                    DeviceRing.clearHeader(at);
                    MemorySegment.copy(
                            ALL, poolAddress + Mbuf.offset(m), ALL, at + HEADER, (long) len);
                } else {
                    scatter(to, chain, m);
                }
                DeviceRing.use(
                        usedRing + ((long) (used & mask) << 3),
                        (long) (len + HEADER) << 32 | what & HEAD_MASK);
                used++;
                chain++;
                delivered++;
                bytes += len;
            }
            to.used = used;
            to.winPos = chain;
        }
        if (delivered > 0) {
            counters.count(delivered, bytes);
        }
        if (tooLong > 0) {
            counters.drop(DropReason.BUFFER_TOO_SMALL, tooLong);
        }
        return done;
    }

    /** Header and frame into a chain of several buffers, from one mbuf or several. */
    private static void scatter(DeviceRing to, int chain, int m) {
        to.write(chain, 0, ZERO_HEADER, 0, HEADER);
        int at = HEADER;
        for (int s = m; s != 0; s = Mbuf.next(s)) {
            int len = Mbuf.dataLen(s);
            to.write(chain, at, Mbuf.segment(s), Mbuf.offset(s), len);
            at += len;
        }
    }
}
