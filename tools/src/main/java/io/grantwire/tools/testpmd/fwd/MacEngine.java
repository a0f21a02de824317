package io.grantwire.tools.testpmd.fwd;

import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.net.EtherHeader;
import java.lang.foreign.MemorySegment;

/**
 * {@code mac}: destination becomes the transmitting port's peer, source that port's own address.
 */
final class MacEngine implements ForwardEngine {
    @Override
    public String name() {
        return "mac";
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
        for (int i = 0; i < n; i++) {
            int m = mbufs[i];
            MemorySegment memory = Mbuf.segment(m);
            long frame = Mbuf.offset(m);
            EtherHeader.setDst(memory, frame, peer);
            EtherHeader.setSrc(memory, frame, own);
        }
        stream.tag(n);
        stream.send(n);
        return n;
    }
}
