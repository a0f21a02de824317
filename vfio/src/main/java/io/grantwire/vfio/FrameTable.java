package io.grantwire.vfio;

/** Where pages of this process are, as devices without an IOMMU see it. */
interface FrameTable {
    /**
     * The number of the frame that holds a page.
     *
     * @param address of the page in this process; it must be present, and stay where it is
     * @throws PciException when it cannot be found out
     */
    long frameOf(long address);

    /** What the addresses are, for people. */
    String description();
}
