package io.grantwire.pmd.driver.e1000e;

import static io.grantwire.pmd.driver.e1000e.E1000eDescriptors.QUAD;
import static io.grantwire.pmd.driver.e1000e.E1000eDescriptors.SECOND;
import static io.grantwire.pmd.driver.e1000e.E1000eDescriptors.U64;

import io.grantwire.pmd.driver.pci.BounceBuffers;
import io.grantwire.pmd.driver.pci.BusAddresses;
import io.grantwire.pmd.driver.pci.CardRegisters;
import io.grantwire.pmd.driver.pci.ChecksumRequest;
import io.grantwire.pmd.ethdev.QueueCounters;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.EtherHeader;
import io.grantwire.pmd.net.VlanTag;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A transmit queue: a ring of data descriptors, one for each mbuf of a frame (section 7.2.11), and
 * of context descriptors in front of those whose checksums differ in place (section 7.2.10).
 *
 * <p>The card reports the last descriptor of a burst, and of every {@value #REPORT_EVERY} in a long
 * one; what lies before a reported descriptor is done, too.
 *
 * <p>One polling thread at a time; the other methods only while nobody polls.
 */
final class E1000eTxQueue {
    private static final int REPORT_EVERY = 32;

    /** A frame in more pieces is copied; the card would take more, its FIFO is what limits it. */
    private static final int MAX_SEGMENTS = 32;

    /** Descriptors that stay free: head and tail equal means empty. */
    private static final int GAP = 1;

    private static final int NO_CONTEXT = -1;

    /** Context fields have 8 bits: the checksum's place, 16 bytes into the TCP header, must fit. */
    private static final int MAX_HEADERS = 0xFF - 16 - VlanTag.LENGTH;

    private static final VarHandle COPIED;

    static {
        try {
            COPIED =
                    MethodHandles.lookup().findVarHandle(E1000eTxQueue.class, "copied", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final int queue;
    private final int size;
    private final BusAddresses addresses;
    private final BounceBuffers bounce;
    private final CardRegisters card;
    private final QueueCounters counters;

    /** By descriptor: the frame that ends there, 0 for none. */
    private final int[] frames;

    /** Descriptors that the card reports, in the order posted: positions modulo the size. */
    private final int[] reports;

    private final int[] done;

    private MemorySegment ring = MemorySegment.NULL;
    private int maxFrame;
    private boolean tagsInserted;
    private long copied;

    /** The descriptor written next, the oldest not known to be done, and how many between. */
    private int tail;

    private int clean;
    private int used;

    private int reportHead;
    private int reportCount;

    /** The last frame's last descriptor, and how many descriptors since a reported one. */
    private int lastEnd;

    private int sinceReport;

    /** What the card's context was made from. */
    private int context = NO_CONTEXT;

    /**
     * @param size descriptors, a multiple of 8
     * @param bounce shared by the device's queues
     */
    E1000eTxQueue(
            int queue,
            int size,
            BusAddresses addresses,
            BounceBuffers bounce,
            CardRegisters card,
            QueueCounters counters) {
        this.queue = queue;
        this.size = size;
        this.addresses = addresses;
        this.bounce = bounce;
        this.card = card;
        this.counters = counters;
        this.frames = new int[size];
        this.reports = new int[size];
        this.done = new int[size];
    }

    int size() {
        return size;
    }

    /** Frames that were copied for the card. */
    long copied() {
        return (long) COPIED.getOpaque(this);
    }

    /**
     * Begins with an empty ring, before the card has it.
     *
     * @param memory of {@link #size} descriptors
     * @param maxFrameBytes longest frame that is accepted
     */
    void prepare(MemorySegment memory, int maxFrameBytes) {
        ring = memory;
        maxFrame = maxFrameBytes;
        ring.fill((byte) 0);
        tail = 0;
        clean = 0;
        used = 0;
        reportHead = 0;
        reportCount = 0;
        sinceReport = 0;
        context = NO_CONTEXT;
    }

    /** Whether the card inserts tags now, which it does only while it strips them, too. */
    void setTagsInserted(boolean on) {
        tagsInserted = on;
    }

    int burst(int[] mbufs, int offset, int count) {
        reclaim();
        int before = tail;
        int accepted = 0;
        int bad = 0;
        int good = 0;
        long bytes = 0;
        while (accepted < count) {
            int frame = mbufs[offset + accepted];
            int len = Mbuf.pktLen(frame);
            if (!sendable(frame, len)) {
                Mbuf.free(frame);
                bad++;
            } else {
                int m = roomFor(frame, len) ? ready(frame) : 0;
                if (m == 0) {
                    break;
                }
                bytes += Mbuf.pktLen(m);
                bytes += (Mbuf.olFlags(m) & Mbuf.TX_VLAN) != 0 ? VlanTag.LENGTH : 0;
                place(m);
                good++;
            }
            accepted++;
        }
        if (tail != before) {
            report(lastEnd);
            // A release store: the descriptors are there when the card sees the new tail.
            card.doorbell(E1000eRegisters.tdt(queue), tail);
            counters.add(good, bytes);
        }
        if (bad > 0) {
            counters.addErrors(bad);
        }
        return accepted;
    }

    private boolean sendable(int m, int len) {
        return len >= EtherHeader.LENGTH
                && len <= maxFrame
                && ((Mbuf.olFlags(m) & Mbuf.TX_CKSUM_MASK) == 0
                        || Mbuf.txL2Len(m) + Mbuf.txL3Len(m) <= MAX_HEADERS
                                && ChecksumRequest.headersFit(m));
    }

    /** Whether there are descriptors for a frame, or for its copy, and a context. */
    private boolean roomFor(int m, int len) {
        int segments = Math.max(Math.min(Mbuf.nbSegs(m), MAX_SEGMENTS), bounce.segments(len));
        return segments + 1 <= size - GAP - used;
    }

    /**
     * Makes a frame one that can be placed: reachable, not in too many pieces, tag and checksums
     * such as the card takes them.
     *
     * @return the frame, or a copy in its place; 0 when there is no room for a copy now
     */
    private int ready(int frame) {
        int m = frame;
        int flags = Mbuf.olFlags(m);
        boolean cksum = (flags & Mbuf.TX_CKSUM_MASK) != 0;
        boolean insert = (flags & Mbuf.TX_VLAN) != 0 && !tagsInserted;
        boolean written = cksum || insert;
        if (!reachable(m)
                || written && Mbuf.refcnt(m) != 1
                || insert
                        && (Mbuf.headroom(m) < VlanTag.LENGTH
                                || Mbuf.dataLen(m) < EtherHeader.LENGTH)) {
            m = bounce.copy(m);
            if (m == 0) {
                return 0;
            }
            COPIED.setOpaque(this, copied + 1);
        }
        if (cksum) {
            ChecksumRequest.prepare(m);
        }
        if (insert) {
            insertTag(m, flags);
        }
        return m;
    }

    /** Puts the tag into the frame, whose headroom and length allow it. */
    private static void insertTag(int m, int flags) {
        VlanTag.insert(m, Mbuf.vlanTci(m));
        if ((flags & Mbuf.TX_CKSUM_MASK) != 0) {
            Mbuf.setTxHeaders(m, Mbuf.txL2Len(m) + VlanTag.LENGTH, Mbuf.txL3Len(m));
        }
        Mbuf.setOlFlags(m, flags & ~Mbuf.TX_VLAN);
    }

    private boolean reachable(int m) {
        int segments = 0;
        for (int s = m; s != 0; s = Mbuf.next(s)) {
            if (addresses.of(s) == BusAddresses.UNKNOWN
                    || Mbuf.dataLen(s) == 0
                    || ++segments > MAX_SEGMENTS) {
                return false;
            }
        }
        return segments == Mbuf.nbSegs(m);
    }

    /** Writes the descriptors of a frame for which there is room. */
    private void place(int m) {
        MemorySegment ring = this.ring;
        int flags = Mbuf.olFlags(m);
        int at = tail;
        int from = at;
        long command = E1000eDescriptors.TX_DATA | E1000eDescriptors.TX_IFCS;
        if ((flags & Mbuf.TX_CKSUM_MASK) != 0) {
            at = placeContext(m, flags, at);
            if ((flags & Mbuf.TX_IP_CKSUM) != 0) {
                command |= E1000eDescriptors.TX_IXSM;
            }
            if ((flags & (Mbuf.TX_TCP_CKSUM | Mbuf.TX_UDP_CKSUM)) != 0) {
                command |= E1000eDescriptors.TX_TXSM;
            }
        }
        if ((flags & Mbuf.TX_VLAN) != 0) {
            command |=
                    E1000eDescriptors.TX_VLE
                            | (long) Mbuf.vlanTci(m) << E1000eDescriptors.TX_VLAN_SHIFT;
        }
        int end = at;
        for (int s = m; s != 0; s = Mbuf.next(s)) {
            long desc = E1000eDescriptors.at(at);
            long eop = Mbuf.next(s) == 0 ? E1000eDescriptors.TX_EOP : 0;
            ring.set(U64, desc, addresses.of(s));
            ring.set(U64, desc + SECOND, command | eop | Mbuf.dataLen(s));
            end = at;
            at = at + 1 == size ? 0 : at + 1;
        }
        frames[end] = m;
        lastEnd = end;
        tail = at;
        int n = at - from;
        n = n < 0 ? n + size : n;
        used += n;
        sinceReport += n;
        if (sinceReport >= REPORT_EVERY) {
            report(end);
        }
    }

    /** Tells the card where the checksums are, if it does not know; the next free descriptor. */
    private int placeContext(int m, int flags, int at) {
        boolean tcp = (flags & Mbuf.TX_TCP_CKSUM) != 0;
        boolean ipv4 = (flags & Mbuf.TX_IPV4) != 0;
        int l2 = Mbuf.txL2Len(m);
        int l3 = Mbuf.txL3Len(m);
        int wanted = l2 | l3 << 7 | (tcp ? 1 << 16 : 0) | (ipv4 ? 1 << 17 : 0);
        if (wanted == context) {
            return at;
        }
        context = wanted;
        long desc = E1000eDescriptors.at(at);
        ring.set(U64, desc, E1000eDescriptors.contextOffsets(l2, l3, tcp));
        ring.set(U64, desc + SECOND, E1000eDescriptors.contextCommand(ipv4, tcp));
        return at + 1 == size ? 0 : at + 1;
    }

    /** Has the card report a descriptor that it does not have yet. */
    private void report(int end) {
        long second = E1000eDescriptors.at(end) + SECOND;
        long command = ring.get(U64, second);
        sinceReport = 0;
        if ((command & E1000eDescriptors.TX_RS) == 0) {
            ring.set(U64, second, command | E1000eDescriptors.TX_RS);
            int at = reportHead + reportCount++;
            reports[at < size ? at : at - size] = end;
        }
    }

    /** Frees the frames that the card has reported. */
    private void reclaim() {
        int n = 0;
        while (reportCount > 0) {
            int end = reports[reportHead];
            // Acquire: the card has read the frames when DD is there.
            long second = (long) QUAD.getAcquire(ring, E1000eDescriptors.at(end) + SECOND);
            if ((second & E1000eDescriptors.TX_DD) == 0) {
                break;
            }
            reportHead = reportHead + 1 == size ? 0 : reportHead + 1;
            reportCount--;
            n = takeUpTo(end, n);
        }
        if (n > 0) {
            Mempool.freeBulk(done, 0, n);
        }
    }

    private int takeUpTo(int end, int taken) {
        int[] frames = this.frames;
        int n = taken;
        int at = clean;
        int stop = end + 1 == size ? 0 : end + 1;
        do {
            if (frames[at] != 0) {
                done[n++] = frames[at];
                frames[at] = 0;
            }
            at = at + 1 == size ? 0 : at + 1;
            used--;
        } while (at != stop);
        clean = at;
        return n;
    }

    /** Frees the frames in the ring; the card no longer has it. */
    void drain() {
        for (int i = 0; i < size; i++) {
            Mbuf.free(frames[i]);
            frames[i] = 0;
        }
        used = 0;
    }
}
