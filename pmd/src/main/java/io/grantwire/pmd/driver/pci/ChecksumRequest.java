package io.grantwire.pmd.driver.pci;

import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.net.InternetChecksum;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Gets frames ready for cards that fill in checksums. Such a card adds up the TCP or UDP header and
 * payload with what it finds in the checksum field, so that the pseudo header's sum (RFC 793, 768,
 * 8200) has to be there already; an IPv4 header's checksum field has to be zero.
 *
 * <p>Packet path; the frame's owner calls.
 */
public final class ChecksumRequest {
    private static final ValueLayout.OfShort U16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private static final int TCP = 6;
    private static final int UDP = 17;
    private static final int TCP_HEADER = 20;
    private static final int TCP_CHECKSUM = 16;
    private static final int UDP_HEADER = 8;
    private static final int UDP_CHECKSUM = 6;

    private static final int IPV4_HEADER = 20;
    private static final int IPV4_LENGTH = 2;
    private static final int IPV4_CHECKSUM = 10;
    private static final int IPV4_ADDRESSES = 12;
    private static final int IPV6_HEADER = 40;
    private static final int IPV6_LENGTH = 4;
    private static final int IPV6_ADDRESSES = 8;

    private static final int L4 = Mbuf.TX_TCP_CKSUM | Mbuf.TX_UDP_CKSUM;

    private ChecksumRequest() {}

    /**
     * Whether the headers that a frame's flags speak of are plausible and in its first mbuf, where
     * {@link #prepare} needs them.
     */
    public static boolean headersFit(int m) {
        int flags = Mbuf.olFlags(m);
        boolean ipv6 = (flags & Mbuf.TX_IPV6) != 0;
        int l3 = Mbuf.txL3Len(m);
        int l4 =
                (flags & Mbuf.TX_TCP_CKSUM) != 0
                        ? TCP_HEADER
                        : (flags & Mbuf.TX_UDP_CKSUM) != 0 ? UDP_HEADER : 0;
        return Mbuf.txL2Len(m) >= 14
                && l3 >= (ipv6 ? IPV6_HEADER : IPV4_HEADER)
                && (flags & L4) != L4
                && (!ipv6 || (flags & Mbuf.TX_IP_CKSUM) == 0)
                && Mbuf.txL2Len(m) + l3 + l4 <= Mbuf.dataLen(m);
    }

    /** Writes the checksum fields of a frame whose headers fit and whose only owner the card is. */
    public static void prepare(int m) {
        int flags = Mbuf.olFlags(m);
        MemorySegment s = Mbuf.segment(m);
        long ip = Mbuf.offset(m) + Mbuf.txL2Len(m);
        long l4 = ip + Mbuf.txL3Len(m);
        if ((flags & Mbuf.TX_IP_CKSUM) != 0) {
            s.set(U16, ip + IPV4_CHECKSUM, (short) 0);
        }
        if ((flags & Mbuf.TX_TCP_CKSUM) != 0) {
            s.set(U16, l4 + TCP_CHECKSUM, (short) pseudoHeader(s, ip, l4, flags, TCP));
        } else if ((flags & Mbuf.TX_UDP_CKSUM) != 0) {
            s.set(U16, l4 + UDP_CHECKSUM, (short) pseudoHeader(s, ip, l4, flags, UDP));
        }
    }

    private static int pseudoHeader(MemorySegment s, long ip, long l4, int flags, int protocol) {
        int header = (int) (l4 - ip);
        int addresses;
        int length;
        if ((flags & Mbuf.TX_IPV6) != 0) {
            addresses = InternetChecksum.sum(s, ip + IPV6_ADDRESSES, 32);
            length = (s.get(U16, ip + IPV6_LENGTH) & 0xffff) + IPV6_HEADER - header;
        } else {
            addresses = InternetChecksum.sum(s, ip + IPV4_ADDRESSES, 8);
            length = (s.get(U16, ip + IPV4_LENGTH) & 0xffff) - header;
        }
        return InternetChecksum.add(addresses, InternetChecksum.add(length & 0xffff, protocol));
    }
}
