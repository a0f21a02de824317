package io.grantwire.pmd.driver.igb;

import static io.grantwire.pmd.driver.igb.IgbDescriptors.RX_DD;
import static io.grantwire.pmd.driver.igb.IgbDescriptors.RX_EOP;
import static io.grantwire.pmd.driver.igb.IgbDescriptors.RX_HASH_SHIFT;
import static io.grantwire.pmd.driver.igb.IgbDescriptors.RX_IPCS;
import static io.grantwire.pmd.driver.igb.IgbDescriptors.RX_IPE;
import static io.grantwire.pmd.driver.igb.IgbDescriptors.RX_L4CS;
import static io.grantwire.pmd.driver.igb.IgbDescriptors.RX_L4E;
import static io.grantwire.pmd.driver.igb.IgbDescriptors.RX_LENGTH_SHIFT;
import static io.grantwire.pmd.driver.igb.IgbDescriptors.RX_RSS_TYPE_MASK;
import static io.grantwire.pmd.driver.igb.IgbDescriptors.RX_RXE;
import static io.grantwire.pmd.driver.igb.IgbDescriptors.RX_UDPCS;
import static io.grantwire.pmd.driver.igb.IgbDescriptors.RX_VLAN_SHIFT;
import static io.grantwire.pmd.driver.igb.IgbDescriptors.RX_VP;
import static io.grantwire.pmd.driver.igb.IgbDescriptors.SHIFT;

import io.grantwire.pmd.driver.pci.BusAddresses;
import io.grantwire.pmd.driver.pci.CardRegisters;
import io.grantwire.pmd.ethdev.QueueCounters;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.EtherHeader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * A receive ring: keeps it full of mbufs and hands out what the card has filled, a frame that is
 * longer than one mbuf as a chain.
 *
 * <p>The card is not taken at its word: which mbuf a descriptor had is remembered here, lengths and
 * the number of descriptors of a frame are bounded.
 *
 * <p>One polling thread at a time; control methods only while nobody polls.
 */
final class IgbRxQueue {
    private static final VarHandle LONG =
            ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

    /** Refilling waits until this many are missing, to tell the card once; less in small rings. */
    private static final int REFILL_AT = 32;

    private static final int REFILL_BATCH = 64;

    private final CardRegisters registers;
    private final BusAddresses addresses;
    private final Mempool pool;
    private final QueueCounters counters;
    private final int tailRegister;
    private final int bufferSize;
    private final int size;
    private final int refillAt;
    private final int[] posted;
    private final int[] fresh = new int[REFILL_BATCH];

    private MemorySegment ring = MemorySegment.NULL;
    private int maxFrame;
    private int maxSegments;

    /** The next descriptor that the card completes, and how many it has from there on. */
    private int next;

    private int pending;

    /** The frame whose last descriptor has not come yet; 0 for none. */
    private int head;

    private int last;
    private int segments;
    private int length;

    /** Whether the rest of that frame is thrown away. */
    private boolean discarding;

    /**
     * @param queue the card's number of it
     * @param size descriptors of its ring
     * @param bufferSize bytes of an mbuf that the card may fill, a multiple of 1024
     */
    IgbRxQueue(
            CardRegisters registers,
            BusAddresses addresses,
            Mempool pool,
            QueueCounters counters,
            int queue,
            int size,
            int bufferSize) {
        this.registers = registers;
        this.addresses = addresses;
        this.pool = pool;
        this.counters = counters;
        this.tailRegister = IgbRegisters.queue(IgbRegisters.RDT, queue);
        this.size = size;
        this.refillAt = Math.min(REFILL_AT, size / 4);
        this.bufferSize = bufferSize;
        this.posted = new int[size];
    }

    /** Descriptors of the ring. */
    int size() {
        return size;
    }

    /** Bytes of an mbuf that the card fills. */
    int bufferSize() {
        return bufferSize;
    }

    /**
     * Before polling starts, when the card takes descriptors: a fresh ring, filled.
     *
     * @param longest bytes of the longest frame, tag included
     */
    void start(MemorySegment freshRing, int longest) {
        ring = freshRing;
        maxFrame = longest;
        maxSegments = (longest + bufferSize - 1) / bufferSize;
        next = 0;
        pending = 0;
        head = 0;
        discarding = false;
        refill();
    }

    /** After polling has ended and the card is quiet: frees the mbufs of the ring. */
    void stop() {
        for (int i = 0; i < pending; i++) {
            Mbuf.free(posted[(next + i) % size]);
        }
        Mbuf.free(head);
        pending = 0;
        head = 0;
        ring = MemorySegment.NULL;
    }

    /** Whether the card has completed a descriptor that was not looked at yet. */
    boolean hasFrames() {
        return pending > 0 && ((long) LONG.getAcquire(ring, (long) next << SHIFT | 8) & RX_DD) != 0;
    }

    int burst(int[] mbufs, int offset, int count) {
        MemorySegment ring = this.ring;
        int[] posted = this.posted;
        int size = this.size;
        int at = next;
        int left = pending;
        int good = 0;
        int bad = 0;
        long bytes = 0;
        while (good < count && left > 0) {
            long desc = (long) at << SHIFT;
            // Acquire: the other half and the frame were written before DD.
            long w1 = (long) LONG.getAcquire(ring, desc + 8);
            int status = (int) w1;
            if ((status & RX_DD) == 0) {
                break;
            }
            int m = posted[at];
            at = at + 1 == size ? 0 : at + 1;
            left--;
            append(m, (int) (w1 >>> RX_LENGTH_SHIFT) & 0xffff);
            if ((status & RX_EOP) == 0) {
                continue;
            }
            int frame = head;
            int len = length;
            head = 0;
            if (discarding || len < EtherHeader.LENGTH || (status & RX_RXE) != 0) {
                discarding = false;
                bad++;
                Mbuf.free(frame);
                continue;
            }
            if (segments > 1) {
                Mbuf.setNbSegs(frame, segments);
                Mbuf.setPktLen(frame, len);
            }
            describe(frame, (long) LONG.getOpaque(ring, desc), w1);
            mbufs[offset + good++] = frame;
            bytes += len;
        }
        next = at;
        pending = left;
        if (good > 0) {
            counters.add(good, bytes);
        }
        if (bad > 0) {
            counters.addErrors(bad);
        }
        if (size - 1 - left >= refillAt) {
            refill();
        }
        return good;
    }

    /** Adds an mbuf to the frame that is being received, or throws it away with the frame. */
    private void append(int m, int len) {
        int sum = head == 0 ? len : length + len;
        if (discarding
                || len > bufferSize
                || sum > maxFrame
                || head != 0 && segments == maxSegments) {
            discarding = true;
            Mbuf.free(m);
            Mbuf.free(head);
            head = 0;
            return;
        }
        Mbuf.init(m, len, Mbuf.NO_PORT);
        if (head == 0) {
            head = m;
            segments = 1;
        } else {
            Mbuf.setNext(last, m);
            segments++;
        }
        length = sum;
        last = m;
    }

    /** Turns what the last descriptor says of the frame into flags. */
    private static void describe(int frame, long w0, long w1) {
        int status = (int) w1;
        int flags = 0;
        if ((status & RX_VP) != 0) {
            flags = Mbuf.RX_VLAN | Mbuf.RX_VLAN_STRIPPED;
            Mbuf.setVlanTci(frame, (int) (w1 >>> RX_VLAN_SHIFT));
        }
        if ((status & RX_IPCS) != 0) {
            flags |= (status & RX_IPE) != 0 ? Mbuf.RX_IP_CKSUM_BAD : Mbuf.RX_IP_CKSUM_GOOD;
        }
        if ((status & (RX_L4CS | RX_UDPCS)) != 0) {
            flags |= (status & RX_L4E) != 0 ? Mbuf.RX_L4_CKSUM_BAD : Mbuf.RX_L4_CKSUM_GOOD;
        }
        if ((w0 & RX_RSS_TYPE_MASK) != 0) {
            flags |= Mbuf.RX_RSS_HASH;
            Mbuf.setHash(frame, (int) (w0 >>> RX_HASH_SHIFT));
        }
        if (flags != 0) {
            Mbuf.setOlFlags(frame, flags);
        }
    }

    /** Posts mbufs until the ring is full, but for the one that tells full from empty (7.1.7). */
    private void refill() {
        int before = pending;
        int missing = size - 1 - before;
        while (missing > 0) {
            int n = Math.min(missing, REFILL_BATCH);
            if (!pool.allocBulk(fresh, 0, n)) {
                counters.addNoMbuf(1);
                // A bulk fails as a whole: a ring that is almost dry takes what little there is.
                if (pending >= refillAt || (n = allocFew(n)) == 0) {
                    break;
                }
            }
            post(n);
            missing -= n;
        }
        if (pending != before) {
            // The register's store orders the descriptors before it, see Bar.
            registers.doorbell(tailRegister, (next + pending) % size);
        }
    }

    private int allocFew(int most) {
        int n = 0;
        while (n < most && pool.allocBulk(fresh, n, 1)) {
            n++;
        }
        return n;
    }

    private void post(int n) {
        MemorySegment ring = this.ring;
        int at = (next + pending) % size;
        for (int i = 0; i < n; i++) {
            int m = fresh[i];
            long desc = (long) at << SHIFT;
            posted[at] = m;
            LONG.set(ring, desc, addresses.of(m));
            LONG.set(ring, desc + 8, 0L);
            at = at + 1 == size ? 0 : at + 1;
        }
        pending += n;
    }
}
