package io.grantwire.pmd.driver.pci;

import io.grantwire.vfio.DmaMapping;
import io.grantwire.vfio.DmaSpace;
import java.lang.foreign.MemorySegment;

/**
 * Memory for the descriptor rings of a card, all in one mapping, each in one piece as the card sees
 * it. Control path; the rings themselves are for the queues' threads.
 */
public final class RingMemory implements AutoCloseable {
    private final DmaMapping mapping;
    private final long[] offsets;
    private final int[] bytes;

    private RingMemory(DmaMapping mapping, long[] offsets, int[] bytes) {
        this.mapping = mapping;
        this.offsets = offsets;
        this.bytes = bytes;
    }

    /**
     * Makes zeroed rings.
     *
     * @param bytes of each ring, at most {@link DmaSpace#contiguousBytes}
     * @throws io.grantwire.vfio.PciException when there is not enough memory
     */
    public static RingMemory allocate(DmaSpace space, int... bytes) {
        long[] offsets = new long[bytes.length];
        long end = 0;
        for (int i = 0; i < bytes.length; i++) {
            // A block of a power of two that begins at a multiple of itself lies within one run.
            long block = roundUp(bytes[i]);
            if (block > space.contiguousBytes()) {
                throw new IllegalArgumentException(
                        "a ring of "
                                + bytes[i]
                                + " bytes, devices find "
                                + space.contiguousBytes()
                                + " in one piece");
            }
            offsets[i] = (end + block - 1) & -block;
            end = offsets[i] + block;
        }
        return new RingMemory(space.allocate(Math.max(end, 1)), offsets, bytes.clone());
    }

    /** The longest ring, in descriptors, that a space has in one piece. */
    public static int longest(DmaSpace space, int descriptorBytes, int most) {
        return (int) Math.min(space.contiguousBytes() / descriptorBytes, most);
    }

    private static long roundUp(int bytes) {
        return bytes <= 1 ? 1 : Long.highestOneBit(bytes - 1L) << 1;
    }

    /** A ring's bytes. */
    public MemorySegment ring(int i) {
        return mapping.segment().asSlice(offsets[i], bytes[i]);
    }

    /** Where the card sees a ring. */
    public long busAddress(int i) {
        return mapping.busAddress(offsets[i]);
    }

    /** Frees the memory; the card is quiet, and no thread polls. */
    @Override
    public void close() {
        mapping.close();
    }
}
