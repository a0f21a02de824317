package io.grantwire.pmd.driver.afpacket;

import io.grantwire.bindings.gen.uapi.Uapi;
import io.grantwire.bindings.gen.uapi.tpacket2_hdr;
import io.grantwire.pmd.driver.FrameCopy;
import io.grantwire.pmd.ethdev.QueueCounters;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.net.EtherHeader;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * A transmit ring of a packet socket: frames are copied into slots, and one system call per burst
 * has the kernel send them.
 *
 * <p>One polling thread at a time.
 */
final class AfPacketTxQueue {
    private static final VarHandle STATUS = ValueLayout.JAVA_INT.varHandle();
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT;
    private static final long LEN =
            tpacket2_hdr.layout().byteOffset(PathElement.groupElement("tp_len"));

    /** The frame's bytes follow the header, 16-byte aligned. */
    private static final long DATA = tpacket2_hdr.layout().byteSize() + 15 & -16;

    private static final int AVAILABLE = Uapi.TP_STATUS_AVAILABLE();
    private static final int WRONG_FORMAT = Uapi.TP_STATUS_WRONG_FORMAT();
    private static final int SEND_REQUEST = Uapi.TP_STATUS_SEND_REQUEST();

    private final QueueCounters counters;
    private final int maxFrame;
    private final int room;
    private PacketSocket socket;
    private MemorySegment ring = MemorySegment.NULL;
    private long[] frames = {};
    private int next;
    private boolean kickAgain;

    /**
     * @param mtu the interface's
     * @param frameSize bytes of a slot with its header
     */
    AfPacketTxQueue(QueueCounters counters, int mtu, int frameSize) {
        this.counters = counters;
        this.maxFrame = mtu + EtherHeader.LENGTH;
        this.room = room(frameSize);
    }

    /** Bytes of a slot that a frame can use. */
    static int room(int frameSize) {
        return (int) (frameSize - DATA);
    }

    /** Before polling starts: a fresh ring. */
    void attach(PacketSocket socket, long[] frames) {
        this.socket = socket;
        this.ring = socket.txRing();
        this.frames = frames;
        this.next = 0;
        this.kickAgain = false;
    }

    int burst(int[] mbufs, int offset, int count) {
        MemorySegment ring = this.ring;
        long[] frames = this.frames;
        int at = next;
        int accepted = 0;
        int good = 0;
        int bad = 0;
        long bytes = 0;
        while (accepted < count) {
            int m = mbufs[offset + accepted];
            int len = FrameCopy.length(m);
            if (!fits(m, len)) {
                bad++;
            } else {
                long frame = frames[at];
                // Pairs with the kernel's release of a slot it has sent.
                int status = (int) STATUS.getAcquire(ring, frame);
                if (status != AVAILABLE && status != WRONG_FORMAT) {
                    break;
                }
                FrameCopy.copy(m, ring, frame + DATA);
                ring.set(U32, frame + LEN, len);
                // Pairs with the kernel's look at the status: length and bytes are there by then.
                STATUS.setRelease(ring, frame, SEND_REQUEST);
                at = at + 1 == frames.length ? 0 : at + 1;
                good++;
                bytes += len;
            }
            Mbuf.free(m);
            accepted++;
        }
        next = at;
        if (good > 0 || kickAgain || accepted < count) {
            kickAgain = !socket.kick();
        }
        if (good > 0) {
            counters.add(good, bytes);
        }
        if (bad > 0) {
            counters.addErrors(bad);
        }
        return accepted;
    }

    /**
     * Whether the kernel will take a frame: it drops others without a word. A frame with an 802.1Q
     * tag may be longer than the MTU by that tag.
     */
    private boolean fits(int m, int len) {
        if (len <= maxFrame) {
            return Mbuf.pktLen(m) >= EtherHeader.LENGTH && len <= room;
        }
        return len <= maxFrame + FrameCopy.TAG && len <= room && isTagged(m);
    }

    private static boolean isTagged(int m) {
        return (Mbuf.olFlags(m) & Mbuf.TX_VLAN) != 0
                || Mbuf.dataLen(m) >= EtherHeader.LENGTH
                        && EtherHeader.type(Mbuf.segment(m), Mbuf.offset(m))
                                == EtherHeader.TYPE_VLAN;
    }
}
