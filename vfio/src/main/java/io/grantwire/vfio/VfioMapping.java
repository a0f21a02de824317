package io.grantwire.vfio;

import io.grantwire.bindings.Mapping;
import java.lang.foreign.MemorySegment;

/** Memory at one range of an IOMMU's addresses. */
final class VfioMapping implements DmaMapping {
    private static final int ONE_RUN = 62;

    private final VfioDmaSpace space;
    private final MemorySegment segment;
    private final Mapping owned;
    private final long[] runs;

    /**
     * @param owned the memory to free in the end; null when it is somebody else's
     */
    VfioMapping(VfioDmaSpace space, MemorySegment segment, long iova, Mapping owned) {
        this.space = space;
        this.segment = segment;
        this.owned = owned;
        this.runs = new long[] {iova};
    }

    @Override
    public MemorySegment segment() {
        return segment;
    }

    @Override
    public int runShift() {
        return ONE_RUN;
    }

    @Override
    public long[] runs() {
        return runs;
    }

    long iova() {
        return runs[0];
    }

    Mapping owned() {
        return owned;
    }

    @Override
    public void close() {
        space.end(this);
    }
}
