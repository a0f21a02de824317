package io.grantwire.pmd.driver.e1000e;

import io.grantwire.pmd.mbuf.Mbuf;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Where things lie in a descriptor. Each is two little-endian quadwords.
 *
 * <pre>
 * receive, extended (section 7.1.4)
 *   posted        0: buffer address               8: 0
 *   written back  0: RSS hash | type, queue       8: VLAN tag | length | errors, status
 * transmit, data (section 7.2.11)
 *                 0: buffer address               8: VLAN tag | POPTS | STA | DCMD | DTYP | DTALEN
 * transmit, context (section 7.2.10)
 *                 0: TUCSE | TUCSO | TUCSS | IPCSE | IPCSO | IPCSS
 *                 8: MSS | HDRLEN | STA | TUCMD | DTYP | PAYLEN
 * </pre>
 */
final class E1000eDescriptors {
    /** Bytes of a descriptor. */
    static final int SIZE = 16;

    /** log2 of {@link #SIZE}. */
    static final int SHIFT = 4;

    /** The quadword with status, length and VLAN tag, or with the command. */
    static final int SECOND = 8;

    /** Quadwords of a ring. */
    static final ValueLayout.OfLong U64 =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** The same for ordered accesses. */
    static final VarHandle QUAD =
            ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

    // Receive: status and errors, the low 32 bits of the second quadword.

    static final int RX_DD = 1;
    static final int RX_EOP = 1 << 1;
    static final int RX_IXSM = 1 << 2;
    static final int RX_VP = 1 << 3;
    static final int RX_L4CS = 1 << 4 | 1 << 5;
    static final int RX_IPCS = 1 << 6;

    /** CE, SE, SEQ, CXE, RXE: the frame is damaged. */
    static final int RX_DAMAGED = 1 << 24 | 1 << 25 | 1 << 26 | 1 << 28 | 1 << 31;

    static final int RX_TCPE = 1 << 29;
    static final int RX_IPE = 1 << 30;

    static final int RX_LENGTH_SHIFT = 32;
    static final int RX_VLAN_SHIFT = 48;

    /** RSS type in the first quadword; 0 when there is no hash. */
    static final int RX_RSS_TYPE_MASK = 0xF;

    // Transmit: the second quadword.

    static final long TX_CONTEXT = 0L << 20 | 1L << 29;
    static final long TX_DATA = 1L << 20 | 1L << 29;
    static final long TX_EOP = 1L << 24;
    static final long TX_IFCS = 1L << 25;
    static final long TX_RS = 1L << 27;
    static final long TX_VLE = 1L << 30;
    static final long TX_DD = 1L << 32;
    static final long TX_IXSM = 1L << 40;
    static final long TX_TXSM = 1L << 41;
    static final int TX_VLAN_SHIFT = 48;

    /** TUCMD of a context: TCP (else UDP), IPv4. */
    static final long TX_CONTEXT_TCP = 1L << 24;

    static final long TX_CONTEXT_IPV4 = 1L << 25;

    /** Where checksums are, counted from the start of their header. */
    private static final int IPV4_CKSUM = 10;

    private static final int TCP_CKSUM = 16;
    private static final int UDP_CKSUM = 6;

    private E1000eDescriptors() {}

    /** Offset of a descriptor in its ring. */
    static long at(int index) {
        return (long) index << SHIFT;
    }

    /** What the card says of a received frame's checksums, as mbuf flags. */
    static int rxChecksumFlags(int status) {
        // Section 7.1.10: IPCS and the L4 bits say what was checked, the error bits how it went.
        if ((status & RX_IXSM) != 0) {
            return 0;
        }
        int flags = 0;
        if ((status & RX_IPCS) != 0) {
            flags |= (status & RX_IPE) != 0 ? Mbuf.RX_IP_CKSUM_BAD : Mbuf.RX_IP_CKSUM_GOOD;
        }
        if ((status & RX_L4CS) != 0) {
            flags |= (status & RX_TCPE) != 0 ? Mbuf.RX_L4_CKSUM_BAD : Mbuf.RX_L4_CKSUM_GOOD;
        }
        return flags;
    }

    /** First quadword of a context: where the checksums of a frame begin, end, and go to. */
    static long contextOffsets(int l2Len, int l3Len, boolean tcp) {
        int l4 = l2Len + l3Len;
        long ip = l2Len | (l2Len + IPV4_CKSUM) << 8 | (l4 - 1) << 16;
        // An end of 0 is the end of the frame.
        long l4Part = l4 | (l4 + (tcp ? TCP_CKSUM : UDP_CKSUM)) << 8;
        return ip & 0xFFFF_FFFFL | l4Part << 32;
    }

    /** Second quadword of a context. */
    static long contextCommand(boolean ipv4, boolean tcp) {
        return TX_CONTEXT | (ipv4 ? TX_CONTEXT_IPV4 : 0) | (tcp ? TX_CONTEXT_TCP : 0);
    }
}
