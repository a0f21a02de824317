package io.grantwire.pmd.mbuf;

import io.grantwire.bindings.Mapping;
import io.grantwire.bindings.NativeException;
import java.lang.foreign.MemorySegment;
import org.slf4j.LoggerFactory;

/** Where a mempool's packet memory comes from. */
@FunctionalInterface
public interface MemorySource {
    /**
     * Obtains zeroed memory that all threads may use.
     *
     * @param bytes how much, at least; the segment may be larger
     * @throws NativeException when there is not enough
     */
    BackingMemory allocate(long bytes);

    /**
     * The longest run of its bytes, a power of two, that devices find in one piece when it begins
     * at a multiple of itself; no mbuf lies across the end of a run.
     */
    default long contiguousBytes() {
        return Long.MAX_VALUE;
    }

    /** Packet memory and the way to give it back. */
    interface BackingMemory {
        /** The memory; 64-byte aligned. */
        MemorySegment segment();

        /** Gives it back; called once, after the last access. */
        void close();
    }

    /**
     * Ordinary process memory, all present from the start; in transparent huge pages if allowed.
     */
    static MemorySource plain() {
        return bytes -> {
            Mapping mapping = Mapping.anonymous(bytes);
            mapping.adviseHugePages();
            // Touched now, so that no packet has to wait for a page fault.
            mapping.segment().fill((byte) 0);
            return new MappedMemory(mapping);
        };
    }

    /** Memory in huge pages, all present from the start; ENOMEM when too few are reserved. */
    static MemorySource hugePages() {
        return bytes -> new MappedMemory(Mapping.hugePages(bytes));
    }

    /** Memory in huge pages, or ordinary memory and a line in the log when they cannot be had. */
    static MemorySource hugePagesOrPlain() {
        return bytes -> {
            try {
                return hugePages().allocate(bytes);
            } catch (NativeException e) {
                LoggerFactory.getLogger(MemorySource.class)
                        .debug("packet memory is in ordinary pages: {}", e.getMessage());
                return plain().allocate(bytes);
            }
        };
    }
}
