package io.grantwire.pmd.driver.virtio;

import io.grantwire.pmd.virtio.SplitRingLayout;
import io.grantwire.vfio.DmaMapping;
import io.grantwire.vfio.DmaSpace;
import java.lang.foreign.MemorySegment;

/**
 * Memory for the rings of a device, and for what goes with each, in one mapping. Each of a ring's
 * three parts is in one piece as the device sees it, since only they have addresses of their own
 * (section 4.1.4.3); where devices find a page in one piece, that allows rings of {@value
 * #LARGEST_IN_PAGES}. Control path.
 */
final class VirtioQueueMemory implements AutoCloseable {
    /** Descriptors that fill a page. */
    static final int LARGEST_IN_PAGES = SplitRingLayout.ALIGN / SplitRingLayout.DESC_SIZE;

    private final DmaMapping mapping;
    private final SplitRingLayout[] layouts;
    private final int[] extras;
    private final long[] offsets;

    /**
     * @param layouts of the rings
     * @param extras for each ring, bytes that lie behind it, in pages of their own; at most a page
     *     where devices find no more in one piece
     * @throws io.grantwire.vfio.PciException when there is not enough memory
     */
    VirtioQueueMemory(DmaSpace space, SplitRingLayout[] layouts, int[] extras) {
        this.layouts = layouts.clone();
        this.extras = extras.clone();
        this.offsets = new long[layouts.length];
        long end = 0;
        for (int i = 0; i < layouts.length; i++) {
            long bytes = layouts[i].bytes() + extras[i];
            // A block of a power of two that begins at a multiple of itself lies within one run.
            long block = Math.max(SplitRingLayout.ALIGN, Long.highestOneBit(bytes - 1) << 1);
            long align = block <= space.contiguousBytes() ? block : SplitRingLayout.ALIGN;
            offsets[i] = (end + align - 1) & -align;
            end = offsets[i] + (bytes + SplitRingLayout.ALIGN - 1 & -SplitRingLayout.ALIGN);
        }
        mapping = space.allocate(end);
    }

    /** The largest ring whose parts a space has in one piece. */
    static int largest(DmaSpace space) {
        long block = space.contiguousBytes();
        // Ring and extras take less than 64 bytes for each descriptor.
        return block <= SplitRingLayout.ALIGN
                ? LARGEST_IN_PAGES
                : (int) Math.min(SplitRingLayout.MAX_SIZE, Long.highestOneBit(block) / 64);
    }

    /** A ring's bytes. */
    MemorySegment ring(int i) {
        return mapping.segment().asSlice(offsets[i], layouts[i].bytes());
    }

    /** The bytes behind a ring. */
    MemorySegment extra(int i) {
        return mapping.segment().asSlice(offsets[i] + layouts[i].bytes(), extras[i]);
    }

    /** Where the device sees a byte, counted from the beginning of a ring. */
    long busAddress(int i, long offset) {
        return mapping.busAddress(offsets[i] + offset);
    }

    /** Where the device sees the bytes behind a ring. */
    long extraBusAddress(int i) {
        return busAddress(i, layouts[i].bytes());
    }

    @Override
    public void close() {
        mapping.close();
    }
}
