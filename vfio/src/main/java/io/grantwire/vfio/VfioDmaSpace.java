package io.grantwire.vfio;

import io.grantwire.bindings.HugePages;
import io.grantwire.bindings.Mapping;
import io.grantwire.bindings.NativeException;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashSet;
import java.util.OptionalLong;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The addresses of an IOMMU. It outlives the groups that use it: mappings are made when a group is
 * there, and made again, at the same addresses, when one comes after all had gone.
 */
final class VfioDmaSpace implements DmaSpace {
    private static final Logger LOG = LoggerFactory.getLogger(VfioDmaSpace.class);

    private final IovaAllocator allocator = new IovaAllocator();
    private final Set<VfioMapping> live = new LinkedHashSet<>();
    private Type1Iommu iommu;

    /** Knows no IOMMU yet. */
    VfioDmaSpace() {}

    /**
     * The IOMMU is there, or its ranges have changed since another group joined.
     *
     * @throws NativeException when a mapping that is there cannot be made again
     */
    synchronized void attach(Type1Iommu now) {
        boolean anew = iommu == null;
        iommu = now;
        allocator.setRanges(now.info().ranges());
        if (anew) {
            for (VfioMapping mapping : live) {
                now.map(mapping.segment(), mapping.iova());
            }
        }
    }

    /** The last group has gone, and all mappings with it, as far as the kernel is concerned. */
    synchronized void detach() {
        iommu = null;
    }

    @Override
    public DmaMapping allocate(long bytes) {
        long page = Mapping.pageSize();
        if (bytes <= 0) {
            throw new IllegalArgumentException("cannot allocate " + bytes + " bytes");
        }
        long rounded = Math.addExact(bytes, page - 1) & -page;
        Mapping memory = memory(rounded);
        try {
            memory.excludeFromForks();
            return map(memory.segment(), memory);
        } catch (RuntimeException e) {
            memory.close();
            throw e;
        }
    }

    /** In huge pages when most of one is needed and they are to be had: fewer IOMMU entries. */
    private static Mapping memory(long bytes) {
        long huge = HugePages.defaultSize();
        if (huge != 0 && bytes > huge / 2) {
            try {
                return Mapping.hugePages((bytes + huge - 1) / huge * huge);
            } catch (NativeException e) {
                LOG.debug("DMA memory is in ordinary pages: {}", e.getMessage());
            }
        }
        try {
            Mapping plain = Mapping.anonymous(bytes);
            plain.adviseHugePages();
            plain.segment().fill((byte) 0);
            return plain;
        } catch (NativeException e) {
            throw new PciException("DMA memory: " + e.getMessage(), e);
        }
    }

    @Override
    public DmaMapping map(MemorySegment memory) {
        DmaMemory.checkWholePages(memory);
        return map(memory, null);
    }

    private synchronized VfioMapping map(MemorySegment memory, Mapping owned) {
        if (iommu == null) {
            throw new PciException("DMA memory: ENODEV (no device of the IOMMU is open)");
        }
        long bytes = memory.byteSize();
        Type1Iommu.Info info = iommu.info();
        if (info.mappingsLeft() == 0) {
            throw VfioErrors.tooManyMappings();
        }
        OptionalLong iova = allocator.take(bytes, alignment(bytes, info.pageSizes()));
        if (iova.isEmpty()) {
            throw new PciException(
                    "DMA memory: ENOSPC (the IOMMU has no free range of " + bytes + " bytes)");
        }
        try {
            iommu.map(memory, iova.getAsLong());
        } catch (NativeException e) {
            allocator.giveBack(iova.getAsLong());
            throw VfioErrors.mapping(bytes, e);
        }
        VfioMapping mapping = new VfioMapping(this, memory, iova.getAsLong(), owned);
        live.add(mapping);
        return mapping;
    }

    /** The largest of the IOMMU's pages that fits, so that it can use them. */
    private static long alignment(long bytes, long pageSizes) {
        long fitting = pageSizes & Long.highestOneBit(bytes) * 2 - 1;
        return Math.max(Long.highestOneBit(fitting), Mapping.pageSize());
    }

    /** Ends a mapping, unless it has been. */
    void end(VfioMapping mapping) {
        synchronized (this) {
            if (!live.remove(mapping)) {
                return;
            }
            allocator.giveBack(mapping.iova());
            if (iommu != null) {
                try {
                    iommu.unmap(mapping.iova(), mapping.segment().byteSize());
                } catch (NativeException e) {
                    LOG.warn("DMA memory: {}", e.getMessage());
                }
            }
        }
        if (mapping.owned() != null) {
            mapping.owned().close();
        }
    }

    /** How many mappings there are. */
    synchronized int mappings() {
        return live.size();
    }

    @Override
    public long contiguousBytes() {
        return Long.MAX_VALUE;
    }

    @Override
    public String description() {
        return "an IOMMU keeps devices within the memory given to them (VFIO)";
    }
}
