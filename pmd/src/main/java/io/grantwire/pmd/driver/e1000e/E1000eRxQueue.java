package io.grantwire.pmd.driver.e1000e;

import io.grantwire.pmd.driver.pci.BusAddresses;
import io.grantwire.pmd.driver.pci.CardRegisters;
import io.grantwire.pmd.ethdev.QueueCounters;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.EtherHeader;
import java.lang.foreign.MemorySegment;

/**
 * A receive queue: a ring of extended descriptors (sections 7.1.4 and 7.1.8), kept full of mbufs. A
 * frame longer than one mbuf comes in several descriptors, the last of which has EOP.
 *
 * <p>What the card writes back is read once and checked: a length beyond the buffer, or a frame
 * that does not end, costs that frame and nothing else.
 *
 * <p>One polling thread at a time; the other methods only while nobody polls.
 */
final class E1000eRxQueue {
    /** Refilling waits until this many are missing, to tell the card once. */
    private static final int REFILL_AT = 32;

    private static final int REFILL_BATCH = 64;

    private final int queue;
    private final int size;
    private final Mempool pool;
    private final BusAddresses addresses;
    private final CardRegisters card;
    private final QueueCounters counters;

    /** By descriptor: the mbuf that the card may write, 0 for none. */
    private final int[] posted;

    private final int[] fresh = new int[REFILL_BATCH];

    private MemorySegment ring = MemorySegment.NULL;
    private int bufferSize;
    private int maxFrame;

    /** The descriptor looked at next, the one posted next, and how many are posted. */
    private int next;

    private int tail;
    private int outstanding;

    /** The frame whose descriptors are coming in, its last mbuf, or that it is being dropped. */
    private int frame;

    private int frameEnd;
    private boolean dropping;

    /**
     * @param size descriptors, a multiple of 8
     * @param pool known to {@code addresses}
     */
    E1000eRxQueue(
            int queue,
            int size,
            Mempool pool,
            BusAddresses addresses,
            CardRegisters card,
            QueueCounters counters) {
        this.queue = queue;
        this.size = size;
        this.pool = pool;
        this.addresses = addresses;
        this.card = card;
        this.counters = counters;
        this.posted = new int[size];
    }

    /** Bytes that an mbuf of the pool has room for. */
    int room() {
        return pool.dataRoom();
    }

    int size() {
        return size;
    }

    /**
     * Begins with an empty ring, before the card has it.
     *
     * @param memory of {@link #size} descriptors
     * @param bufferBytes what RCTL says that a buffer holds
     * @param maxFrameBytes longest frame that is handed out
     */
    void prepare(MemorySegment memory, int bufferBytes, int maxFrameBytes) {
        ring = memory;
        bufferSize = bufferBytes;
        maxFrame = maxFrameBytes;
        ring.fill((byte) 0);
        next = 0;
        tail = 0;
        outstanding = 0;
        frame = 0;
        dropping = false;
    }

    /** Whether a descriptor has been written back that nobody has looked at. */
    boolean hasFrames() {
        long second =
                (long)
                        E1000eDescriptors.QUAD.getAcquire(
                                ring, E1000eDescriptors.at(next) + E1000eDescriptors.SECOND);
        return outstanding > 0 && (second & E1000eDescriptors.RX_DD) != 0;
    }

    int burst(int[] mbufs, int offset, int count) {
        MemorySegment ring = this.ring;
        int[] posted = this.posted;
        int size = this.size;
        int at = next;
        int most = outstanding;
        int looked = 0;
        int good = 0;
        int bad = 0;
        long bytes = 0;
        while (good < count && looked < most) {
            long desc = E1000eDescriptors.at(at);
            // Acquire: the frame's bytes and the first quadword are there when DD is.
            long second =
                    (long) E1000eDescriptors.QUAD.getAcquire(ring, desc + E1000eDescriptors.SECOND);
            int status = (int) second;
            if ((status & E1000eDescriptors.RX_DD) == 0) {
                break;
            }
            int m = posted[at];
            posted[at] = 0;
            looked++;
            int len = (int) (second >>> E1000eDescriptors.RX_LENGTH_SHIFT) & 0xFFFF;
            boolean last = (status & E1000eDescriptors.RX_EOP) != 0;
            if (!append(m, len)) {
                bad++;
            }
            if (last) {
                int head = frame;
                frame = 0;
                dropping = false;
                if (head != 0) {
                    if ((status & E1000eDescriptors.RX_DAMAGED) != 0
                            || Mbuf.pktLen(head) < EtherHeader.LENGTH) {
                        Mbuf.free(head);
                        bad++;
                    } else {
                        finish(head, status, second, ring.get(E1000eDescriptors.U64, desc));
                        mbufs[offset + good++] = head;
                        bytes += Mbuf.pktLen(head);
                    }
                }
            }
            at = at + 1 == size ? 0 : at + 1;
        }
        if (looked > 0) {
            next = at;
            outstanding = most - looked;
            if (good > 0) {
                counters.add(good, bytes);
            }
            if (bad > 0) {
                counters.addErrors(bad);
            }
        }
        if (size - 1 - outstanding >= REFILL_AT) {
            refill();
        }
        return good;
    }

    /**
     * Adds an mbuf to the frame that is coming in.
     *
     * @return false when that makes the frame a bad one, which is dropped up to its end
     */
    private boolean append(int m, int len) {
        if (dropping) {
            Mbuf.free(m);
            return true;
        }
        int head = frame;
        int total = len + (head == 0 ? 0 : Mbuf.pktLen(head));
        if (len > bufferSize || len == 0 || total > maxFrame) {
            Mbuf.free(m);
            if (head != 0) {
                Mbuf.free(head);
                frame = 0;
            }
            dropping = true;
            return false;
        }
        Mbuf.init(m, len, Mbuf.NO_PORT);
        if (head == 0) {
            frame = m;
        } else {
            Mbuf.setNext(frameEnd, m);
            Mbuf.setNbSegs(head, Mbuf.nbSegs(head) + 1);
            Mbuf.setPktLen(head, total);
        }
        frameEnd = m;
        return true;
    }

    private static void finish(int head, int status, long second, long first) {
        int flags = E1000eDescriptors.rxChecksumFlags(status);
        if ((status & E1000eDescriptors.RX_VP) != 0) {
            flags |= Mbuf.RX_VLAN | Mbuf.RX_VLAN_STRIPPED;
            Mbuf.setVlanTci(head, (int) (second >>> E1000eDescriptors.RX_VLAN_SHIFT));
        }
        if ((first & E1000eDescriptors.RX_RSS_TYPE_MASK) != 0) {
            flags |= Mbuf.RX_RSS_HASH;
            Mbuf.setHash(head, (int) (first >>> 32));
        }
        if (flags != 0) {
            Mbuf.setOlFlags(head, flags);
        }
    }

    /** Posts mbufs until the ring is full, all but one descriptor, or the pool is empty. */
    void refill() {
        MemorySegment ring = this.ring;
        int at = tail;
        int missing = size - 1 - outstanding;
        int before = missing;
        while (missing > 0) {
            int n = Math.min(missing, REFILL_BATCH);
            if (!pool.allocBulk(fresh, 0, n)) {
                counters.addNoMbuf(1);
                // A bulk fails as a whole: a ring that is almost dry takes what little there is.
                if (size - 1 - missing >= REFILL_AT || (n = allocFew(n)) == 0) {
                    break;
                }
            }
            for (int i = 0; i < n; i++) {
                int m = fresh[i];
                long desc = E1000eDescriptors.at(at);
                ring.set(E1000eDescriptors.U64, desc, addresses.of(m));
                ring.set(E1000eDescriptors.U64, desc + E1000eDescriptors.SECOND, 0L);
                posted[at] = m;
                at = at + 1 == size ? 0 : at + 1;
            }
            missing -= n;
        }
        if (missing != before) {
            tail = at;
            outstanding += before - missing;
            // The tail is one beyond the last (section 7.1.8); a release store.
            card.doorbell(E1000eRegisters.rdt(queue), at);
        }
    }

    private int allocFew(int most) {
        int n = 0;
        while (n < most && pool.allocBulk(fresh, n, 1)) {
            n++;
        }
        return n;
    }

    /** Frees the mbufs in the ring; the card no longer has it. */
    void drain() {
        Mbuf.free(frame);
        frame = 0;
        for (int i = 0; i < size; i++) {
            Mbuf.free(posted[i]);
            posted[i] = 0;
        }
        outstanding = 0;
    }
}
