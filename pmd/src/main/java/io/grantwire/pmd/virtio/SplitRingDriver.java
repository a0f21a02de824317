package io.grantwire.pmd.virtio;

import io.grantwire.bindings.raw.HostMemory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The driver's (front end's) side of one split virtqueue: posts buffers, publishes them, takes back
 * what the device has used. It knows descriptors and indices only; buffers are opaque handles, int
 * values other than zero.
 *
 * <p>A receive ring spends one device-writable descriptor on each buffer. A transmit ring spends
 * two, as xenvirt's back end expects: D0 stands for the header (address 0, length 10, never looked
 * at by the original), D1 is the frame. Descriptors are paired for good; all D0 are in the table's
 * first half and are written once, all D1 in the second. Free pairs are reused in the order they
 * came back: a device that completes in order then finds the same head in the same slot for ever,
 * and the lines of the avail ring stay clean in both caches.
 *
 * <p>The device is not trusted (XSA-391, XSA-396, XSA-403): all state lives in this object; what
 * the device wrote is read once and checked. The first violation sets {@link #fault()}; from then
 * on nothing is taken or posted. No method throws, allocates, locks, or makes a volatile access.
 *
 * <p>One thread at a time. The memory belongs to the caller and must outlive the last call.
 *
 * <p>Source: VIRTIO 1.2 sections 2.7.5 to 2.7.14; xenvirt protocol (docs/protocol.md).
 */
public final class SplitRingDriver {
    /** What a device did wrong. */
    public enum Fault {
        /** Nothing. */
        NONE,
        /** {@code used.idx} claims more buffers than were posted. */
        USED_INDEX,
        /** {@code used.id} is no head of ours: out of range, or the middle of a chain. */
        USED_ID,
        /** {@code used.id} names a buffer that is not with the device, or was returned already. */
        NOT_OUTSTANDING,
        /** {@code used.len} is more than the buffer that was posted holds. */
        USED_LENGTH
    }

    private static final VarHandle FAULT;

    static {
        try {
            FAULT =
                    MethodHandles.lookup()
                            .findVarHandle(SplitRingDriver.class, "fault", Fault.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static final ValueLayout.OfLong U64 =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort U16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /**
     * The packet path goes through this constant segment with absolute addresses, see {@link
     * HostMemory} for why. Every offset is that of a slot or a descriptor below the ring's size, so
     * all of them lie in {@link #memory}.
     */
    private static final MemorySegment ALL = HostMemory.ALL;

    /** Keeps the ring's memory reachable. */
    private final MemorySegment memory;

    private final long ring;
    private final SplitRingLayout layout;
    private final int size;
    private final int mask;
    private final boolean transmit;

    /** A buffer is a unit; unit u's head is descriptor u. */
    private final int unitMask;

    /** A frame's descriptor is so many behind its head; 0 when it is the head. */
    private final int dataDescs;

    /** By unit: the handle that is with the device, 0 for none. */
    private final int[] handles;

    /** By unit: how many bytes the device may write. */
    private final int[] writable;

    /** Free units, first in first out: free-running positions, as many slots as units. */
    private final int[] free;

    /** By avail slot: the head it holds, so that a slot that is right already is not dirtied. */
    private final short[] availHeads;

    private final long availIdxAt;
    private final long availEntriesAt;
    private final long usedIdxAt;
    private final long usedEntriesAt;

    private int freeHead;
    private int freeTail;
    private int avail;
    private int used;
    private Fault fault = Fault.NONE;

    private SplitRingDriver(MemorySegment ring, SplitRingLayout layout, boolean transmit) {
        if (ring.byteSize() < layout.bytes()) {
            throw new IllegalArgumentException(
                    "a ring of "
                            + layout.size()
                            + " needs "
                            + layout.bytes()
                            + " bytes, not "
                            + ring.byteSize());
        }
        if (!ring.isNative() || (ring.address() & 7) != 0) {
            throw new IllegalArgumentException(
                    "a ring needs memory outside the heap, aligned to 8 bytes");
        }
        this.memory = ring.asSlice(0, layout.bytes());
        this.ring = ring.address();
        this.layout = layout;
        this.size = layout.size();
        this.mask = layout.mask();
        this.transmit = transmit;
        int units = transmit ? size >> 1 : size;
        this.unitMask = units - 1;
        this.dataDescs = transmit ? units : 0;
        this.handles = new int[units];
        this.writable = new int[units];
        this.free = new int[units];
        this.availHeads = new short[size];
        this.availIdxAt = this.ring + layout.availIdx();
        this.availEntriesAt = this.ring + layout.availEntry(0);
        this.usedIdxAt = this.ring + layout.usedIdx();
        this.usedEntriesAt = this.ring + layout.usedEntry(0);
        initialise();
    }

    /**
     * A ring whose buffers the device fills. The memory is initialised; no device may have it yet.
     *
     * @param ring at least {@code layout.bytes()} bytes, page aligned
     */
    public static SplitRingDriver receive(MemorySegment ring, SplitRingLayout layout) {
        return new SplitRingDriver(ring, layout, false);
    }

    /**
     * A ring whose buffers the device reads, two descriptors each. The memory is initialised; no
     * device may have it yet.
     *
     * @param ring at least {@code layout.bytes()} bytes, page aligned
     */
    public static SplitRingDriver transmit(MemorySegment ring, SplitRingLayout layout) {
        return new SplitRingDriver(ring, layout, true);
    }

    private void initialise() {
        memory.fill((byte) 0);
        for (int i = 0; i < size; i++) {
            int next = i < size - 1 ? i + 1 : SplitRingLayout.END_OF_LIST;
            memory.set(U16, SplitRingLayout.desc(i) + SplitRingLayout.DESC_NEXT, (short) next);
        }
        for (int unit = 0; unit <= unitMask; unit++) {
            free[unit] = unit;
            if (transmit) {
                memory.set(
                        U64,
                        SplitRingLayout.desc(unit) + SplitRingLayout.DESC_LEN,
                        word(VirtioNetHeader.SIZE, SplitRingLayout.F_NEXT, unit + dataDescs));
            }
        }
        freeTail = unitMask + 1;
        // Zeroed memory says head 0 in every slot, which the shadow does as well.
        Arrays.fill(availHeads, (short) 0);
    }

    /** The second half of a descriptor: len, flags, next. */
    private static long word(int len, int flags, int next) {
        return (len & 0xffff_ffffL) | (long) flags << 32 | (long) next << 48;
    }

    /** The layout the ring was made with. */
    public SplitRingLayout layout() {
        return layout;
    }

    /** The most buffers that can be with the device. */
    public int capacity() {
        return unitMask + 1;
    }

    /** How many more buffers can be posted now; none after a fault. */
    public int free() {
        return fault == Fault.NONE ? freeTail - freeHead : 0;
    }

    /** How many buffers are with the device, or have come back and were not taken yet. */
    public int outstanding() {
        return unitMask + 1 - (freeTail - freeHead);
    }

    /** {@code avail.idx} as published last, 0 to 65535. */
    public int availIdx() {
        return avail;
    }

    /** The {@code used.idx} up to which {@link #take} has taken, 0 to 65535. */
    public int usedIdx() {
        return used;
    }

    /** Whether the device claims to have used buffers that were not taken yet. */
    public boolean hasUsed() {
        return fault == Fault.NONE && RingIndex.acquire(ALL, usedIdxAt) != used;
    }

    /** What the device did wrong first, if anything. Any thread may ask. */
    public Fault fault() {
        return (Fault) FAULT.getOpaque(this);
    }

    /**
     * Posts buffers for the device to fill and publishes them with one ordered store. A receive
     * ring only.
     *
     * @param buffers handles, none zero
     * @param addresses where each buffer starts, in the device's terms
     * @param length bytes in each buffer
     * @param n how many, from the arrays' beginning
     * @return how many were posted, the first ones; fewer than n when the ring is full
     */
    public int postReceive(int[] buffers, long[] addresses, int length, int n) {
        int count = Math.min(n, free());
        if (count <= 0) {
            return 0;
        }
        long ring = this.ring;
        int[] free = this.free;
        int[] handles = this.handles;
        int[] writable = this.writable;
        int head = freeHead;
        int idx = avail;
        long word = word(length, SplitRingLayout.F_WRITE, 0);
        for (int i = 0; i < count; i++) {
            int unit = free[(head + i) & unitMask];
            handles[unit] = buffers[i];
            writable[unit] = length;
            // Length and flags as well: the original back end overwrites the length.
            describe(ring + SplitRingLayout.desc(unit), addresses[i], word);
            offer(idx + i, unit);
        }
        freeHead = head + count;
        publish(idx + count);
        return count;
    }

    /**
     * Posts frames for the device to read and publishes them with one ordered store. A transmit
     * ring only.
     *
     * @param buffers handles, none zero
     * @param addresses where each frame starts, in the device's terms
     * @param lengths bytes of each frame
     * @param n how many, from the arrays' beginning
     * @return how many were posted, the first ones; fewer than n when the ring is full
     */
    public int postTransmit(int[] buffers, long[] addresses, int[] lengths, int n) {
        int count = Math.min(n, free());
        if (count <= 0) {
            return 0;
        }
        long ring = this.ring;
        int[] free = this.free;
        int[] handles = this.handles;
        int head = freeHead;
        int idx = avail;
        for (int i = 0; i < count; i++) {
            int unit = free[(head + i) & unitMask];
            handles[unit] = buffers[i];
            long desc = ring + SplitRingLayout.desc(unit + dataDescs);
            describe(desc, addresses[i], word(lengths[i], 0, 0));
            offer(idx + i, unit);
        }
        freeHead = head + count;
        publish(idx + count);
        return count;
    }

    /**
     * Makes a descriptor say where a buffer is. One that says so already is only looked at, which
     * leaves its line in both sides' caches: buffers often come back to where they were.
     */
    private static void describe(long desc, long address, long word) {
        if (PeerMemory.read64(ALL, desc + SplitRingLayout.DESC_ADDR) != address) {
            ALL.set(U64, desc + SplitRingLayout.DESC_ADDR, address);
        }
        if (PeerMemory.read64(ALL, desc + SplitRingLayout.DESC_LEN) != word) {
            ALL.set(U64, desc + SplitRingLayout.DESC_LEN, word);
        }
    }

    private void offer(int idx, int descHead) {
        int slot = idx & mask;
        if (availHeads[slot] != (short) descHead) {
            availHeads[slot] = (short) descHead;
            ALL.set(U16, availEntriesAt + ((long) slot << 1), (short) descHead);
        }
    }

    private void publish(int idx) {
        avail = idx & 0xffff;
        // Descriptors and ring entries become visible before the index: pairs with the device's
        // acquire of avail.idx.
        RingIndex.release(ALL, availIdxAt, idx);
    }

    /**
     * Takes back buffers that the device has used, in the order it used them.
     *
     * @param buffers receives the handles, from index {@code offset} on
     * @param lengths receives {@code used.len} of each, from 0 to what was posted, from index 0 on;
     *     may be null on a transmit ring, where the field means nothing
     * @param max the most to take; the arrays have room for them
     * @return how many were taken; what comes before a violation is still handed out
     */
    public int take(int[] buffers, int offset, int[] lengths, int max) {
        if (fault != Fault.NONE) {
            return 0;
        }
        int idx = used;
        // Pairs with the device's release of used.idx: entries and packet bytes are visible now.
        int ready = RingIndex.delta(RingIndex.acquire(ALL, usedIdxAt), idx);
        if (ready == 0) {
            return 0;
        }
        if (ready > outstanding()) {
            FAULT.setOpaque(this, Fault.USED_INDEX);
            return 0;
        }
        int[] handles = this.handles;
        int[] writable = this.writable;
        int[] free = this.free;
        int tail = freeTail;
        int count = Math.min(ready, max);
        Fault bad = Fault.NONE;
        int taken = 0;
        while (taken < count) {
            long entry = usedEntriesAt + ((long) ((idx + taken) & mask) << 3);
            int unit = PeerMemory.read32(ALL, entry + SplitRingLayout.USED_ID);
            if (Integer.compareUnsigned(unit, unitMask) > 0) {
                bad = Fault.USED_ID;
                break;
            }
            int handle = handles[unit];
            if (handle == 0) {
                bad = Fault.NOT_OUTSTANDING;
                break;
            }
            if (!transmit) {
                int len = PeerMemory.read32(ALL, entry + SplitRingLayout.USED_LEN);
                if (Integer.compareUnsigned(len, writable[unit]) > 0) {
                    bad = Fault.USED_LENGTH;
                    break;
                }
                lengths[taken] = len;
            }
            handles[unit] = 0;
            buffers[offset + taken++] = handle;
            free[tail++ & unitMask] = unit;
        }
        freeTail = tail;
        used = (idx + taken) & 0xffff;
        if (bad != Fault.NONE) {
            FAULT.setOpaque(this, bad);
        }
        return taken;
    }

    /**
     * Gives up the ring: hands out every buffer that is still with the device. Only after the
     * device can no longer reach the ring, since it could still write those buffers.
     *
     * @param buffers receives the handles; room for {@link #capacity()}
     * @return how many there were
     */
    public int abandon(int[] buffers) {
        int n = 0;
        for (int unit = 0; unit <= unitMask; unit++) {
            if (handles[unit] != 0) {
                buffers[n++] = handles[unit];
                handles[unit] = 0;
                free[freeTail++ & unitMask] = unit;
            }
        }
        return n;
    }
}
