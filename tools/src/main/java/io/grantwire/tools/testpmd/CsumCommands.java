package io.grantwire.tools.testpmd;

import io.grantwire.pmd.ethdev.EthOffload;
import io.grantwire.tools.testpmd.command.Rule;
import io.grantwire.tools.testpmd.command.Values;
import io.grantwire.tools.testpmd.layout.NicLayout;
import java.util.List;
import java.util.Locale;

/** The commands about who computes checksums in mode csum. */
final class CsumCommands {
    private static final String SECTION = "Checksums";

    private CsumCommands() {}

    static List<Rule> rules(Session s) {
        return List.of(
                Rule.of(
                        SECTION,
                        "csum set <what:ip|udp|tcp> <who:hw|sw> <port:uint>",
                        "Has the device compute a checksum, or testpmd; port stopped.",
                        v -> set(s, v)),
                Rule.of(
                        SECTION,
                        "csum show <port:uint>",
                        "Shows who computes which checksum.",
                        v -> show(s, s.ports(v.number("port")).getFirst())));
    }

    private static void set(Session s, Values v) {
        Port port = s.stoppedPort(v.number("port"));
        String what = v.text("what");
        EthOffload offload =
                switch (what) {
                    case "ip" -> EthOffload.TX_IPV4_CKSUM;
                    case "udp" -> EthOffload.TX_UDP_CKSUM;
                    default -> EthOffload.TX_TCP_CKSUM;
                };
        if (v.text("who").equals("hw")) {
            port.settings.require(offload, what.toUpperCase(Locale.ROOT) + " checksum offload");
        } else {
            port.settings.offload(offload, false);
        }
        port.reconfigure();
        show(s, port);
    }

    private static void show(Session s, Port port) {
        s.out.print(
                NicLayout.csum(
                        port.settings.has(EthOffload.TX_IPV4_CKSUM),
                        port.settings.has(EthOffload.TX_UDP_CKSUM),
                        port.settings.has(EthOffload.TX_TCP_CKSUM)));
    }
}
