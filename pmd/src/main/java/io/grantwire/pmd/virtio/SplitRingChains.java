package io.grantwire.pmd.virtio;

import io.grantwire.bindings.raw.HostMemory;
import io.grantwire.pmd.virtio.SplitRingDriver.Fault;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * The driver's side of one split virtqueue whose buffers are chains of descriptors: header and
 * data, or a command and its answer. {@link SplitRingDriver} is for buffers of one descriptor.
 *
 * <p>A chain is made with {@link #begin}, {@link #add} for each descriptor, and {@link #end};
 * {@link #publish} shows the device all chains made since. Descriptors are reused in the order they
 * come back.
 *
 * <p>The device is not trusted: all state lives in this object, what the device wrote is read once
 * and checked. The first violation sets {@link #fault}; from then on nothing is taken, and there is
 * no room. No method throws, allocates, locks, or makes a volatile access.
 *
 * <p>One thread at a time. The memory belongs to the caller and must outlive the last call.
 *
 * <p>Source: VIRTIO 1.2 sections 2.7.5 to 2.7.14.
 */
public final class SplitRingChains {
    private static final VarHandle FAULT;

    static {
        try {
            FAULT =
                    MethodHandles.lookup()
                            .findVarHandle(SplitRingChains.class, "fault", Fault.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static final ValueLayout.OfLong U64 =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort U16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** See {@link SplitRingDriver}: every offset is that of a slot or descriptor of the ring. */
    private static final MemorySegment ALL = HostMemory.ALL;

    /** Keeps the ring's memory reachable. */
    private final MemorySegment memory;

    private final long ring;
    private final int size;
    private final int mask;

    /** By head: the handle that is with the device, 0 for none. */
    private final int[] handles;

    /** By head: the last descriptor of its chain, and how many there are. */
    private final int[] lasts;

    private final int[] counts;

    /** By descriptor: the next one, of its chain or of the free list; the device never sees it. */
    private final int[] next;

    private final long availIdxAt;
    private final long availEntriesAt;
    private final long usedIdxAt;
    private final long usedEntriesAt;

    private int freeHead;
    private int freeTail;
    private int freeCount;

    /** The chain that is being made. */
    private int head;

    private int last;
    private int count;

    private int made;
    private int avail;
    private int used;
    private int outstanding;
    private Fault fault = Fault.NONE;

    /**
     * Initialises the memory; no device may have it yet.
     *
     * @param ring at least {@code layout.bytes()} bytes outside the heap, page aligned
     */
    public SplitRingChains(MemorySegment ring, SplitRingLayout layout) {
        this.memory = ring.asSlice(0, layout.bytes());
        this.ring = memory.address();
        this.size = layout.size();
        this.mask = layout.mask();
        this.handles = new int[size];
        this.lasts = new int[size];
        this.counts = new int[size];
        this.next = new int[size];
        this.availIdxAt = this.ring + layout.availIdx();
        this.availEntriesAt = this.ring + layout.availEntry(0);
        this.usedIdxAt = this.ring + layout.usedIdx();
        this.usedEntriesAt = this.ring + layout.usedEntry(0);
        memory.fill((byte) 0);
        for (int i = 0; i < size; i++) {
            next[i] = i + 1;
        }
        freeTail = size - 1;
        freeCount = size;
    }

    /** Descriptors that are free; none after a fault. */
    public int free() {
        return fault == Fault.NONE ? freeCount : 0;
    }

    /** Chains that are with the device, or have come back and were not taken yet. */
    public int outstanding() {
        return outstanding;
    }

    /** {@code avail.idx} as published last, 0 to 65535. */
    public int availIdx() {
        return avail;
    }

    /** What the device did wrong first, if anything. Any thread may ask. */
    public Fault fault() {
        return (Fault) FAULT.getOpaque(this);
    }

    /**
     * Begins a chain; the caller has seen that there are {@link #free} descriptors for all of it.
     *
     * @return its first descriptor's number, which is no other chain's until this one is taken back
     */
    public int begin() {
        head = freeHead;
        count = 0;
        return head;
    }

    /**
     * Adds a descriptor to the chain.
     *
     * @param address where the bytes are, in the device's terms
     * @param length how many
     * @param write whether the device writes them; those come after the ones that it reads
     * @param more whether another descriptor follows
     */
    public void add(long address, int length, boolean write, boolean more) {
        int d = freeHead;
        int after = next[d];
        int flags = (write ? SplitRingLayout.F_WRITE : 0) | (more ? SplitRingLayout.F_NEXT : 0);
        long desc = ring + SplitRingLayout.desc(d);
        ALL.set(U64, desc + SplitRingLayout.DESC_ADDR, address);
        ALL.set(
                U64,
                desc + SplitRingLayout.DESC_LEN,
                length & 0xffff_ffffL | (long) flags << 32 | (more ? (long) after << 48 : 0));
        freeHead = after;
        freeCount--;
        last = d;
        count++;
    }

    /**
     * Ends the chain.
     *
     * @param handle what {@link #take} will give back; not zero
     */
    public void end(int handle) {
        handles[head] = handle;
        lasts[head] = last;
        counts[head] = count;
        int slot = avail + made & mask;
        ALL.set(U16, availEntriesAt + ((long) slot << 1), (short) head);
        made++;
        outstanding++;
    }

    /** Shows the device the chains made since the last call, with one ordered store. */
    public void publish() {
        if (made > 0) {
            avail = RingIndex.advance(avail, made);
            made = 0;
            // Descriptors and ring entries become visible before the index: pairs with the
            // device's acquire of avail.idx.
            RingIndex.release(ALL, availIdxAt, avail);
        }
    }

    /**
     * Takes back chains that the device has used, in the order it used them.
     *
     * @param out receives the handles, from index 0 on
     * @param max the most to take; the array has room for them
     * @return how many were taken; what comes before a violation is still handed out
     */
    public int take(int[] out, int max) {
        if (fault != Fault.NONE) {
            return 0;
        }
        int idx = used;
        // Pairs with the device's release of used.idx.
        int ready = RingIndex.delta(RingIndex.acquire(ALL, usedIdxAt), idx);
        if (ready == 0) {
            return 0;
        }
        if (ready > outstanding) {
            FAULT.setOpaque(this, Fault.USED_INDEX);
            return 0;
        }
        int n = Math.min(ready, max);
        Fault bad = Fault.NONE;
        int taken = 0;
        while (taken < n) {
            long entry = usedEntriesAt + ((long) ((idx + taken) & mask) << 3);
            int id = PeerMemory.read32(ALL, entry + SplitRingLayout.USED_ID);
            if (Integer.compareUnsigned(id, mask) > 0) {
                bad = Fault.USED_ID;
                break;
            }
            int handle = handles[id];
            if (handle == 0) {
                bad = Fault.NOT_OUTSTANDING;
                break;
            }
            handles[id] = 0;
            release(id);
            out[taken++] = handle;
        }
        used = RingIndex.advance(idx, taken);
        outstanding -= taken;
        if (bad != Fault.NONE) {
            FAULT.setOpaque(this, bad);
        }
        return taken;
    }

    /** Puts a chain's descriptors at the end of the free list, as they hang together. */
    private void release(int id) {
        if (freeCount == 0) {
            freeHead = id;
        } else {
            next[freeTail] = id;
        }
        freeTail = lasts[id];
        freeCount += counts[id];
    }

    /**
     * Gives up the ring: hands out every chain that is still with the device. Only after the device
     * can no longer reach the ring.
     *
     * @param out receives the handles; room for the ring's size
     * @return how many there were
     */
    public int abandon(int[] out) {
        int n = 0;
        for (int i = 0; i < size; i++) {
            if (handles[i] != 0) {
                out[n++] = handles[i];
                handles[i] = 0;
                release(i);
            }
        }
        outstanding = 0;
        return n;
    }
}
