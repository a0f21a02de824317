package io.grantwire.pmd.driver.pci;

import io.grantwire.pmd.mbuf.MemorySource;
import io.grantwire.vfio.DmaMapping;
import io.grantwire.vfio.DmaSpace;
import java.lang.foreign.MemorySegment;

/**
 * Packet memory that devices of a {@link DmaSpace} can reach.
 *
 * @param space who made it
 * @param mapping the memory, with the addresses that the devices see
 */
public record DmaPacketMemory(DmaSpace space, DmaMapping mapping)
        implements MemorySource.BackingMemory {
    /**
     * No mbuf lies across the end of a huge page, also where an IOMMU would have it in one piece:
     * that is a second translation, and QEMU's cards lose such frames when the pages do not lie
     * together.
     */
    private static final long HUGE_PAGE = 2 << 20;

    /** A source of such memory. */
    public static MemorySource source(DmaSpace space) {
        return new MemorySource() {
            @Override
            public BackingMemory allocate(long bytes) {
                return new DmaPacketMemory(space, space.allocate(bytes));
            }

            @Override
            public long contiguousBytes() {
                return Math.min(space.contiguousBytes(), HUGE_PAGE);
            }
        };
    }

    @Override
    public MemorySegment segment() {
        return mapping.segment();
    }

    @Override
    public void close() {
        mapping.close();
    }
}
