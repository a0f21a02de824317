package io.grantwire.gntalloc;

import java.lang.foreign.MemorySegment;

/**
 * Another domain's pages, mapped here. The memory stays valid until {@link #close()}, even when the
 * granting domain dies; nobody may touch the segment afterwards, so quiesce every thread that polls
 * it first. The other domain may write these pages at any moment: read what must not change once,
 * into a local.
 */
public interface GrantMapping extends AutoCloseable {
    /** The domain that granted the pages. */
    int domid();

    /** Number of 4096-byte pages. */
    int pages();

    /** The pages as one contiguous piece of memory, of {@code pages() * 4096} bytes. */
    MemorySegment segment();

    /** Unmaps the pages; a second call does nothing, and nothing is thrown. */
    @Override
    void close();
}
