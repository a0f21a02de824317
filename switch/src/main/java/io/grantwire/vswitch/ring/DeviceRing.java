package io.grantwire.vswitch.ring;

import io.grantwire.bindings.raw.HostMemory;
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
 * <p>What the walker keeps of a buffer is its address in this process together with the length that
 * was checked; it never leaves this package, and every copy here is of that length or less. The
 * accesses go through {@link HostMemory#ALL}, see there for why.
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

    /** Another chain is walked while no more buffers than this are written down. */
    private static final int SPILL_LIMIT = 4 * WINDOW;

    private static final int CHECKED_FLAGS = SplitRingLayout.F_INDIRECT | SplitRingLayout.F_WRITE;

    private static final ValueLayout.OfShort U16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong U64 =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    static final MemorySegment ALL = HostMemory.ALL;

    /** Keeps the memory reachable; accesses go through its address. */
    private final MemorySegment segment;

    private final long ring;
    private final GuestMemory memory;
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

    // The window: chains winPos to winEnd - 1 wait to be used. A chain is two words: where its
    // buffer is, or for one of several buffers their index in places and lengths; and what CHAIN_*
    // say. Two words and not five arrays, since every one costs the packet path a store and a load.
    int winPos;
    int winEnd;
    final long[] window = new long[2 * WINDOW];
    final long[] places;
    final int[] lengths;

    /** The second word of a chain: its head in bits 0 to 15, */
    static final int CHAIN_HEAD_MASK = 0xffff;

    /** bytes or room of its frame in bits 16 to 39, */
    static final int CHAIN_BYTES_SHIFT = 16;

    static final int CHAIN_BYTES_MASK = 0xff_ffff;

    /** and its number of buffers above. */
    static final int CHAIN_BUFFERS_SHIFT = 40;

    /** Keeps what {@link #touch} has read, so that the reading is not left out. */
    private int touched;

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
        this.segment = ring;
        this.ring = ring.address();
        this.memory = memory;
        this.deviceWrites = deviceWrites;
        this.size = layout.size();
        this.mask = layout.mask();
        this.availIdx = this.ring + layout.availIdx();
        this.availRing = this.ring + layout.availEntry(0);
        this.usedIdx = this.ring + layout.usedIdx();
        this.usedRing = this.ring + layout.usedEntry(0);
        this.places = new long[SPILL_LIMIT + 1 + size];
        this.lengths = new int[SPILL_LIMIT + 1 + size];
        // Chains complete in order, so what the used ring says is where the last back end stopped:
        // after a restart this one goes on there. The number is the guest's, but any is harmless.
        this.used = RingIndex.acquire(ALL, usedIdx);
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
        return bytes(winPos);
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
            availSeen = RingIndex.acquire(ALL, availIdx);
            n = RingIndex.delta(availSeen, at);
            if (n == 0) {
                return 0;
            }
            if (n > size) {
                violation = RejectReason.AVAIL_IDX_JUMP;
                return 0;
            }
        }
        int chains = walk(at, Math.min(n, WINDOW));
        walked = at + chains & 0xffff;
        winPos = 0;
        winEnd = chains;
        return chains;
    }

    /**
     * The walker. Follows up to {@code most} chains from an entry of the available ring on, in one
     * loop over descriptors: each is read once, as two words, checked and translated. Stops early
     * at a violation, or when the buffers' arrays might not hold another chain.
     *
     * @return chains that are in the window now
     */
    private int walk(int at, int most) {
        long ring = this.ring;
        long[] window = this.window;
        int size = this.size;
        int mask = this.mask;
        long availRing = this.availRing;
        int expected = deviceWrites ? SplitRingLayout.F_WRITE : 0;
        int header = deviceWrites ? 0 : HEADER;
        GuestMemory memory = this.memory;
        int range = lastRange;
        long rangeAddress = memory.address(range);
        long rangeSize = memory.size(range);
        long rangeHost = memory.host(range);

        int chains = 0;
        int spilled = 0; // used part of places and lengths
        int head = PeerMemory.readU16(ALL, availRing + ((long) (at & mask) << 1));
        if (head >= size) {
            return reject(RejectReason.HEAD_OUT_OF_RANGE, 0);
        }
        int index = head;
        int hops = size;
        int skip = header;
        int total = 0;
        int buffers = 0;
        long place = 0;
        int length = 0;
        while (true) {
            long desc = ring + SplitRingLayout.desc(index);
            long address = PeerMemory.read64(ALL, desc + SplitRingLayout.DESC_ADDR);
            // len, flags and next in one load: u32, u16, u16, little endian.
            long rest = PeerMemory.read64(ALL, desc + SplitRingLayout.DESC_LEN);
            if (((int) (rest >>> 32) & CHECKED_FLAGS) != expected) {
                return reject(badFlags((int) (rest >>> 32)), chains);
            }
            long bytes = rest & 0xffff_ffffL;
            if (bytes > MAX_CHAIN_BYTES - total) {
                return reject(RejectReason.CHAIN_TOO_LONG, chains);
            }
            total += (int) bytes;
            if (bytes > skip) {
                long offset = address - rangeAddress;
                if (!GuestMemory.fits(offset, bytes, rangeSize)) {
                    long found = memory.translate(address, bytes);
                    if (found < 0) {
                        return reject(RejectReason.decode(found), chains);
                    }
                    range = GuestMemory.rangeOf(found);
                    rangeAddress = memory.address(range);
                    rangeSize = memory.size(range);
                    rangeHost = memory.host(range);
                    lastRange = range;
                    offset = GuestMemory.offsetOf(found);
                }
                if (buffers > 0) {
                    spilled = spill(place, length, spilled);
                }
                place = rangeHost + offset + skip;
                length = (int) bytes - skip;
                buffers++;
                skip = 0;
            } else {
                // Nothing but header, whose bytes mean nothing without offloads, so its address
                // may be anything; or an empty buffer (XSA-448).
                skip -= (int) bytes;
            }
            if ((rest & (long) SplitRingLayout.F_NEXT << 32) != 0) {
                index = (int) (rest >>> 48);
                if (--hops == 0) {
                    return reject(RejectReason.CHAIN_LOOP, chains);
                }
                if (index >= size) {
                    return reject(RejectReason.NEXT_OUT_OF_RANGE, chains);
                }
                continue;
            }
            if (total <= HEADER) {
                return reject(RejectReason.CHAIN_TOO_SHORT, chains);
            }
            if (buffers > 1) {
                spilled = spill(place, length, spilled);
                place = spilled - buffers;
            }
            window[2 * chains] = place;
            window[2 * chains + 1] =
                    (long) buffers << CHAIN_BUFFERS_SHIFT
                            | (long) (total - HEADER) << CHAIN_BYTES_SHIFT
                            | head;
            chains++;
            if (chains == most || spilled > SPILL_LIMIT) {
                return chains;
            }
            head = PeerMemory.readU16(ALL, availRing + ((long) (at + chains & mask) << 1));
            if (head >= size) {
                return reject(RejectReason.HEAD_OUT_OF_RANGE, chains);
            }
            index = head;
            hops = size;
            skip = header;
            total = 0;
            buffers = 0;
        }
    }

    /** Writes down a buffer of a chain of several; returns the used part of the arrays. */
    private int spill(long place, int length, int spilled) {
        places[spilled] = place;
        lengths[spilled] = length;
        return spilled + 1;
    }

    private RejectReason badFlags(int flags) {
        if ((flags & SplitRingLayout.F_INDIRECT) != 0) {
            return RejectReason.INDIRECT;
        }
        return deviceWrites ? RejectReason.NOT_WRITABLE : RejectReason.NOT_READABLE;
    }

    /** Remembers the violation; the chains before it are good. */
    private int reject(RejectReason reason, int chains) {
        violation = reason;
        return chains;
    }

    /**
     * Ends the window's first chain: its used entry is written, for the next {@link #publish}.
     *
     * @param length bytes written into the chain, header included; 0 on a transmit ring
     */
    public void complete(int length) {
        int at = used;
        long head = window[2 * winPos + 1] & CHAIN_HEAD_MASK;
        use(usedRing + ((long) (at & mask) << 3), (long) length << 32 | head);
        winPos++;
        used = at + 1;
    }

    /**
     * Writes an entry of the used ring, id and len as one word. One that says so already is only
     * looked at, which leaves its line in both sides' caches: a guest that reuses its descriptors
     * in order finds the same head in the same entry for ever. What is read decides about nothing
     * else, so it may be whatever a guest has written there.
     */
    static void use(long entry, long word) {
        if (ALL.get(U64, entry) != word) {
            ALL.set(U64, entry, word);
        }
    }

    /**
     * Makes the {@link #HEADER} bytes in front of a frame zero. They usually are, since no front
     * end has reason to write there: looking costs less than two more stores behind those that wait
     * for the frame's line. What is read decides about nothing else.
     */
    static void clearHeader(long at) {
        if (ALL.get(U64, at) != 0) {
            ALL.set(U64, at, 0L);
        }
        if (ALL.get(U16, at + 8) != 0) {
            ALL.set(U16, at + 8, (short) 0);
        }
    }

    /** Tells the guest of all completed chains; once per burst. */
    public void publish() {
        int at = used;
        if (at != published) {
            published = at;
            // Pairs with the guest's acquire of used.idx: entries and frames are visible.
            RingIndex.release(ALL, usedIdx, at);
        }
    }

    /**
     * Looks at the first byte of the window's next frames, so that their lines come from the other
     * core's cache all at once and not one after the other, when each is copied. What is read means
     * nothing: the copy reads it again.
     *
     * @param n how many, no more than are waiting
     */
    void touch(int n) {
        long[] window = this.window;
        int sum = 0;
        for (int i = winPos; i < winPos + n; i++) {
            if (window[2 * i + 1] >>> CHAIN_BUFFERS_SHIFT == 1) {
                sum += ALL.get(ValueLayout.JAVA_BYTE, window[2 * i]);
            }
        }
        touched = sum;
    }

    /** Number of buffers of a chain of the window. */
    int buffers(int chain) {
        return (int) (window[2 * chain + 1] >>> CHAIN_BUFFERS_SHIFT);
    }

    /** Where a buffer of a chain of the window is. */
    long place(int chain, int buffer) {
        long place = window[2 * chain];
        return buffers(chain) == 1 ? place : places[(int) place + buffer];
    }

    /** Bytes of a buffer of a chain of the window. */
    int length(int chain, int buffer) {
        if (buffers(chain) > 1) {
            return lengths[(int) window[2 * chain] + buffer];
        }
        int frame = bytes(chain);
        return deviceWrites ? frame + HEADER : frame;
    }

    /** Bytes or room of the frame of a chain of the window. */
    int bytes(int chain) {
        return (int) (window[2 * chain + 1] >>> CHAIN_BYTES_SHIFT) & CHAIN_BYTES_MASK;
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
        for (int buffer = 0; length > 0; buffer++) {
            int size = length(chain, buffer);
            if (at < size) {
                int n = Math.min(size - at, length);
                MemorySegment.copy(source, offset, ALL, place(chain, buffer) + at, n);
                offset += n;
                length -= n;
                at += n;
            }
            at -= size;
        }
    }

    /**
     * Copies out of the frame of the window's first chain, without the header. The caller has
     * compared the length with {@link #frameBytes}.
     *
     * @param at where in the frame
     */
    public void read(int at, MemorySegment target, long offset, int length) {
        int chain = winPos;
        for (int buffer = 0; length > 0; buffer++) {
            int size = length(chain, buffer);
            if (at < size) {
                int n = Math.min(size - at, length);
                MemorySegment.copy(ALL, place(chain, buffer) + at, target, offset, n);
                offset += n;
                length -= n;
                at += n;
            }
            at -= size;
        }
    }
}
