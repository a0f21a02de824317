package io.grantwire.tools.testpmd.fwd;

import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.net.EtherHeader;

/** {@code macswap}: sends every frame back where it came from. */
final class MacSwapEngine implements ForwardEngine {
    @Override
    public String name() {
        return "macswap";
    }

    @Override
    public int forward(Stream stream) {
        int n = stream.receive();
        if (n == 0) {
            return 0;
        }
        int[] mbufs = stream.mbufs;
        for (int i = 0; i < n; i++) {
            int m = mbufs[i];
            EtherHeader.swapAddresses(Mbuf.segment(m), Mbuf.offset(m));
        }
        stream.tag(n);
        stream.send(n);
        return n;
    }
}
