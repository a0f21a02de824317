package io.grantwire.pmd.driver.virtio;

/** Feature bits (sections 5.1.3 and 6), as masks of one 64-bit number. */
final class VirtioFeatures {
    /** The device takes frames whose TCP or UDP checksum is not finished. */
    static final long CSUM = 1L;

    /** The driver takes frames whose checksum is not finished. */
    static final long GUEST_CSUM = 1L << 1;

    /** The device says its largest payload. */
    static final long MTU = 1L << 3;

    /** The device says its address. */
    static final long MAC = 1L << 5;

    /** A received frame may take several buffers. */
    static final long MRG_RXBUF = 1L << 15;

    /** The device says whether the link is up. */
    static final long STATUS = 1L << 16;

    /** There is a control queue. */
    static final long CTRL_VQ = 1L << 17;

    /** It takes commands about reception modes. */
    static final long CTRL_RX = 1L << 18;

    /** It takes commands about VLANs. */
    static final long CTRL_VLAN = 1L << 19;

    /** There are several queue pairs. */
    static final long MQ = 1L << 22;

    /** It takes a command that sets the address. */
    static final long CTRL_MAC_ADDR = 1L << 23;

    /** Notifications by index: {@code used_event} and {@code avail_event}. */
    static final long RING_EVENT_IDX = 1L << 29;

    /** The modern interface; without it there is none. */
    static final long VERSION_1 = 1L << 32;

    /** The device's addresses go through the platform, an IOMMU for instance. */
    static final long ACCESS_PLATFORM = 1L << 33;

    /** The device is ordered as other devices are, not as other processors. */
    static final long ORDER_PLATFORM = 1L << 36;

    /** The device says its speed. */
    static final long SPEED_DUPLEX = 1L << 63;

    /** What this driver can do whatever it is configured for. */
    private static final long ALWAYS =
            MTU
                    | MAC
                    | MRG_RXBUF
                    | STATUS
                    | CTRL_VQ
                    | CTRL_RX
                    | CTRL_MAC_ADDR
                    | RING_EVENT_IDX
                    | VERSION_1
                    | ACCESS_PLATFORM
                    | ORDER_PLATFORM
                    | SPEED_DUPLEX;

    private VirtioFeatures() {}

    /**
     * The features to accept: of those offered, what the driver does anyway and what is wanted in
     * addition, less what lacks the feature it needs (section 5.1.3.1).
     */
    static long choose(long offered, long wanted) {
        long chosen = offered & (ALWAYS | wanted);
        return (chosen & CTRL_VQ) != 0
                ? chosen
                : chosen & ~(CTRL_RX | CTRL_VLAN | MQ | CTRL_MAC_ADDR);
    }
}
