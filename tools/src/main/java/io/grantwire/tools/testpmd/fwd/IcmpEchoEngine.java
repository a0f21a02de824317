package io.grantwire.tools.testpmd.fwd;

import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.net.EtherHeader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * {@code icmpecho}: answers every ARP request (RFC 826) with the port's own address and every ICMP
 * echo request (RFC 792), whatever address is asked for; drops everything else. An echo to a
 * multicast group is answered from the asker's address with the last bit changed, since a group
 * cannot be a source.
 */
final class IcmpEchoEngine implements ForwardEngine {
    private static final int ARP_LENGTH = 14 + 28;
    private static final int ARP_REQUEST = 1;
    private static final int ARP_REPLY = 2;
    private static final int ARP_ETHERNET_IPV4 = 0x0604;
    private static final int ICMP = 1;
    private static final int ECHO_REQUEST = 8;
    private static final int MIN_ECHO = 14 + 20 + 8;

    @Override
    public String name() {
        return "icmpecho";
    }

    @Override
    public int forward(Stream stream) {
        int n = stream.receive();
        if (n == 0) {
            return 0;
        }
        int[] mbufs = stream.mbufs;
        int replies = 0;
        for (int i = 0; i < n; i++) {
            int m = mbufs[i];
            if (answer(m, stream.txMac)) {
                mbufs[replies++] = m;
            } else {
                Mbuf.free(m);
            }
        }
        if (replies > 0) {
            stream.send(replies);
        }
        return n;
    }

    private static boolean answer(int m, long own) {
        MemorySegment s = Mbuf.segment(m);
        long frame = Mbuf.offset(m);
        int length = Mbuf.dataLen(m);
        if (length < EtherHeader.LENGTH) {
            return false;
        }
        int type = EtherHeader.type(s, frame);
        int l3 = EtherHeader.LENGTH;
        if (type == EtherHeader.TYPE_VLAN && length >= EtherHeader.LENGTH + 4) {
            type = s.get(FrameTemplate.BE16, frame + 16) & 0xffff;
            l3 += 4;
        }
        return switch (type) {
            case EtherHeader.TYPE_ARP -> answerArp(s, frame, l3, length, own);
            case EtherHeader.TYPE_IPV4 -> answerEcho(s, frame, l3, length);
            default -> false;
        };
    }

    private static boolean answerArp(MemorySegment s, long frame, int l3, int length, long own) {
        long arp = frame + l3;
        if (length < ARP_LENGTH - 14 + l3
                || (s.get(FrameTemplate.BE16, arp + 2) & 0xffff) != EtherHeader.TYPE_IPV4
                || (s.get(FrameTemplate.BE16, arp + 4) & 0xffff) != ARP_ETHERNET_IPV4
                || s.get(FrameTemplate.BE16, arp + 6) != ARP_REQUEST) {
            return false;
        }
        // Sender is at +8 (hardware) and +14 (protocol), target at +18 and +24. A sender's or
        // target's pair lies like an Ethernet header's, six bytes to an address.
        int asked = s.get(FrameTemplate.BE32, arp + 24);
        int asker = s.get(FrameTemplate.BE32, arp + 14);
        long askerMac = EtherHeader.dst(s, arp + 8);
        s.set(FrameTemplate.BE16, arp + 6, (short) ARP_REPLY);
        EtherHeader.setDst(s, arp + 8, own);
        s.set(FrameTemplate.BE32, arp + 14, asked);
        EtherHeader.setDst(s, arp + 18, askerMac);
        s.set(FrameTemplate.BE32, arp + 24, asker);
        EtherHeader.setDst(s, frame, EtherHeader.src(s, frame));
        EtherHeader.setSrc(s, frame, own);
        return true;
    }

    private static boolean answerEcho(MemorySegment s, long frame, int l3, int length) {
        if (length < MIN_ECHO - 14 + l3) {
            return false;
        }
        long ip = frame + l3;
        int header = (s.get(ValueLayout.JAVA_BYTE, ip) & 0x0f) * 4;
        if (header < 20
                || length < l3 + header + 8
                || s.get(ValueLayout.JAVA_BYTE, ip + 9) != ICMP
                || s.get(ValueLayout.JAVA_BYTE, ip + header) != ECHO_REQUEST) {
            return false;
        }
        EtherHeader.swapAddresses(s, frame);
        int src = s.get(FrameTemplate.BE32, ip + 12);
        int dst = s.get(FrameTemplate.BE32, ip + 16);
        boolean multicast = dst >>> 28 == 0xe;
        int replier = multicast ? src ^ 1 : dst;
        s.set(FrameTemplate.BE32, ip + 12, replier);
        s.set(FrameTemplate.BE32, ip + 16, src);
        if (multicast) {
            // The set of addresses changed, so the header's checksum does (RFC 1624).
            int sum = ~s.get(FrameTemplate.BE16, ip + 10) & 0xffff;
            sum += (~dst >>> 16) + (~dst & 0xffff) + (replier >>> 16) + (replier & 0xffff);
            s.set(FrameTemplate.BE16, ip + 10, (short) ~fold(sum));
        }
        // Type 8 becomes 0: the checksum grows by what the first word lost (RFC 1624).
        s.set(ValueLayout.JAVA_BYTE, ip + header, (byte) 0);
        int sum = ~s.get(FrameTemplate.BE16, ip + header + 2) & 0xffff;
        sum += ~(ECHO_REQUEST << 8) & 0xffff;
        s.set(FrameTemplate.BE16, ip + header + 2, (short) ~fold(sum));
        return true;
    }

    private static int fold(int sum) {
        int folded = (sum & 0xffff) + (sum >>> 16);
        return (folded & 0xffff) + (folded >>> 16) & 0xffff;
    }
}
