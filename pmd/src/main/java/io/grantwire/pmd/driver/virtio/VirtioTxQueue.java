package io.grantwire.pmd.driver.virtio;

import io.grantwire.pmd.driver.pci.BounceBuffers;
import io.grantwire.pmd.driver.pci.BusAddresses;
import io.grantwire.pmd.driver.pci.ChecksumRequest;
import io.grantwire.pmd.ethdev.QueueCounters;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.EtherHeader;
import io.grantwire.pmd.net.InternetChecksum;
import io.grantwire.pmd.net.VlanTag;
import io.grantwire.pmd.virtio.SplitRingChains;
import io.grantwire.pmd.virtio.SplitRingDriver;
import io.grantwire.pmd.virtio.VirtioNetHeader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * A transmit queue. A frame is a chain: the header, then its mbufs. Headers lie in an area of the
 * queue's own, one slot for each descriptor, so that frames are left as they are. A VLAN tag to
 * insert lies behind the header in the same slot, and is a descriptor between the addresses and the
 * rest of the frame.
 *
 * <p>One polling thread at a time; the other methods only while nobody polls.
 */
final class VirtioTxQueue {
    /** Header and tag, and a power of two. */
    static final int SLOT = 16;

    private static final int SLOT_SHIFT = 4;

    /** A frame in more pieces is copied. */
    private static final int MAX_SEGMENTS = 32;

    /** Descriptors beside those of the mbufs: header, addresses, tag. */
    private static final int EXTRA = 3;

    private static final int ADDRESSES = EtherHeader.TYPE;
    private static final int IPV4_CKSUM = 10;
    private static final int TCP_CKSUM = 16;
    private static final int UDP_CKSUM = 6;
    private static final int F_NEEDS_CSUM = 1;
    private static final int L4 = Mbuf.TX_TCP_CKSUM | Mbuf.TX_UDP_CKSUM;

    private static final ValueLayout.OfShort LE16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort BE16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private static final VarHandle COPIED;

    static {
        try {
            COPIED =
                    MethodHandles.lookup().findVarHandle(VirtioTxQueue.class, "copied", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final int size;
    private final BusAddresses addresses;
    private final BounceBuffers bounce;
    private final QueueCounters counters;
    private final int[] done;

    /** By descriptor: whether its slot's header asks for something. */
    private final boolean[] dirty;

    private SplitRingChains ring;
    private VirtioNotifier notifier;
    private MemorySegment slots = MemorySegment.NULL;
    private long slotsAddress;
    private boolean checksums;
    private int maxFrame;
    private long copied;

    /**
     * @param size descriptors, a power of two
     * @param bounce shared by the device's queues
     */
    VirtioTxQueue(int size, BusAddresses addresses, BounceBuffers bounce, QueueCounters counters) {
        this.size = size;
        this.addresses = addresses;
        this.bounce = bounce;
        this.counters = counters;
        this.done = new int[size];
        this.dirty = new boolean[size];
    }

    int size() {
        return size;
    }

    /**
     * Begins with an empty ring, before the device has it.
     *
     * @param newSlots {@value #SLOT} zeroed bytes for each descriptor
     * @param newSlotsAddress where the device sees them
     * @param checksums whether the device finishes checksums
     * @param maxFrameBytes longest frame that is accepted
     */
    void prepare(
            SplitRingChains newRing,
            VirtioNotifier newNotifier,
            MemorySegment newSlots,
            long newSlotsAddress,
            boolean checksums,
            int maxFrameBytes) {
        ring = newRing;
        notifier = newNotifier;
        slots = newSlots;
        slotsAddress = newSlotsAddress;
        this.checksums = checksums;
        maxFrame = maxFrameBytes;
        java.util.Arrays.fill(dirty, false);
        notifier.suppress(0);
    }

    /** What the device did wrong, if anything. */
    SplitRingDriver.Fault fault() {
        return ring == null ? SplitRingDriver.Fault.NONE : ring.fault();
    }

    /** Doorbells rung. */
    long kicks() {
        return notifier == null ? 0 : notifier.kicks();
    }

    /** Frames that were copied for the device. */
    long copied() {
        return (long) COPIED.getOpaque(this);
    }

    int burst(int[] mbufs, int offset, int count) {
        SplitRingChains ring = this.ring;
        int n = ring.take(done, done.length);
        if (n > 0) {
            Mempool.freeBulk(done, 0, n);
        }
        int before = ring.availIdx();
        int accepted = 0;
        int good = 0;
        int bad = 0;
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
                bytes += len + ((Mbuf.olFlags(m) & Mbuf.TX_VLAN) != 0 ? VlanTag.LENGTH : 0);
                place(m);
                good++;
            }
            accepted++;
        }
        if (good > 0) {
            ring.publish();
            notifier.kick(before, ring.availIdx());
            counters.add(good, bytes);
        }
        if (bad > 0) {
            counters.addErrors(bad);
        }
        return accepted;
    }

    private boolean sendable(int m, int len) {
        int flags = Mbuf.olFlags(m) & Mbuf.TX_CKSUM_MASK;
        return len >= EtherHeader.LENGTH
                && len <= maxFrame
                && (flags == 0
                        || ((flags & L4) == 0 || checksums) && ChecksumRequest.headersFit(m));
    }

    /** Whether there are descriptors for a frame, or for its copy. */
    private boolean roomFor(int m, int len) {
        int segments = Math.max(Math.min(Mbuf.nbSegs(m), MAX_SEGMENTS), bounce.segments(len));
        return segments + EXTRA <= ring.free();
    }

    /**
     * Makes a frame one that can be placed: reachable, not in too many pieces, checksum fields as
     * the device takes them.
     *
     * @return the frame, or a copy in its place; 0 when there is no room for a copy now
     */
    private int ready(int frame) {
        int m = frame;
        int flags = Mbuf.olFlags(m);
        boolean cksum = (flags & Mbuf.TX_CKSUM_MASK) != 0;
        boolean insert = (flags & Mbuf.TX_VLAN) != 0;
        if (!reachable(m)
                || cksum && Mbuf.refcnt(m) != 1
                || insert && Mbuf.dataLen(m) <= ADDRESSES) {
            m = bounce.copy(m);
            if (m == 0) {
                return 0;
            }
            COPIED.setOpaque(this, copied + 1);
        }
        if (cksum) {
            ChecksumRequest.prepare(m);
            if ((flags & Mbuf.TX_IP_CKSUM) != 0) {
                // The device knows nothing of it, and it is short.
                MemorySegment s = Mbuf.segment(m);
                long ip = Mbuf.offset(m) + Mbuf.txL2Len(m);
                int sum = InternetChecksum.of(s, ip, Mbuf.txL3Len(m));
                s.set(BE16, ip + IPV4_CKSUM, (short) sum);
            }
        }
        return m;
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

    /** Makes the chain of a frame for which there is room. */
    private void place(int m) {
        SplitRingChains ring = this.ring;
        int flags = Mbuf.olFlags(m);
        boolean insert = (flags & Mbuf.TX_VLAN) != 0;
        int head = ring.begin();
        long slot = (long) head << SLOT_SHIFT;
        writeHeader(m, flags, head, slot, insert);
        ring.add(slotsAddress + slot, VirtioNetHeader.MERGEABLE_SIZE, false, true);
        int s = m;
        long address = addresses.of(m);
        int len = Mbuf.dataLen(m);
        if (insert) {
            slots.set(BE16, slot + VirtioNetHeader.MERGEABLE_SIZE, (short) EtherHeader.TYPE_VLAN);
            slots.set(BE16, slot + VirtioNetHeader.MERGEABLE_SIZE + 2, (short) Mbuf.vlanTci(m));
            ring.add(address, ADDRESSES, false, true);
            ring.add(
                    slotsAddress + slot + VirtioNetHeader.MERGEABLE_SIZE,
                    VlanTag.LENGTH,
                    false,
                    true);
            address += ADDRESSES;
            len -= ADDRESSES;
        }
        int next = Mbuf.next(s);
        ring.add(address, len, false, next != 0);
        while (next != 0) {
            s = next;
            next = Mbuf.next(s);
            ring.add(addresses.of(s), Mbuf.dataLen(s), false, next != 0);
        }
        ring.end(m);
    }

    /** Slots hold a header of zeros unless it asks for a checksum (section 5.1.6.2). */
    private void writeHeader(int m, int flags, int head, long slot, boolean insert) {
        boolean cksum = (flags & L4) != 0;
        if (!cksum && !dirty[head]) {
            return;
        }
        VirtioNetHeader.clear(slots, slot);
        dirty[head] = cksum;
        if (cksum) {
            boolean tcp = (flags & Mbuf.TX_TCP_CKSUM) != 0;
            int start = Mbuf.txL2Len(m) + Mbuf.txL3Len(m) + (insert ? VlanTag.LENGTH : 0);
            slots.set(ValueLayout.JAVA_BYTE, slot + VirtioNetHeader.FLAGS, (byte) F_NEEDS_CSUM);
            slots.set(LE16, slot + VirtioNetHeader.CSUM_START, (short) start);
            slots.set(
                    LE16,
                    slot + VirtioNetHeader.CSUM_OFFSET,
                    (short) (tcp ? TCP_CKSUM : UDP_CKSUM));
        }
    }

    /** Frees the frames in the ring; the device no longer has it. */
    void drain() {
        if (ring != null) {
            Mempool.freeBulk(done, 0, ring.abandon(done));
        }
    }
}
