package io.grantwire.pmd.hostile;

import io.grantwire.pmd.virtio.SplitRingLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * A guest's ring as the guest itself sees it: raw writes of any field, with no rule enforced, so
 * that tests can play a correct front end as well as a hostile one.
 */
public final class RawRing {
    private static final ValueLayout.OfLong U64 =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt U32 =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort U16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Its layout. */
    public final SplitRingLayout layout;

    /** Its memory. */
    public final MemorySegment memory;

    private int avail;
    private int used;

    /** A zeroed ring of {@code size} entries. */
    public RawRing(Arena arena, int size) {
        layout = SplitRingLayout.of(size);
        memory = arena.allocate(layout.bytes(), SplitRingLayout.ALIGN);
    }

    /** A ring of 256 entries in memory that is there already, for instance granted pages. */
    public RawRing(MemorySegment memory) {
        layout = SplitRingLayout.of(SplitRingLayout.DEFAULT_SIZE);
        this.memory = memory;
    }

    /** Writes a descriptor. */
    public void desc(int index, long address, int length, int flags, int next) {
        long at = SplitRingLayout.desc(index);
        memory.set(U64, at + SplitRingLayout.DESC_ADDR, address);
        memory.set(U32, at + SplitRingLayout.DESC_LEN, length);
        memory.set(U16, at + SplitRingLayout.DESC_FLAGS, (short) flags);
        memory.set(U16, at + SplitRingLayout.DESC_NEXT, (short) next);
    }

    /** Offers a chain. */
    public void offer(int head) {
        memory.set(U16, layout.availEntry(avail & layout.mask()), (short) head);
        avail = avail + 1 & 0xffff;
        availIdx(avail);
    }

    /** Sets {@code avail.idx}. */
    public void availIdx(int value) {
        memory.set(U16, layout.availIdx(), (short) value);
    }

    /** {@code avail.idx}. */
    public int availIdx() {
        return memory.get(U16, layout.availIdx()) & 0xffff;
    }

    /** Sets both indices, as in a ring that has been in use for a while. */
    public void startAt(int index) {
        avail = index;
        used = index;
        availIdx(index);
        memory.set(U16, layout.usedIdx(), (short) index);
    }

    /** {@code used.idx}. */
    public int usedIdx() {
        return memory.get(U16, layout.usedIdx()) & 0xffff;
    }

    /** How many used entries have not been taken. */
    public int usedCount() {
        return usedIdx() - used & 0xffff;
    }

    /** The id of the next used entry, which stays. */
    public int usedId() {
        return memory.get(U32, layout.usedEntry(used & layout.mask()) + SplitRingLayout.USED_ID);
    }

    /** Takes the next used entry. Returns its length. */
    public int takeUsed() {
        int length =
                memory.get(U32, layout.usedEntry(used & layout.mask()) + SplitRingLayout.USED_LEN);
        used = used + 1 & 0xffff;
        return length;
    }

    /** The descriptor table's bytes. */
    public byte[] descriptorTable() {
        return memory.asSlice(0, layout.avail()).toArray(ValueLayout.JAVA_BYTE);
    }
}
