package io.grantwire.pmd.mbuf;

import io.grantwire.bindings.Mapping;
import java.lang.foreign.MemorySegment;

/** Packet memory that is one mapping. */
record MappedMemory(Mapping mapping) implements MemorySource.BackingMemory {
    @Override
    public MemorySegment segment() {
        return mapping.segment();
    }

    @Override
    public void close() {
        mapping.close();
    }
}
