package io.grantwire.vswitch.forward;

import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.net.VlanTag;
import io.grantwire.vswitch.count.DropReason;
import io.grantwire.vswitch.count.FrameCounters;

/** One worker's transmit queue of an uplink, with the frames that wait for the next flush. */
final class UplinkQueue {
    /** Frames that may wait. */
    static final int ROOM = 2 * FrameSource.BURST;

    private final Uplink uplink;
    private final int queue;
    private final boolean multiSegment;
    private final FrameCounters counters;
    private final int[] frames = new int[ROOM];
    private int count;

    /** For frames that wait for the device. */
    final HoldTimer hold = new HoldTimer();

    UplinkQueue(Uplink uplink, int worker) {
        this.uplink = uplink;
        queue = uplink.queueOf(worker);
        multiSegment = uplink.device().info().multiSegment();
        counters = uplink.toWire(worker);
    }

    /** Whether {@link #put} would succeed; flushes when it has to. */
    boolean hasRoom() {
        if (count == ROOM) {
            flush();
        }
        return count < ROOM;
    }

    /** Adds a frame, which becomes the queue's. Returns false when there is no room. */
    boolean put(int mbuf) {
        if (!hasRoom()) {
            return false;
        }
        if (!multiSegment && Mbuf.nbSegs(mbuf) > 1) {
            counters.drop(DropReason.FRAME_TOO_LONG, 1);
            Mbuf.free(mbuf);
            return true;
        }
        frames[count++] = mbuf;
        return true;
    }

    /** Hands the waiting frames to the device; those it does not take go on waiting. */
    int flush() {
        int n = count;
        if (n == 0) {
            return 0;
        }
        int[] frames = this.frames;
        long bytes = 0;
        for (int i = 0; i < n; i++) {
            bytes += wireBytes(frames[i]);
        }
        int sent = uplink.transmit(queue, frames, n);
        if (sent < n) {
            for (int i = sent; i < n; i++) {
                bytes -= wireBytes(frames[i]);
            }
            System.arraycopy(frames, sent, frames, 0, n - sent);
        }
        count = n - sent;
        if (sent > 0) {
            counters.count(sent, bytes);
            hold.progressed();
        }
        return sent;
    }

    /** A frame's bytes on the wire, with the tag that the card will insert. */
    private static int wireBytes(int m) {
        boolean inserted = (Mbuf.olFlags(m) & Mbuf.TX_VLAN) != 0;
        return Mbuf.pktLen(m) + (inserted ? VlanTag.LENGTH : 0);
    }

    Uplink uplink() {
        return uplink;
    }

    /** Gives up the frames that wait. */
    void dropAll() {
        if (count > 0) {
            counters.drop(DropReason.UPLINK_FULL, count);
            for (int i = 0; i < count; i++) {
                Mbuf.free(frames[i]);
            }
            count = 0;
        }
    }

    FrameCounters counters() {
        return counters;
    }
}
