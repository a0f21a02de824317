package io.grantwire.pmd.driver.afpacket;

import io.grantwire.bindings.gen.uapi.Uapi;
import io.grantwire.bindings.gen.uapi.sockaddr_ll;
import io.grantwire.bindings.gen.uapi.tpacket2_hdr;
import io.grantwire.pmd.driver.FrameCopy;
import io.grantwire.pmd.ethdev.QueueCounters;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.EtherHeader;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A receive ring of a packet socket: frames are copied out and the slots given back, without a
 * system call. The kernel takes a VLAN tag off the frame and writes it beside it; it is put back.
 *
 * <p>One polling thread at a time.
 */
final class AfPacketRxQueue {
    private static final VarHandle STATUS = ValueLayout.JAVA_INT.varHandle();
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT;

    private static final long LEN = offset("tp_len");
    private static final long SNAPLEN = offset("tp_snaplen");
    private static final long MAC = offset("tp_mac");
    private static final long TCI = offset("tp_vlan_tci");
    private static final long TPID = offset("tp_vlan_tpid");

    /** The sender's address follows the header, 16-byte aligned. */
    private static final long PKTTYPE =
            (tpacket2_hdr.layout().byteSize() + 15 & -16)
                    + sockaddr_ll.layout().byteOffset(PathElement.groupElement("sll_pkttype"));

    private static final int USER = Uapi.TP_STATUS_USER();
    private static final int KERNEL = Uapi.TP_STATUS_KERNEL();
    private static final int VLAN = Uapi.TP_STATUS_VLAN_VALID();
    private static final int VLAN_TPID = Uapi.TP_STATUS_VLAN_TPID_VALID();
    private static final int CSUM_NOT_READY = Uapi.TP_STATUS_CSUMNOTREADY();
    private static final int OUTGOING = Uapi.PACKET_OUTGOING();

    private static final int ADDRESSES = EtherHeader.TYPE;

    private static final VarHandle UNFINISHED = unfinishedHandle();

    private final Mempool pool;
    private final QueueCounters counters;
    private MemorySegment ring = MemorySegment.NULL;
    private long[] frames = {};
    private int next;
    private long unfinished;

    private static long offset(String field) {
        return tpacket2_hdr.layout().byteOffset(PathElement.groupElement(field));
    }

    private static VarHandle unfinishedHandle() {
        try {
            return MethodHandles.lookup()
                    .findVarHandle(AfPacketRxQueue.class, "unfinished", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    AfPacketRxQueue(Mempool pool, QueueCounters counters) {
        this.pool = pool;
        this.counters = counters;
    }

    /** Before polling starts: a fresh ring. */
    void attach(MemorySegment ring, long[] frames) {
        this.ring = ring;
        this.frames = frames;
        this.next = 0;
    }

    /** Frames whose sender left the checksum to the interface, and which nobody completed. */
    long unfinished() {
        return (long) UNFINISHED.getOpaque(this);
    }

    int burst(int[] mbufs, int offset, int count) {
        MemorySegment ring = this.ring;
        long[] frames = this.frames;
        Mempool pool = this.pool;
        int room = pool.dataRoom();
        int at = next;
        int good = 0;
        int bad = 0;
        long bytes = 0;
        // What is passed over counts as well: a flood of it must not keep the thread here.
        for (int looked = 0; looked < count; looked++) {
            long frame = frames[at];
            // Pairs with the kernel's release when it hands the slot over.
            int status = (int) STATUS.getAcquire(ring, frame);
            if ((status & USER) == 0) {
                break;
            }
            if ((ring.get(ValueLayout.JAVA_BYTE, frame + PKTTYPE) & 0xff) != OUTGOING) {
                int snap = ring.get(U32, frame + SNAPLEN);
                boolean tagged = (status & VLAN) != 0;
                int len = snap + (tagged ? FrameCopy.TAG : 0);
                if (snap < EtherHeader.LENGTH || snap != ring.get(U32, frame + LEN) || len > room) {
                    bad++;
                } else {
                    int m = pool.alloc();
                    if (m == 0) {
                        counters.addNoMbuf(1);
                        break;
                    }
                    long from = frame + (ring.get(U16, frame + MAC) & 0xffff);
                    MemorySegment to = Mbuf.segment(m);
                    long data = Mbuf.offset(m);
                    if (tagged) {
                        MemorySegment.copy(ring, from, to, data, ADDRESSES);
                        MemorySegment.copy(
                                ring,
                                from + ADDRESSES,
                                to,
                                data + ADDRESSES + FrameCopy.TAG,
                                snap - ADDRESSES);
                        int tpid =
                                (status & VLAN_TPID) != 0
                                        ? ring.get(U16, frame + TPID)
                                        : EtherHeader.TYPE_VLAN;
                        FrameCopy.putTag(to, data, tpid, ring.get(U16, frame + TCI));
                    } else {
                        MemorySegment.copy(ring, from, to, data, snap);
                    }
                    if ((status & CSUM_NOT_READY) != 0) {
                        UNFINISHED.setOpaque(this, unfinished + 1);
                    }
                    Mbuf.init(m, len, Mbuf.NO_PORT);
                    mbufs[offset + good++] = m;
                    bytes += len;
                }
            }
            // Our reads are over: pairs with the kernel's look at the status before it writes.
            STATUS.setRelease(ring, frame, KERNEL);
            at = at + 1 == frames.length ? 0 : at + 1;
        }
        next = at;
        if (good > 0) {
            counters.add(good, bytes);
        }
        if (bad > 0) {
            counters.addErrors(bad);
        }
        return good;
    }
}
