package io.grantwire.pmd.driver.igb;

import static io.grantwire.pmd.driver.igb.IgbDescriptors.SHIFT;
import static io.grantwire.pmd.driver.igb.IgbDescriptors.TX_CONTEXT_SHIFT;
import static io.grantwire.pmd.driver.igb.IgbDescriptors.TX_DD;
import static io.grantwire.pmd.driver.igb.IgbDescriptors.TX_DEXT;
import static io.grantwire.pmd.driver.igb.IgbDescriptors.TX_DTYP_DATA;
import static io.grantwire.pmd.driver.igb.IgbDescriptors.TX_EOP;
import static io.grantwire.pmd.driver.igb.IgbDescriptors.TX_IFCS;
import static io.grantwire.pmd.driver.igb.IgbDescriptors.TX_IXSM;
import static io.grantwire.pmd.driver.igb.IgbDescriptors.TX_PAYLEN_SHIFT;
import static io.grantwire.pmd.driver.igb.IgbDescriptors.TX_RS;
import static io.grantwire.pmd.driver.igb.IgbDescriptors.TX_TXSM;
import static io.grantwire.pmd.driver.igb.IgbDescriptors.TX_VLE;

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
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * A transmit ring: a descriptor per mbuf, one before the first when the card needs another offload
 * context. Frames that the card has sent are freed at the start of each burst.
 *
 * <p>A frame goes through a bounce buffer when the card cannot reach it, when it has more mbufs
 * than {@link #MAX_SEGMENTS}, or when its headers have to be changed and it has other owners. What
 * is no frame is freed and counted as an error.
 *
 * <p>One polling thread at a time; control methods only while nobody polls.
 */
final class IgbTxQueue {
    /** Most mbufs of a frame that get a descriptor each. */
    static final int MAX_SEGMENTS = 16;

    private static final VarHandle LONG =
            ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

    private static final int FREE_BATCH = 64;
    private static final int REQUESTS = Mbuf.TX_VLAN | Mbuf.TX_CKSUM_MASK;
    private static final int DATA = TX_DTYP_DATA | TX_DEXT | TX_IFCS;

    private final CardRegisters registers;
    private final BusAddresses addresses;
    private final QueueCounters counters;
    private final IgbTxContexts contexts = new IgbTxContexts();
    private final int tailRegister;
    private final int longest;
    private final int size;

    /** Of the frame that begins at a descriptor: its first mbuf, and its last descriptor. */
    private final int[] frames;

    private final int[] lasts;
    private final int[] done = new int[FREE_BATCH];

    private MemorySegment ring = MemorySegment.NULL;
    private BounceBuffers bounce;

    /** Whether the card inserts tags; see {@link IgbDevice#setVlanStrip}. */
    private boolean cardInserts;

    /** The next descriptor to fill, the oldest not known to be done, and how many can be filled. */
    private int tail;

    private int clean;
    private int free;

    /**
     * @param queue the card's number of it
     * @param size descriptors of its ring
     * @param longest bytes of the longest frame that the card sends, without CRC
     */
    IgbTxQueue(
            CardRegisters registers,
            BusAddresses addresses,
            QueueCounters counters,
            int queue,
            int size,
            int longest) {
        this.registers = registers;
        this.addresses = addresses;
        this.counters = counters;
        this.tailRegister = IgbRegisters.queue(IgbRegisters.TDT, queue);
        this.size = size;
        this.longest = longest;
        this.frames = new int[size];
        this.lasts = new int[size];
    }

    /** Descriptors of the ring. */
    int size() {
        return size;
    }

    /** Before polling starts: a fresh ring, empty, in a card that was reset. */
    void start(MemorySegment freshRing, BounceBuffers buffers) {
        ring = freshRing;
        bounce = buffers;
        contexts.clear();
        tail = 0;
        clean = 0;
        free = size - 1;
    }

    /** Whether the card inserts the tags that frames ask for, or this queue does. */
    void setCardInserts(boolean card) {
        cardInserts = card;
    }

    /** After polling has ended and the card is quiet: frees the frames of the ring. */
    void stop() {
        while (clean != tail) {
            Mbuf.free(frames[clean]);
            clean = after(lasts[clean]);
        }
        free = 0;
        ring = MemorySegment.NULL;
    }

    private int after(int at) {
        return at + 1 == size ? 0 : at + 1;
    }

    int burst(int[] mbufs, int offset, int count) {
        reclaim();
        int accepted = 0;
        int sent = 0;
        int bad = 0;
        long bytes = 0;
        for (; accepted < count; accepted++) {
            int m = mbufs[offset + accepted];
            int len = Mbuf.pktLen(m);
            if (len < EtherHeader.LENGTH || len > longest) {
                Mbuf.free(m);
                bad++;
                continue;
            }
            int flags = Mbuf.olFlags(m) & REQUESTS;
            int segments = fits(m, flags);
            boolean copy = segments == 0;
            if ((copy ? bounce.segments(len) : segments) >= free) {
                // No room for them and a context: the rest stays the caller's.
                break;
            }
            if (copy && (m = bounce.copy(m)) == 0) {
                break;
            }
            if (flags != 0) {
                if (!prepare(m, flags)) {
                    Mbuf.free(m);
                    bad++;
                    continue;
                }
                flags = Mbuf.olFlags(m) & REQUESTS;
                len = Mbuf.pktLen(m);
            }
            post(m, len, flags);
            sent++;
            bytes += len;
        }
        if (sent > 0) {
            counters.add(sent, bytes);
            // The register's store orders the descriptors before it, see Bar.
            registers.doorbell(tailRegister, tail);
        }
        if (bad > 0) {
            counters.addErrors(bad);
        }
        return accepted;
    }

    /**
     * Whether a frame can go out from where it is.
     *
     * @return how many descriptors it needs; 0 when it is to be copied
     */
    private int fits(int m, int flags) {
        if (flags != 0 && !headersReady(m, flags)) {
            return 0;
        }
        int segments = 0;
        for (int s = m; s != 0; s = Mbuf.next(s)) {
            if (addresses.of(s) == BusAddresses.UNKNOWN
                    || Mbuf.dataLen(s) == 0
                    || ++segments > MAX_SEGMENTS) {
                return 0;
            }
        }
        return segments;
    }

    /** Whether {@link #prepare} can do its part in this frame, which may have other owners. */
    private boolean headersReady(int m, int flags) {
        boolean checksums = (flags & Mbuf.TX_CKSUM_MASK) != 0;
        boolean tag = (flags & Mbuf.TX_VLAN) != 0 && !cardInserts;
        return (!checksums || ChecksumRequest.headersFit(m))
                && (!tag
                        || Mbuf.headroom(m) >= VlanTag.LENGTH
                                && Mbuf.dataLen(m) >= EtherHeader.LENGTH)
                && (!checksums && !tag || Mbuf.refcnt(m) == 1);
    }

    /** Does what the card needs or leaves to us; false when the frame is not what it says. */
    private boolean prepare(int m, int flags) {
        if ((flags & Mbuf.TX_CKSUM_MASK) != 0) {
            if (!ChecksumRequest.headersFit(m)) {
                return false;
            }
            ChecksumRequest.prepare(m);
        }
        if ((flags & Mbuf.TX_VLAN) != 0 && !cardInserts) {
            if (!VlanTag.insert(m, Mbuf.vlanTci(m))) {
                return false;
            }
            if ((flags & Mbuf.TX_CKSUM_MASK) != 0) {
                Mbuf.setTxHeaders(m, Mbuf.txL2Len(m) + VlanTag.LENGTH, Mbuf.txL3Len(m));
            }
            Mbuf.setOlFlags(m, Mbuf.olFlags(m) & ~Mbuf.TX_VLAN);
        }
        return true;
    }

    /** Fills the descriptors of a frame; there are enough. */
    private void post(int m, int len, int flags) {
        MemorySegment ring = this.ring;
        int at = tail;
        int begin = at;
        int used = 0;
        int command = DATA;
        long options = (long) len << TX_PAYLEN_SHIFT;
        if (flags != 0) {
            long key = IgbTxContexts.key(m, flags);
            int context = contexts.find(key);
            if (context < 0) {
                context = contexts.replace(key);
                long desc = (long) at << SHIFT;
                LONG.set(ring, desc, IgbTxContexts.w0(key));
                LONG.set(ring, desc + 8, IgbTxContexts.w1(key, context));
                at = after(at);
                used++;
            }
            options |= (long) context << TX_CONTEXT_SHIFT;
            if ((flags & Mbuf.TX_VLAN) != 0) {
                command |= TX_VLE;
            }
            if ((flags & Mbuf.TX_IP_CKSUM) != 0) {
                options |= TX_IXSM;
            }
            if ((flags & (Mbuf.TX_TCP_CKSUM | Mbuf.TX_UDP_CKSUM)) != 0) {
                options |= TX_TXSM;
            }
        }
        int end = at;
        for (int s = m; s != 0; ) {
            int next = Mbuf.next(s);
            long desc = (long) at << SHIFT;
            long w1 = options | command | Mbuf.dataLen(s);
            if (next == 0) {
                w1 |= TX_EOP | TX_RS;
            }
            LONG.set(ring, desc, addresses.of(s));
            LONG.set(ring, desc + 8, w1);
            end = at;
            at = after(at);
            used++;
            s = next;
        }
        frames[begin] = m;
        lasts[begin] = end;
        tail = at;
        free -= used;
    }

    /** Frees the frames that the card has sent. */
    private void reclaim() {
        MemorySegment ring = this.ring;
        int[] done = this.done;
        int at = clean;
        int n = 0;
        int freed = 0;
        while (at != tail) {
            int end = lasts[at];
            // Acquire: the card has read the frame before it said so.
            if (((long) LONG.getAcquire(ring, (long) end << SHIFT | 8) & TX_DD) == 0) {
                break;
            }
            done[n++] = frames[at];
            freed += (end >= at ? end - at : end - at + size) + 1;
            at = after(end);
            if (n == done.length) {
                Mempool.freeBulk(done, 0, n);
                n = 0;
            }
        }
        if (n > 0) {
            Mempool.freeBulk(done, 0, n);
        }
        clean = at;
        free += freed;
    }
}
