package io.grantwire.vfio;

import java.lang.foreign.MemorySegment;
import java.util.List;

/** What {@link VfioDmaSpace} needs of the kernel: VFIO's TYPE1v2 IOMMU driver. */
interface Type1Iommu {
    /**
     * What the kernel says of the IOMMU.
     *
     * @param ranges the addresses that can be mapped
     * @param pageSizes a bit for each size that the IOMMU's pages can have
     * @param mappingsLeft how many mappings can be made yet
     */
    record Info(List<IovaRange> ranges, long pageSizes, long mappingsLeft) {}

    /** Asks anew: both change when a group joins. */
    Info info();

    /**
     * Maps memory.
     *
     * @throws io.grantwire.bindings.NativeException when the kernel refuses
     */
    void map(MemorySegment memory, long iova);

    /**
     * Ends a mapping.
     *
     * @throws io.grantwire.bindings.NativeException when the kernel refuses
     */
    void unmap(long iova, long bytes);
}
