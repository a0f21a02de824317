package io.grantwire.pmd.virtio;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * The device's side of a split ring for tests: a plain walker that follows the original back end's
 * rules, and the means to break every rule. Not for the packet path.
 */
public final class SimulatedDevice {
    private static final ValueLayout.OfLong U64 =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt U32 =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort U16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** One descriptor as the driver wrote it. */
    public record Desc(int index, long addr, int len, int flags, int next) {}

    private final MemorySegment ring;
    private final SplitRingLayout layout;
    private int lastAvail;
    private int used;

    public SimulatedDevice(MemorySegment ring, SplitRingLayout layout) {
        this.ring = ring;
        this.layout = layout;
    }

    public int availIdx() {
        return RingIndex.acquire(ring, layout.availIdx());
    }

    /** Heads published and not taken yet. */
    public int pending() {
        return RingIndex.delta(availIdx(), lastAvail);
    }

    /** Takes the next head, or -1. */
    public int next() {
        if (pending() == 0) {
            return -1;
        }
        int slot = lastAvail & layout.mask();
        lastAvail = RingIndex.advance(lastAvail, 1);
        return ring.get(U16, layout.availEntry(slot)) & 0xffff;
    }

    public Desc desc(int index) {
        long at = SplitRingLayout.desc(index);
        return new Desc(
                index,
                ring.get(U64, at + SplitRingLayout.DESC_ADDR),
                ring.get(U32, at + SplitRingLayout.DESC_LEN),
                ring.get(U16, at + SplitRingLayout.DESC_FLAGS) & 0xffff,
                ring.get(U16, at + SplitRingLayout.DESC_NEXT) & 0xffff);
    }

    /** The chain that begins at a head. */
    public List<Desc> chain(int head) {
        List<Desc> chain = new ArrayList<>();
        Desc d = desc(head);
        chain.add(d);
        while ((d.flags() & SplitRingLayout.F_NEXT) != 0 && chain.size() < layout.size()) {
            d = desc(d.next());
            chain.add(d);
        }
        return chain;
    }

    /** The original overwrites the descriptor's length on receive rings. */
    public void overwriteLen(int index, int len) {
        ring.set(U32, SplitRingLayout.desc(index) + SplitRingLayout.DESC_LEN, len);
    }

    /** Writes one used entry, without publishing it. */
    public void put(int id, int len) {
        long at = layout.usedEntry(used & layout.mask());
        ring.set(U32, at + SplitRingLayout.USED_ID, id);
        ring.set(U32, at + SplitRingLayout.USED_LEN, len);
        used = RingIndex.advance(used, 1);
    }

    /** Publishes what was put. */
    public void publish() {
        RingIndex.release(ring, layout.usedIdx(), used);
    }

    /** Writes one used entry and publishes it. */
    public void complete(int id, int len) {
        put(id, len);
        publish();
    }

    /** Hostile: moves the published index without entries behind it. */
    public void jump(int by) {
        used = RingIndex.advance(used, by);
        publish();
    }

    /** Hostile: sets every byte of the ring. */
    public void scribble(byte value) {
        ring.fill(value);
    }
}
