package io.grantwire.vfio;

import io.grantwire.bindings.Mapping;
import java.lang.foreign.MemorySegment;

/** What all DMA spaces ask of memory. */
final class DmaMemory {
    private DmaMemory() {}

    /** Refuses what is not whole pages of native memory. */
    static void checkWholePages(MemorySegment memory) {
        long page = Mapping.pageSize();
        if (!memory.isNative()
                || memory.byteSize() == 0
                || (memory.address() | memory.byteSize()) % page != 0) {
            throw new IllegalArgumentException("only whole pages can be mapped, not " + memory);
        }
    }
}
