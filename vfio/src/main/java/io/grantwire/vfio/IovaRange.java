package io.grantwire.vfio;

/**
 * Addresses that an IOMMU can map.
 *
 * @param start the first
 * @param end the last, itself included
 */
record IovaRange(long start, long end) {
    /** Bytes. */
    long size() {
        return end - start + 1;
    }
}
