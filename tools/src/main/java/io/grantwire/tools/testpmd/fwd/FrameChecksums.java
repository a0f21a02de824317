package io.grantwire.tools.testpmd.fwd;

import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.net.EtherHeader;
import io.grantwire.pmd.net.InternetChecksum;
import io.grantwire.pmd.net.Ipv4Header;
import io.grantwire.pmd.net.UdpHeader;
import io.grantwire.pmd.net.VlanTag;
import java.lang.foreign.MemorySegment;

/**
 * Puts the checksums of a frame in place, or asks the device to. A frame whose headers are cut off,
 * or claim more than there is, is left as it is; so are the upper checksums of fragments, which no
 * fragment can have computed, and UDP without one.
 *
 * <p>What a device is to fill in holds the sum of the pseudo header, as in DPDK (rte_mbuf_core.h).
 */
final class FrameChecksums {
    private static final int TYPE_QINQ = 0x88A8;
    private static final int IPV6_HEADER = 40;
    private static final int IPV6_PAYLOAD_LENGTH = 4;
    private static final int IPV6_NEXT_HEADER = 6;
    private static final int IPV6_ADDRESSES = 8;
    private static final int TCP_HEADER = 20;
    private static final int TCP_CHECKSUM = 16;

    private FrameChecksums() {}

    /**
     * Does it.
     *
     * @param hardware which of {@link Mbuf#TX_CKSUM_MASK} the device does
     * @return the frame's new offload flags
     */
    static int fill(int m, int hardware) {
        MemorySegment s = Mbuf.segment(m);
        long frame = Mbuf.offset(m);
        int there = Mbuf.dataLen(m);
        if (there < EtherHeader.LENGTH) {
            return 0;
        }
        int type = EtherHeader.type(s, frame);
        int l2 = EtherHeader.LENGTH;
        while ((type == EtherHeader.TYPE_VLAN || type == TYPE_QINQ)
                && l2 <= EtherHeader.LENGTH + VlanTag.LENGTH
                && there >= l2 + VlanTag.LENGTH) {
            type = s.get(FrameTemplate.BE16, frame + l2 + 2) & 0xffff;
            l2 += VlanTag.LENGTH;
        }
        return switch (type) {
            case EtherHeader.TYPE_IPV4 -> ipv4(m, s, frame, there, l2, hardware);
            case EtherHeader.TYPE_IPV6 -> ipv6(m, s, frame, there, l2, hardware);
            default -> 0;
        };
    }

    private static int ipv4(int m, MemorySegment s, long frame, int there, int l2, int hardware) {
        long ip = frame + l2;
        if (there < l2 + Ipv4Header.MIN_LENGTH || Ipv4Header.version(s, ip) != 4) {
            return 0;
        }
        int header = Ipv4Header.headerLength(s, ip);
        int total = Ipv4Header.totalLength(s, ip);
        if (header < Ipv4Header.MIN_LENGTH
                || there < l2 + header
                || total < header
                || total > Mbuf.pktLen(m) - l2) {
            return 0;
        }
        int flags = Mbuf.TX_IPV4;
        if ((hardware & Mbuf.TX_IP_CKSUM) != 0) {
            s.set(FrameTemplate.BE16, ip + Ipv4Header.CHECKSUM, (short) 0);
            flags |= Mbuf.TX_IP_CKSUM;
        } else {
            Ipv4Header.updateChecksum(s, ip);
        }
        if (!Ipv4Header.isFragment(s, ip)) {
            int protocol = Ipv4Header.protocol(s, ip);
            int length = total - header;
            int pseudo = Ipv4Header.pseudoHeaderSum(s, ip, protocol, length);
            flags |= upper(m, s, frame, there, l2 + header, length, protocol, pseudo, hardware);
        }
        if ((flags & Mbuf.TX_CKSUM_MASK) != 0) {
            Mbuf.setTxHeaders(m, l2, header);
        }
        return flags;
    }

    private static int ipv6(int m, MemorySegment s, long frame, int there, int l2, int hardware) {
        long ip = frame + l2;
        if (there < l2 + IPV6_HEADER || Ipv4Header.version(s, ip) != 6) {
            return 0;
        }
        int length = s.get(FrameTemplate.BE16, ip + IPV6_PAYLOAD_LENGTH) & 0xffff;
        if (length > Mbuf.pktLen(m) - l2 - IPV6_HEADER) {
            return 0;
        }
        int protocol = s.get(FrameTemplate.BE16, ip + IPV6_NEXT_HEADER) >>> 8 & 0xff;
        // RFC 8200, section 8.1: both addresses, length, next header.
        int pseudo =
                InternetChecksum.add(
                        InternetChecksum.sum(s, ip + IPV6_ADDRESSES, 32),
                        InternetChecksum.add(protocol, length));
        int flags =
                Mbuf.TX_IPV6
                        | upper(
                                m,
                                s,
                                frame,
                                there,
                                l2 + IPV6_HEADER,
                                length,
                                protocol,
                                pseudo,
                                hardware);
        if ((flags & Mbuf.TX_CKSUM_MASK) != 0) {
            Mbuf.setTxHeaders(m, l2, IPV6_HEADER);
        }
        return flags;
    }

    /** UDP's or TCP's checksum; returns the flag that asks the device for it, or 0. */
    private static int upper(
            int m,
            MemorySegment s,
            long frame,
            int there,
            int at,
            int length,
            int protocol,
            int pseudo,
            int hardware) {
        boolean udp = protocol == Ipv4Header.PROTO_UDP;
        int header = udp ? UdpHeader.LENGTH : TCP_HEADER;
        if (!udp && protocol != Ipv4Header.PROTO_TCP || length < header || there < at + header) {
            return 0;
        }
        long field = frame + at + (udp ? UdpHeader.CHECKSUM : TCP_CHECKSUM);
        if (udp && s.get(FrameTemplate.BE16, field) == 0) {
            return 0;
        }
        int ask = hardware & (udp ? Mbuf.TX_UDP_CKSUM : Mbuf.TX_TCP_CKSUM);
        if (ask != 0) {
            s.set(FrameTemplate.BE16, field, (short) pseudo);
            return ask;
        }
        s.set(FrameTemplate.BE16, field, (short) 0);
        int checksum = InternetChecksum.finish(InternetChecksum.add(pseudo, sum(m, at, length)));
        s.set(FrameTemplate.BE16, field, (short) (udp && checksum == 0 ? 0xffff : checksum));
        return 0;
    }

    /** The sum of a part of a frame that may go over several mbufs; it begins in the first. */
    private static int sum(int m, int from, int length) {
        int sum = 0;
        int at = from;
        int done = 0;
        for (int part = m; part != 0 && done < length; part = Mbuf.next(part)) {
            int n = Math.min(Mbuf.dataLen(part) - at, length - done);
            if (n > 0) {
                int piece = InternetChecksum.sum(Mbuf.segment(part), Mbuf.offset(part) + at, n);
                sum =
                        InternetChecksum.add(
                                sum, (done & 1) == 0 ? piece : InternetChecksum.swapped(piece));
                done += n;
            }
            at = 0;
        }
        return sum;
    }
}
