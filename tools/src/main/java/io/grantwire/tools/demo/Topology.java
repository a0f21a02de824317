package io.grantwire.tools.demo;

/** The demo's cast: who has which domain id, address and VLAN. */
final class Topology {
    static final int VM1_DOMID = 1;
    static final int VM2_DOMID = 2;
    static final int WIRE_DOMID = 3;

    static final long VM1_MAC = 0x11;
    static final long VM2_MAC = 0x22;

    /** Where VM2 sends to: an address that no guest has, so its frames go to the wire. */
    static final long LAST_MAC = 0x33;

    static final long WIRE_MAC = 0x0200_0000_0001L;

    /** VLAN of the first device; the second has the next. */
    static final int FIRST_VLAN = 1000;

    /** Most frames on their way at once in generator mode: what a transmit ring holds. */
    static final int WINDOW = 128;

    static final double[] PERCENTILES = {50, 90, 99, 99.9};

    private Topology() {}
}
