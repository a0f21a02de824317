package io.grantwire.gntalloc;

import java.lang.foreign.MemorySegment;

/**
 * Pages of ours that another domain may map. The memory stays valid until {@link #close()}; nobody
 * may touch the segment afterwards, so quiesce every thread that polls it first.
 */
public interface GrantShare extends AutoCloseable {
    /** The domain the pages are granted to. */
    int domid();

    /** Number of 4096-byte pages. */
    int pages();

    /** The grant reference of page {@code index}; 8 or greater. */
    int gref(int index);

    /** The pages as one contiguous piece of our memory, of {@code pages() * 4096} bytes. */
    MemorySegment segment();

    /**
     * Asks for a byte of these pages to be set to zero when this share ends, however it ends:
     * closed, or the process killed. This is how the peer learns that we are gone.
     *
     * @param offset byte offset in {@link #segment()}; a later call replaces an earlier one
     */
    void clearByteOnUnmap(long offset);

    /**
     * Ends the grants and unmaps the pages; a second call does nothing, and nothing is thrown.
     * Pages that the peer still has mapped are not reused before it lets go of them.
     */
    @Override
    void close();
}
