package io.grantwire.vfio;

import io.grantwire.bindings.gen.uapi.Uapi;
import io.grantwire.bindings.gen.uapi.vfio_iommu_type1_info;
import io.grantwire.bindings.gen.uapi.vfio_iommu_type1_info_cap_iova_range;
import io.grantwire.bindings.gen.uapi.vfio_iommu_type1_info_dma_avail;
import io.grantwire.bindings.gen.uapi.vfio_iova_range;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/** Reads {@code VFIO_IOMMU_GET_INFO}'s answer. */
final class Type1Info {
    /**
     * For kernels that do not say (before 5.4): what every x86 IOMMU has, without the window of
     * interrupt messages at 0xfee00000.
     */
    private static final List<IovaRange> USUAL =
            List.of(new IovaRange(0, 0xfedf_ffffL), new IovaRange(0xfef0_0000L, (1L << 39) - 1));

    /** The kernel's default, dma_entry_limit of vfio_iommu_type1. */
    private static final long USUAL_MAPPINGS = 65535;

    private static final long HEADER = vfio_iommu_type1_info_cap_iova_range.iova_ranges$offset();
    private static final long RANGE = vfio_iova_range.sizeof();

    private Type1Info() {}

    /**
     * @param info the structure with its capabilities, as long as the kernel filled it
     */
    static Type1Iommu.Info parse(MemorySegment info) {
        int flags = vfio_iommu_type1_info.flags(info);
        long pages =
                (flags & Uapi.VFIO_IOMMU_INFO_PGSIZES()) != 0
                        ? vfio_iommu_type1_info.iova_pgsizes(info)
                        : 0;
        int first =
                (flags & Uapi.VFIO_IOMMU_INFO_CAPS()) != 0
                        ? vfio_iommu_type1_info.cap_offset(info)
                        : 0;
        return new Type1Iommu.Info(ranges(info, first), pages, mappingsLeft(info, first));
    }

    private static List<IovaRange> ranges(MemorySegment info, int first) {
        int id = Uapi.VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE();
        OptionalLong at = CapabilityChain.find(info, first, id, HEADER);
        if (at.isEmpty()) {
            return USUAL;
        }
        MemorySegment cap = info.asSlice(at.getAsLong());
        long named = Integer.toUnsignedLong(vfio_iommu_type1_info_cap_iova_range.nr_iovas(cap));
        long count = Math.min(named, (cap.byteSize() - HEADER) / RANGE);
        List<IovaRange> ranges = new ArrayList<>();
        for (long i = 0; i < count; i++) {
            MemorySegment range = cap.asSlice(HEADER + i * RANGE, RANGE);
            ranges.add(new IovaRange(vfio_iova_range.start(range), vfio_iova_range.end(range)));
        }
        return ranges;
    }

    private static long mappingsLeft(MemorySegment info, int first) {
        int id = Uapi.VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL();
        long bytes = vfio_iommu_type1_info_dma_avail.sizeof();
        OptionalLong at = CapabilityChain.find(info, first, id, bytes);
        if (at.isEmpty()) {
            return USUAL_MAPPINGS;
        }
        MemorySegment cap = info.asSlice(at.getAsLong(), bytes);
        return Integer.toUnsignedLong(vfio_iommu_type1_info_dma_avail.avail(cap));
    }
}
