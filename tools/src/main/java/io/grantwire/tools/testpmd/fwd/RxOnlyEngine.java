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
                            " - type=0x%04x - length=%d - nb_segs=%d",
                            EtherHeader.type(Mbuf.segment(m), frame),
                            Mbuf.pktLen(m),
                            Mbuf.nbSegs(m)));
            appendFindings(text, m, stream.rxQueue);
            text.append('\n');
        }
        stream.out.print(text);
        stream.out.flush();
    }

    /** What the device found out about a frame, where it found out anything. */
    private static void appendFindings(StringBuilder text, int m, int queue) {
        int flags = Mbuf.olFlags(m);
        if ((flags & Mbuf.RX_RSS_HASH) != 0) {
            text.append(" - RSS hash=0x").append(Integer.toHexString(Mbuf.hash(m)));
            text.append(" - RSS queue=0x").append(Integer.toHexString(queue));
        }
        if ((flags & Mbuf.RX_VLAN_STRIPPED) != 0) {
            text.append(" - VLAN tci=0x").append(Integer.toHexString(Mbuf.vlanTci(m)));
        }
        if (flags != 0) {
            text.append("\n  ol_flags:");
            for (RxFlag flag : RxFlag.values()) {
                if ((flags & flag.bit) != 0) {
                    text.append(' ').append(flag);
                }
            }
        }
    }

    /** The offload flags of received frames by the names that testpmd prints. */
    private enum RxFlag {
        PKT_RX_VLAN(Mbuf.RX_VLAN),
        PKT_RX_VLAN_STRIPPED(Mbuf.RX_VLAN_STRIPPED),
        PKT_RX_RSS_HASH(Mbuf.RX_RSS_HASH),
        PKT_RX_L4_CKSUM_BAD(Mbuf.RX_L4_CKSUM_BAD),
        PKT_RX_L4_CKSUM_GOOD(Mbuf.RX_L4_CKSUM_GOOD),
        PKT_RX_IP_CKSUM_BAD(Mbuf.RX_IP_CKSUM_BAD),
        PKT_RX_IP_CKSUM_GOOD(Mbuf.RX_IP_CKSUM_GOOD);

        private final int bit;

        RxFlag(int bit) {
            this.bit = bit;
        }
    }

    private static String upper(long mac) {
        return MacAddress.format(mac).toUpperCase(Locale.ROOT);
    }
}
