package io.grantwire.pmd.driver.virtio;

import io.grantwire.pmd.net.MacAddress;

/** What a network device says of itself in its configuration (section 5.1.4). Control path. */
final class VirtioNetConfig {
    private static final int MAC = 0;
    private static final int STATUS = 6;
    private static final int MAX_VIRTQUEUE_PAIRS = 8;
    private static final int MTU = 10;
    private static final int SPEED = 12;
    private static final int DUPLEX = 16;

    private static final int S_LINK_UP = 1;

    private VirtioNetConfig() {}

    /** Its address, if it is a station's; else, or when it has none, one made up. */
    static MacAddress address(VirtioPciTransport transport, long features) {
        if ((features & VirtioFeatures.MAC) != 0) {
            long value = transport.readConfig(MAC, MacAddress.LENGTH);
            MacAddress address = new MacAddress(Long.reverseBytes(value) >>> 16);
            if (address.isValidUnicast()) {
                return address;
            }
        }
        return MacAddress.random();
    }

    /** Queue pairs, 1 to {@code most}. */
    static int pairs(VirtioPciTransport transport, long features, int most) {
        if ((features & VirtioFeatures.MQ) == 0) {
            return 1;
        }
        int pairs = (int) transport.readConfig(MAX_VIRTQUEUE_PAIRS, 2);
        return Math.max(1, Math.min(pairs, most));
    }

    /** The largest payload, no less than {@code least}, no more than {@code most}. */
    static int mtu(VirtioPciTransport transport, long features, int least, int most) {
        if ((features & VirtioFeatures.MTU) == 0) {
            return most;
        }
        return Math.max(least, Math.min((int) transport.readConfig(MTU, 2), most));
    }

    /** Whether the link is up. */
    static boolean linkUp(VirtioPciTransport transport, long features) {
        return (features & VirtioFeatures.STATUS) == 0
                || (transport.readConfig(STATUS, 2) & S_LINK_UP) != 0;
    }

    /** Speed in Mbit/s; 0 when it does not say. */
    static int speed(VirtioPciTransport transport, long features) {
        if ((features & VirtioFeatures.SPEED_DUPLEX) == 0) {
            return 0;
        }
        int speed = (int) transport.readConfig(SPEED, 4);
        // All ones, or any other negative number, is "unknown".
        return Math.max(0, speed);
    }

    /** Whether both directions run at once; so it is unless the device says otherwise. */
    static boolean fullDuplex(VirtioPciTransport transport, long features) {
        return (features & VirtioFeatures.SPEED_DUPLEX) == 0
                || transport.readConfig(DUPLEX, 1) != 0;
    }
}
