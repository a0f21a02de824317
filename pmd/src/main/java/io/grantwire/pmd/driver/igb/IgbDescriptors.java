package io.grantwire.pmd.driver.igb;

/**
 * Advanced descriptors: 16 bytes, little endian, here as two longs {@code w0} and {@code w1} (82576
 * datasheet: receive 7.1.5, transmit 7.2.2).
 *
 * <pre>
 * receive, posted     w0 packet buffer's address          w1 header buffer's address, 0
 * receive, done       w0 63..32 RSS hash   15..0 packet info
 *                     w1 63..48 VLAN tag   47..32 length   31..0 status and errors
 * transmit, data      w0 buffer's address
 *                     w1 63..46 frame's length, 45..40 POPTS, 36 context   31..0 command, length
 * transmit, done      w1 bit 32: DD
 * transmit, context   w0 31..16 VLAN tag, 15..9 MACLEN, 8..0 IPLEN
 *                     w1 36 context   31..0 command, what the packet is
 * </pre>
 */
final class IgbDescriptors {
    static final int SIZE = 16;

    /** log2 of {@link #SIZE}. */
    static final int SHIFT = 4;

    // Receive: status in w1.
    static final int RX_DD = 1;
    static final int RX_EOP = 1 << 1;
    static final int RX_VP = 1 << 3;
    static final int RX_UDPCS = 1 << 4;
    static final int RX_L4CS = 1 << 5;
    static final int RX_IPCS = 1 << 6;
    static final int RX_L4E = 1 << 29;
    static final int RX_IPE = 1 << 30;
    static final int RX_RXE = 1 << 31;
    static final int RX_LENGTH_SHIFT = 32;
    static final int RX_VLAN_SHIFT = 48;

    // Receive: packet info in w0.
    static final int RX_RSS_TYPE_MASK = 0xF;
    static final int RX_HASH_SHIFT = 32;

    // Transmit: command in w1.
    static final int TX_DTYP_CONTEXT = 2 << 20;
    static final int TX_DTYP_DATA = 3 << 20;
    static final int TX_EOP = 1 << 24;
    static final int TX_IFCS = 1 << 25;
    static final int TX_RS = 1 << 27;
    static final int TX_DEXT = 1 << 29;
    static final int TX_VLE = 1 << 30;
    static final long TX_IXSM = 1L << 40;
    static final long TX_TXSM = 1L << 41;
    static final int TX_CONTEXT_SHIFT = 36;
    static final int TX_PAYLEN_SHIFT = 46;
    static final long TX_DD = 1L << 32;

    // Transmit: a context's w0 and w1.
    static final int CONTEXT_MACLEN_SHIFT = 9;
    static final int CONTEXT_VLAN_SHIFT = 16;
    static final int CONTEXT_IPV4 = 1 << 10;
    static final int CONTEXT_L4T_TCP = 1 << 11;
    static final int CONTEXT_L4T_NONE = 3 << 11;
    static final int CONTEXT_L4LEN_SHIFT = 40;

    private IgbDescriptors() {}
}
