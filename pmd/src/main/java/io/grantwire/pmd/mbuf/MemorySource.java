package io.grantwire.pmd.mbuf;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Where a mempool's packet memory comes from. */
@FunctionalInterface
public interface MemorySource {
    /**
     * Obtains zeroed memory that all threads may use.
     *
     * @param bytes how much, at least; the segment may be larger
     */
    BackingMemory allocate(long bytes);

    /** Packet memory and the way to give it back. */
    interface BackingMemory {
        /** The memory; 64-byte aligned. */
        MemorySegment segment();

        /** Gives it back; called once, after the last access. */
        void close();
    }

    /** Ordinary process memory. */
    static MemorySource plain() {
        return bytes -> {
            MemorySegment segment = Arena.ofAuto().allocate(bytes, 64);
            return new BackingMemory() {
                @Override
                public MemorySegment segment() {
                    return segment;
                }

                @Override
                public void close() {
                    // The collector frees it when the last reference is gone.
                }
            };
        };
    }
}
