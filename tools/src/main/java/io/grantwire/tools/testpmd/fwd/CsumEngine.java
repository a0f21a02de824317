package io.grantwire.tools.testpmd.fwd;

import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.net.EtherHeader;
import java.lang.foreign.MemorySegment;

/**
 * {@code csum}: addresses as in mode mac, and the IPv4, UDP and TCP checksums computed anew, by
 * this thread or, after {@code csum set … hw}, by the transmitting device. Counts the frames whose
 * checksums the receiving device found wrong.
 */
final class CsumEngine implements ForwardEngine {
    @Override
    public String name() {
        return "csum";
    }

    @Override
    public int forward(Stream stream) {
        int n = stream.receive();
        if (n == 0) {
            return 0;
        }
        int[] mbufs = stream.mbufs;
        long peer = stream.peerMac;
        long own = stream.txMac;
        int hardware = stream.txChecksums;
        int badIp = 0;
        int badL4 = 0;
        for (int i = 0; i < n; i++) {
            int m = mbufs[i];
            int seen = Mbuf.olFlags(m);
            badIp += (seen & Mbuf.RX_IP_CKSUM_BAD) != 0 ? 1 : 0;
            badL4 += (seen & Mbuf.RX_L4_CKSUM_BAD) != 0 ? 1 : 0;
            if (Mbuf.dataLen(m) >= EtherHeader.LENGTH) {
                MemorySegment memory = Mbuf.segment(m);
                long frame = Mbuf.offset(m);
                EtherHeader.setDst(memory, frame, peer);
                EtherHeader.setSrc(memory, frame, own);
            }
            Mbuf.setOlFlags(m, FrameChecksums.fill(m, hardware));
        }
        stream.countBadChecksums(badIp, badL4);
        stream.tag(n);
        stream.send(n);
        return n;
    }
}
