package io.grantwire.vfio;

import java.lang.foreign.MemorySegment;

/**
 * The addresses that devices see: of an IOMMU (VFIO), physical ones (UIO), or the machine addresses
 * of a paravirtualized domain 0. All devices of this process that see the same share one. Any
 * thread.
 */
public interface DmaSpace {
    /**
     * Makes zeroed memory that devices can reach: locked, present, shared with nobody.
     *
     * @param bytes how much; the segment may be larger
     * @return memory that belongs to the caller, who closes it when no device uses it any more
     * @throws PciException {@code ENOMEM} and the like, with what to type: too few huge pages, too
     *     little memory may be locked
     */
    DmaMapping allocate(long bytes);

    /**
     * Lets devices reach memory that this process has already; it stays the caller's, and must
     * outlive the mapping.
     *
     * @param memory whole pages, for instance the packet memory of a mempool
     * @throws PciException when the kernel refuses, or where the memory's pages may move (UIO needs
     *     huge pages)
     */
    DmaMapping map(MemorySegment memory);

    /**
     * The longest run of bytes, a power of two, that is sure to stay together in {@link #allocate}d
     * memory when it begins at a multiple of itself: the page size in a paravirtualized domain 0, a
     * huge page's with UIO, {@link Long#MAX_VALUE} behind an IOMMU.
     */
    long contiguousBytes();

    /** What keeps devices within the memory given to them, for people: one short phrase. */
    String description();
}
