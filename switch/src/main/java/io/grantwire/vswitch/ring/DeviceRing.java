package io.grantwire.vswitch.ring;

import io.grantwire.pmd.virtio.PeerMemory;
import io.grantwire.pmd.virtio.RingIndex;
import io.grantwire.pmd.virtio.SplitRingLayout;
import io.grantwire.pmd.virtio.VirtioNetHeader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The device side of one split ring in memory shared with a guest that may write anything there at
 * any time. This is the only code that follows a guest's descriptors; every path uses it.
 *
 * <p>It works on a window: {@link #fill} takes up to {@link #WINDOW} chains off the available ring
 * in one go, reads each of their descriptors exactly once, checks everything, and keeps the result
 * here as numbers. The chains of the window are then used in order, each ended by {@link
 * #complete}, and handed back together by {@link #publish}. A chain that stays in the window, since
 * its frame cannot be delivered now, is not read again.
 *
 * <p>Chains may have any form that the Virtio specification allows without indirect descriptors:
 * the 10-byte header may be split or share a buffer with the frame, and the frame may lie in any
 * number of buffers, empty ones among them. The stock front end's forms, one buffer for reception,
 * and a header descriptor with address 0 followed by one buffer for transmission, are such chains.
 *
 * <p>The first violation ends the service: {@link #violation()} says why, and from then on the
 * window does not fill again. The descriptor table and the available ring are never written.
 *
 * <p>One thread at a time, the polling one. Nothing here allocates after construction, and nothing
 * but a programming error throws.
 *
 * <p>Source: VIRTIO 1.2 section 2.7; docs/protocol.md.
 */
public final class DeviceRing {
    /** Chains taken off the available ring at once; a burst. */
    public static final int WINDOW = 32;

    /** Most bytes of one chain; more than the largest ring of 4 KiB buffers that anybody posts. */
    public static final int MAX_CHAIN_BYTES = 1 << 20;

    /** Bytes in front of each frame. */
    public static final int HEADER = VirtioNetHeader.SIZE;

    private static final ValueLayout.OfLong U64 =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    final MemorySegment ring;
    final GuestMemory memory;
    private final boolean deviceWrites;
    private final int size;
    final int mask;
    private final long availIdx;
    private final long availRing;
    private final long usedIdx;
    final long usedRing;

    /** The available index as last seen; chains up to here may be walked. */
    private int availSeen;

    /** The next entry of the available ring to walk; free-running 16 bits. */
    private int walked;

    /** The next entry of the used ring to write, and how far the guest has been told. */
    int used;

    private int published;

    private RejectReason violation;

    // The window: chains winPos to winEnd - 1 wait to be used. Chain c has the head heads[c], room
    // for (or) bytes[c] bytes of frame, and the buffers firstBuffer[c] to firstBuffer[c + 1] - 1.
    int winPos;
    int winEnd;
    final int[] heads = new int[WINDOW];
    final int[] bytes = new int[WINDOW];
    final int[] firstBuffer = new int[WINDOW + 1];
    final long[] places;
    final int[] lengths;

    /** Eight bytes to compose something in. */
    final MemorySegment scratch = Arena.ofAuto().allocate(8, 8);

    /** The range that the last buffer lay in; the next one's likely place. */
    private int lastRange;

    private DeviceRing(
            MemorySegment ring, SplitRingLayout layout, GuestMemory memory, boolean deviceWrites) {
        if (ring.byteSize() < layout.bytes()) {
            throw new IllegalArgumentException(
                    "a ring of "
                            + layout.size()
                            + " entries needs "
                            + layout.bytes()
                            + " bytes, not "
                            + ring.byteSize());
        }
        this.ring = ring;
        this.memory = memory;
        this.deviceWrites = deviceWrites;
        this.size = layout.size();
        this.mask = layout.mask();
        this.availIdx = layout.availIdx();
        this.availRing = layout.availEntry(0);
        this.usedIdx = layout.usedIdx();
        this.usedRing = layout.usedEntry(0);
        // One chain of ring length always fits behind a window of ordinary ones.
        this.places = new long[size + 4 * WINDOW];
        this.lengths = new int[size + 4 * WINDOW];
        // Chains complete in order, so what the used ring says is where the last back end stopped:
        // after a restart this one goes on there. The number is the guest's, but any is harmless.
        this.used = RingIndex.acquire(ring, usedIdx);
        this.published = used;
        this.walked = used;
        this.availSeen = used;
    }

    /**
     * A guest's receive ring: the device writes frames into it.
     *
     * @param ring its memory, page aligned; the caller keeps it mapped while the ring is used
     */
    public static DeviceRing receive(
            MemorySegment ring, SplitRingLayout layout, GuestMemory memory) {
        return new DeviceRing(ring, layout, memory, true);
    }

    /**
     * A guest's transmit ring: the device reads frames from it.
     *
     * @param ring its memory, page aligned; the caller keeps it mapped while the ring is used
     */
    public static DeviceRing transmit(
            MemorySegment ring, SplitRingLayout layout, GuestMemory memory) {
        return new DeviceRing(ring, layout, memory, false);
    }

    /** Why the ring is no longer served, or null while it is. */
    public RejectReason violation() {
        return violation;
    }

    /** Chains in the window. */
    public int waiting() {
        return winEnd - winPos;
    }

    /** Bytes of the window's first frame, or for a receive ring its room for a frame. */
    public int frameBytes() {
        return bytes[winPos];
    }

    /**
     * Fills the window when it is empty.
     *
     * @return chains in the window, 0 when the guest has put none into the ring
     */
    public int fill() {
        int n = winEnd - winPos;
        return n != 0 ? n : walkAvailable();
    }

    private int walkAvailable() {
        if (violation != null) {
            return 0;
        }
        int at = walked;
        int n = RingIndex.delta(availSeen, at);
        if (n == 0) {
            // Pairs with the guest's release of avail.idx: entries and descriptors are visible.
            availSeen = RingIndex.acquire(ring, availIdx);
            n = RingIndex.delta(availSeen, at);
            if (n == 0) {
                return 0;
            }
            if (n > size) {
                violation = RejectReason.AVAIL_IDX_JUMP;
                return 0;
            }
        }
        n = Math.min(n, WINDOW);
        int buffers = 0;
        int chains = 0;
        int room = places.length - size;
        while (chains < n && buffers <= room) {
            long entry = availRing + ((long) (at & mask) << 1);
            int head = PeerMemory.readU16(ring, entry);
            firstBuffer[chains] = buffers;
            heads[chains] = head;
            buffers = walkChain(chains, head, buffers);
            if (buffers < 0) {
                break;
            }
            at++;
            chains++;
            firstBuffer[chains] = buffers;
        }
        walked = at & 0xffff;
        winPos = 0;
        winEnd = chains;
        return chains;
    }

    /**
     * Walks one chain: each descriptor is read once, as two words, checked and translated.
     *
     * @param buffer where its buffers go
     * @return where the next chain's buffers go, or -1 after a violation
     */
    private int walkChain(int chain, int head, int buffer) {
        if (head >= size) {
            return reject(RejectReason.HEAD_OUT_OF_RANGE);
        }
        MemorySegment ring = this.ring;
        GuestMemory memory = this.memory;
        int forbidden = SplitRingLayout.F_INDIRECT;
        int required = 0;
        int skip = 0;
        if (deviceWrites) {
            required = SplitRingLayout.F_WRITE;
        } else {
            forbidden |= SplitRingLayout.F_WRITE;
            skip = HEADER;
        }
        int hops = size;
        int index = head;
        long total = 0;
        while (true) {
            long desc = SplitRingLayout.desc(index);
            long address = PeerMemory.read64(ring, desc + SplitRingLayout.DESC_ADDR);
            // len, flags and next in one load: u32, u16, u16, little endian.
            long rest = PeerMemory.read64(ring, desc + SplitRingLayout.DESC_LEN);
            long length = rest & 0xffff_ffffL;
            int flags = (int) (rest >>> 32) & 0xffff;
            if ((flags & forbidden) != 0 || (flags & required) != required) {
                return reject(badFlags(flags));
            }
            total += length;
            if (total > MAX_CHAIN_BYTES) {
                return reject(RejectReason.CHAIN_TOO_LONG);
            }
            if (length > skip) {
                long place = translate(memory, address, length);
                if (place < 0) {
                    return reject(RejectReason.decode(place));
                }
                places[buffer] = place + skip;
                lengths[buffer] = (int) length - skip;
                buffer++;
                skip = 0;
            } else {
                // Nothing but header, whose bytes mean nothing without offloads, so its address
                // may be anything; or an empty buffer (XSA-448).
                skip -= (int) length;
            }
            if ((flags & SplitRingLayout.F_NEXT) == 0) {
                break;
            }
            if (--hops == 0) {
                return reject(RejectReason.CHAIN_LOOP);
            }
            index = (int) (rest >>> 48);
            if (index >= size) {
                return reject(RejectReason.NEXT_OUT_OF_RANGE);
            }
        }
        if (total <= HEADER) {
            return reject(RejectReason.CHAIN_TOO_SHORT);
        }
        bytes[chain] = (int) total - HEADER;
        return buffer;
    }

    /** {@link GuestMemory#translate}, trying first the range that the last buffer lay in. */
    private long translate(GuestMemory memory, long address, long length) {
        int range = lastRange;
        long offset = address - memory.address(range);
        if (GuestMemory.fits(offset, length, memory.size(range))) {
            return GuestMemory.place(range, offset);
        }
        long place = memory.translate(address, length);
        if (place >= 0) {
            lastRange = GuestMemory.rangeOf(place);
        }
        return place;
    }

    private RejectReason badFlags(int flags) {
        if ((flags & SplitRingLayout.F_INDIRECT) != 0) {
            return RejectReason.INDIRECT;
        }
        return deviceWrites ? RejectReason.NOT_WRITABLE : RejectReason.NOT_READABLE;
    }

    private int reject(RejectReason reason) {
        violation = reason;
        return -1;
    }

    /**
     * Ends the window's first chain: its used entry is written, for the next {@link #publish}.
     *
     * @param length bytes written into the chain, header included; 0 on a transmit ring
     */
    public void complete(int length) {
        int at = used;
        writeUsed(at, heads[winPos++], length);
        used = at + 1;
    }

    /** Writes a used entry, id and len in one store. */
    private void writeUsed(int at, int head, int length) {
        ring.set(U64, usedRing + ((long) (at & mask) << 3), (long) length << 32 | head);
    }

    /** Tells the guest of all completed chains; once per burst. */
    public void publish() {
        int at = used;
        if (at != published) {
            published = at;
            // Pairs with the guest's acquire of used.idx: entries and frames are visible.
            RingIndex.release(ring, usedIdx, at);
        }
    }

    /**
     * Copies into the window's first chain. The caller has compared the length with {@link
     * #frameBytes}.
     *
     * @param at where in the chain, header included
     */
    public void write(int at, MemorySegment source, long offset, int length) {
        write(winPos, at, source, offset, length);
    }

    /** The same for any chain of the window. */
    void write(int chain, int at, MemorySegment source, long offset, int length) {
        int buffer = firstBuffer[chain];
        while (length > 0) {
            int room = lengths[buffer] - at;
            if (room > 0) {
                int n = Math.min(room, length);
                long place = places[buffer] + at;
                MemorySegment pool = memory.segment(GuestMemory.rangeOf(place));
                MemorySegment.copy(source, offset, pool, GuestMemory.offsetOf(place), n);
                offset += n;
                length -= n;
                at += n;
                room -= n;
            }
            if (room <= 0) {
                at -= lengths[buffer];
                buffer++;
            }
        }
    }

    /**
     * Copies out of the frame of the window's first chain, without the header. The caller has
     * compared the length with {@link #frameBytes}.
     *
     * @param at where in the frame
     */
    public void read(int at, MemorySegment target, long offset, int length) {
        int buffer = firstBuffer[winPos];
        while (length > 0) {
            int rest = lengths[buffer] - at;
            if (rest > 0) {
                int n = Math.min(rest, length);
                long place = places[buffer] + at;
                MemorySegment pool = memory.segment(GuestMemory.rangeOf(place));
                MemorySegment.copy(pool, GuestMemory.offsetOf(place), target, offset, n);
                offset += n;
                length -= n;
                at += n;
                rest -= n;
            }
            if (rest <= 0) {
                at -= lengths[buffer];
                buffer++;
            }
        }
    }
}
