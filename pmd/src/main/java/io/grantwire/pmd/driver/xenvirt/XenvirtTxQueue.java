package io.grantwire.pmd.driver.xenvirt;

import io.grantwire.pmd.driver.FrameCopy;
import io.grantwire.pmd.ethdev.QueueCounters;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.EtherHeader;
import io.grantwire.pmd.virtio.SplitRingDriver;
import io.grantwire.pmd.xenvirt.FlagPage;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The transmit queue: one header and one data descriptor per frame, completed frames reclaimed at
 * the start of each burst.
 *
 * <p>A frame of several segments, one with a tag to insert, or one from a pool that is not granted
 * is copied into a granted buffer. What fits none, or is no frame, is freed and counted as an
 * error.
 *
 * <p>One polling thread at a time; control methods only while nobody polls.
 */
final class XenvirtTxQueue {
    /** Longest frame that an original back end has room for. */
    static final int ORIGINAL_MAX_FRAME = 2048;

    private static final VarHandle RECLAIMED = handle("reclaimed");
    private static final VarHandle COPIED = handle("copied");

    private final XenvirtContext context;
    private final SplitRingDriver ring;
    private final QueueCounters counters;
    private final int[] done;
    private final int[] staged;
    private final long[] addresses;
    private final int[] lengths;

    /** Where copies go; null when there is no granted pool. */
    private Mempool bounce;

    /** Set when the device is started; where the back end says that it is one of ours. */
    private MemorySegment flagPage = MemorySegment.NULL;

    /** The pool memory seen last, and its address when it is granted. */
    private MemorySegment lastSegment = MemorySegment.NULL;

    private boolean lastGranted;

    private long reclaimed;
    private long copied;

    private static VarHandle handle(String field) {
        try {
            return MethodHandles.lookup().findVarHandle(XenvirtTxQueue.class, field, long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    XenvirtTxQueue(XenvirtContext context, SplitRingDriver ring, QueueCounters counters) {
        this.context = context;
        this.ring = ring;
        this.counters = counters;
        int n = ring.capacity();
        this.done = new int[n];
        this.staged = new int[n];
        this.addresses = new long[n];
        this.lengths = new int[n];
    }

    /** Before polling starts: what the device knows by then. */
    void prepare(Mempool bouncePool, MemorySegment flag) {
        bounce = bouncePool;
        flagPage = flag;
        lastSegment = MemorySegment.NULL;
        lastGranted = false;
    }

    /** Frames that the back end has completed. */
    long reclaimed() {
        return (long) RECLAIMED.getOpaque(this);
    }

    /** Frames that were copied into a granted buffer first. */
    long copied() {
        return (long) COPIED.getOpaque(this);
    }

    int burst(int[] mbufs, int offset, int count) {
        int room = ring.free();
        if (room < count) {
            reclaim();
            room = ring.free();
        }
        int accepted = 0;
        int n = 0;
        int bad = 0;
        long bytes = 0;
        while (accepted < count && n < room) {
            int m = mbufs[offset + accepted++];
            int len = Mbuf.dataLen(m);
            MemorySegment segment = Mbuf.segment(m);
            if (!plain(m, segment, len)) {
                m = copy(m);
                if (m == 0) {
                    bad++;
                    continue;
                }
                len = Mbuf.dataLen(m);
                segment = Mbuf.segment(m);
            }
            staged[n] = m;
            addresses[n] = segment.address() + Mbuf.offset(m);
            lengths[n++] = len;
            bytes += len;
        }
        if (n > 0) {
            // All of them fit: room was looked at, and this thread alone fills the ring.
            ring.postTransmit(staged, addresses, lengths, n);
            counters.add(n, bytes);
        }
        if (bad > 0) {
            counters.addErrors(bad);
        }
        // At the end, so that the caller's next frames, whose buffers are usually those that were
        // freed last, get the very descriptors that these come from.
        reclaim();
        return accepted;
    }

    /** Frees the frames that the back end has completed. */
    private void reclaim() {
        int n = ring.take(done, 0, null, done.length);
        if (n > 0) {
            Mempool.freeBulk(done, 0, n);
            RECLAIMED.setOpaque(this, reclaimed + n);
        }
    }

    /** Whether a frame can be posted as it is. */
    private boolean plain(int m, MemorySegment segment, int len) {
        if (segment != lastSegment) {
            lastSegment = segment;
            lastGranted = context.covers(segment);
        }
        return lastGranted
                && Mbuf.nbSegs(m) == 1
                && len >= EtherHeader.LENGTH
                && (len <= ORIGINAL_MAX_FRAME || FlagPage.isAttached(flagPage))
                && (Mbuf.olFlags(m) & Mbuf.TX_VLAN) == 0;
    }

    /**
     * Copies a frame into one granted buffer, with its VLAN tag inserted if it asks for that.
     *
     * @return the copy, or 0 when there is none; the frame is freed in both cases
     */
    private int copy(int m) {
        int len = FrameCopy.length(m);
        Mempool pool = bounce;
        int copy = 0;
        if (pool != null
                && Mbuf.pktLen(m) >= EtherHeader.LENGTH
                && len <= pool.dataRoom()
                && (len <= ORIGINAL_MAX_FRAME || FlagPage.isAttached(flagPage))) {
            copy = pool.alloc();
        }
        if (copy != 0) {
            FrameCopy.copy(m, pool.segment(), Mbuf.offset(copy));
            Mbuf.setLen(copy, len);
            COPIED.setOpaque(this, copied + 1);
        }
        Mbuf.free(m);
        return copy;
    }
}
