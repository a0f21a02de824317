package io.grantwire.tools.testpmd.fwd;

import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.net.EtherHeader;
import io.grantwire.pmd.net.MacAddress;
import java.util.Locale;

/** {@code rxonly}: counts, and prints each frame's header when verbose. */
final class RxOnlyEngine implements ForwardEngine {
    @Override
    public String name() {
        return "rxonly";
    }

    @Override
    public int forward(Stream stream) {
        int n = stream.receive();
        if (n == 0) {
            return 0;
        }
        if (stream.verbose > 0) {
            print(stream, n);
        }
        stream.discard(n);
        return n;
    }

    private static void print(Stream stream, int n) {
        StringBuilder text = new StringBuilder();
        text.append("port ").append(stream.rxPort).append("/queue ").append(stream.rxQueue);
        text.append(": received ").append(n).append(" packets\n");
        for (int i = 0; i < n; i++) {
            int m = stream.mbufs[i];
            long frame = Mbuf.offset(m);
            text.append("  src=").append(upper(EtherHeader.src(Mbuf.segment(m), frame)));
            text.append(" - dst=").append(upper(EtherHeader.dst(Mbuf.segment(m), frame)));
            text.append(
                    String.format(
                            Locale.ROOT,
                            " - type=0x%04x - length=%d - nb_segs=%d%n",
                            EtherHeader.type(Mbuf.segment(m), frame),
                            Mbuf.pktLen(m),
                            Mbuf.nbSegs(m)));
        }
        stream.out.print(text);
        stream.out.flush();
    }

    private static String upper(long mac) {
        return MacAddress.format(mac).toUpperCase(Locale.ROOT);
    }
}
