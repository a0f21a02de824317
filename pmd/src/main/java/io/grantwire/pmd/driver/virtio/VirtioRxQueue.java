package io.grantwire.pmd.driver.virtio;

import io.grantwire.pmd.driver.pci.BusAddresses;
import io.grantwire.pmd.ethdev.QueueCounters;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.EtherHeader;
import io.grantwire.pmd.net.VlanTag;
import io.grantwire.pmd.virtio.PeerMemory;
import io.grantwire.pmd.virtio.SplitRingDriver;
import io.grantwire.pmd.virtio.VirtioNetHeader;
import java.lang.foreign.MemorySegment;

/**
 * A receive queue. Each mbuf is one buffer, with room for the header in its headroom right before
 * the data; with mergeable buffers a frame takes as many as its header says (section 5.1.6.4), and
 * only the first has a header.
 *
 * <p>The ring checks what the device says it used; here the header is read once and checked: a
 * frame that is too long, or of no buffer at all, is dropped and counted.
 *
 * <p>One polling thread at a time; the other methods only while nobody polls.
 */
final class VirtioRxQueue {
    private static final int REFILL_AT = 32;
    private static final int BATCH = 64;

    /** Bits of the header's {@code flags}: checksum not finished, checksum seen to be right. */
    private static final int F_NEEDS_CSUM = 1;

    private static final int F_DATA_VALID = 2;

    private final Mempool pool;
    private final int size;
    private final BusAddresses addresses;
    private final QueueCounters counters;
    private final int[] taken = new int[BATCH];
    private final int[] lengths = new int[BATCH];
    private final int[] fresh = new int[BATCH];
    private final long[] freshAddresses = new long[BATCH];
    private final int[] left;

    private SplitRingDriver ring;
    private VirtioNotifier notifier;
    private boolean mergeable;
    private boolean checksums;
    private boolean strip;
    private int maxFrame;

    /** The frame that is coming in, its last mbuf, buffers to come, or 0 when it is dropped. */
    private int frame;

    private int frameEnd;
    private int buffersToCome;
    private int header;
    private int sumStart;
    private int sumOffset;

    /**
     * @param size descriptors, a power of two
     * @param pool known to {@code addresses}
     */
    VirtioRxQueue(int size, Mempool pool, BusAddresses addresses, QueueCounters counters) {
        this.size = size;
        this.pool = pool;
        this.addresses = addresses;
        this.counters = counters;
        this.left = new int[size];
    }

    int size() {
        return size;
    }

    /** Bytes that an mbuf of the pool has room for. */
    int room() {
        return pool.dataRoom();
    }

    /**
     * Begins with an empty ring, before the device has it.
     *
     * @param mergeable whether a frame may take several buffers
     * @param checksums whether the driver has asked for unfinished checksums
     * @param maxFrameBytes longest frame that is handed out
     */
    void prepare(
            SplitRingDriver newRing,
            VirtioNotifier newNotifier,
            boolean mergeable,
            boolean checksums,
            int maxFrameBytes) {
        ring = newRing;
        notifier = newNotifier;
        this.mergeable = mergeable;
        this.checksums = checksums;
        maxFrame = maxFrameBytes;
        frame = 0;
        buffersToCome = 0;
        notifier.suppress(0);
    }

    /** Whether tags are taken off; the device cannot, so it is done here. */
    void setStrip(boolean on) {
        strip = on;
    }

    /** What the device did wrong, if anything. */
    SplitRingDriver.Fault fault() {
        return ring == null ? SplitRingDriver.Fault.NONE : ring.fault();
    }

    /** Doorbells rung. */
    long kicks() {
        return notifier == null ? 0 : notifier.kicks();
    }

    /** Asks for an interrupt; the answer says whether there are frames already. */
    boolean arm() {
        notifier.allow(ring.usedIdx());
        return ring.hasUsed();
    }

    /** Asks for no interrupt any more. */
    boolean disarm() {
        notifier.suppress(ring.usedIdx());
        return ring.hasUsed();
    }

    int burst(int[] mbufs, int offset, int count) {
        SplitRingDriver ring = this.ring;
        int good = 0;
        int bad = 0;
        long bytes = 0;
        // Bounded: buffers are posted again at the end only.
        while (good < count) {
            int n = ring.take(taken, 0, lengths, Math.min(count - good, BATCH));
            if (n == 0) {
                break;
            }
            for (int i = 0; i < n; i++) {
                if (!append(taken[i], lengths[i])) {
                    bad++;
                }
                if (buffersToCome == 0 && frame != 0) {
                    int head = frame;
                    frame = 0;
                    if (finish(head)) {
                        mbufs[offset + good++] = head;
                        bytes += Mbuf.pktLen(head);
                    } else {
                        Mbuf.free(head);
                        bad++;
                    }
                }
            }
        }
        if (good > 0) {
            counters.add(good, bytes);
        }
        if (bad > 0) {
            counters.addErrors(bad);
        }
        if (ring.free() >= REFILL_AT) {
            refill();
        }
        return good;
    }

    /**
     * Takes in a buffer.
     *
     * @return false when that makes the frame a bad one, which is dropped up to its end
     */
    private boolean append(int m, int used) {
        if (buffersToCome == 0) {
            return begin(m, used);
        }
        buffersToCome--;
        int head = frame;
        if (head == 0) {
            Mbuf.free(m);
            return true;
        }
        int total = Mbuf.pktLen(head) + used;
        if (used == 0 || total > maxFrame) {
            Mbuf.free(m);
            Mbuf.free(head);
            frame = 0;
            return false;
        }
        Mbuf.init(m, used, Mbuf.NO_PORT);
        // No header here: the data begin where the buffer does.
        Mbuf.setHeadroom(m, Mempool.HEADROOM - VirtioNetHeader.MERGEABLE_SIZE);
        Mbuf.setNext(frameEnd, m);
        Mbuf.setNbSegs(head, Mbuf.nbSegs(head) + 1);
        Mbuf.setPktLen(head, total);
        frameEnd = m;
        return true;
    }

    private boolean begin(int m, int used) {
        int len = used - VirtioNetHeader.MERGEABLE_SIZE;
        if (len <= 0) {
            Mbuf.free(m);
            return false;
        }
        MemorySegment segment = Mbuf.segment(m);
        long at = Mbuf.offset(m) - VirtioNetHeader.MERGEABLE_SIZE;
        int buffers = mergeable ? PeerMemory.readU16(segment, at + VirtioNetHeader.NUM_BUFFERS) : 1;
        if (buffers == 0 || buffers > size || len > maxFrame) {
            Mbuf.free(m);
            // What follows belongs to this frame, as far as it can be believed.
            buffersToCome = buffers == 0 || buffers > size ? 0 : buffers - 1;
            return false;
        }
        header = PeerMemory.readU8(segment, at + VirtioNetHeader.FLAGS);
        if ((header & F_NEEDS_CSUM) != 0) {
            sumStart = PeerMemory.readU16(segment, at + VirtioNetHeader.CSUM_START);
            sumOffset = PeerMemory.readU16(segment, at + VirtioNetHeader.CSUM_OFFSET);
        }
        Mbuf.init(m, len, Mbuf.NO_PORT);
        buffersToCome = buffers - 1;
        frame = m;
        frameEnd = m;
        return true;
    }

    /** Makes a whole frame one to be handed out; false when it is none. */
    private boolean finish(int head) {
        if (Mbuf.pktLen(head) < EtherHeader.LENGTH) {
            return false;
        }
        if (checksums) {
            if ((header & F_NEEDS_CSUM) != 0) {
                if (!VirtioChecksums.finish(head, sumStart, sumOffset)) {
                    return false;
                }
                Mbuf.setOlFlags(head, Mbuf.RX_L4_CKSUM_GOOD);
            } else if ((header & F_DATA_VALID) != 0) {
                Mbuf.setOlFlags(head, Mbuf.RX_L4_CKSUM_GOOD);
            }
        }
        if (strip) {
            VlanTag.strip(head);
        }
        return true;
    }

    /** Posts mbufs until the ring is full or the pool is empty, and tells the device. */
    void refill() {
        SplitRingDriver ring = this.ring;
        int length = pool.dataRoom() + VirtioNetHeader.MERGEABLE_SIZE;
        int before = ring.availIdx();
        int missing = ring.free();
        while (missing > 0) {
            int n = Math.min(missing, BATCH);
            if (!pool.allocBulk(fresh, 0, n)) {
                counters.addNoMbuf(1);
                // A bulk fails as a whole: a ring that is almost dry takes what little there is.
                if (ring.outstanding() >= REFILL_AT || (n = allocFew(n)) == 0) {
                    break;
                }
            }
            for (int i = 0; i < n; i++) {
                freshAddresses[i] = addresses.of(fresh[i]) - VirtioNetHeader.MERGEABLE_SIZE;
            }
            ring.postReceive(fresh, freshAddresses, length, n);
            missing -= n;
        }
        if (ring.availIdx() != before) {
            notifier.kick(before, ring.availIdx());
        }
    }

    private int allocFew(int most) {
        int n = 0;
        while (n < most && pool.allocBulk(fresh, n, 1)) {
            n++;
        }
        return n;
    }

    /** Frees the mbufs in the ring; the device no longer has it. */
    void drain() {
        Mbuf.free(frame);
        frame = 0;
        if (ring != null) {
            Mempool.freeBulk(left, 0, ring.abandon(left));
        }
    }
}
