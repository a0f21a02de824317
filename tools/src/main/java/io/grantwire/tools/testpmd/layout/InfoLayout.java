package io.grantwire.tools.testpmd.layout;

import io.grantwire.pmd.ethdev.EthCapabilities;
import io.grantwire.pmd.ethdev.EthDeviceInfo;
import io.grantwire.pmd.ethdev.EthLink;
import io.grantwire.pmd.ethdev.RssType;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** {@code show port info}, in testpmd's layout. */
public final class InfoLayout {
    private static final String STARS = "*".repeat(21);

    private InfoLayout() {}

    /**
     * What a network card has beyond the rest.
     *
     * @param can what it can do
     * @param vlanStrip whether it takes tags off
     * @param vlanFilter whether it receives listed VLANs only
     */
    public record Nic(EthCapabilities can, boolean vlanStrip, boolean vlanFilter) {
        /** A device that is none. */
        public static final Nic NONE = new Nic(EthCapabilities.NONE, false, false);

        private List<String> lines() {
            List<String> lines = new ArrayList<>();
            lines.add("VLAN offload: ");
            lines.add("  strip " + (vlanStrip ? "on " : "off "));
            lines.add("  filter " + (vlanFilter ? "on " : "off "));
            lines.add("  qinq(extend) off ");
            if (can.rssKeySize() > 0) {
                lines.add("Hash key size in bytes: " + can.rssKeySize());
            }
            if (can.rssTableSize() > 0) {
                lines.add("Redirection table size: " + can.rssTableSize());
            }
            if (can.rssTypes().isEmpty()) {
                lines.add("No flow type is supported.");
            } else {
                lines.add("Supported flow types:");
                for (RssType type : RssType.values()) {
                    if (can.rssTypes().contains(type)) {
                        lines.add("  " + NicLayout.flowType(type));
                    }
                }
            }
            return lines;
        }
    }

    /** A MAC address as testpmd writes it, in capitals. */
    public static String mac(String address) {
        return address.toUpperCase(Locale.ROOT);
    }

    /**
     * The block.
     *
     * @param mac the address, in lower case
     * @param mtu the largest payload in bytes
     * @param nic what a network card has beyond; {@link Nic#NONE} for none
     */
    public static String port(
            int id,
            String mac,
            EthDeviceInfo info,
            EthLink link,
            int mtu,
            boolean promiscuous,
            boolean allMulticast,
            Nic nic) {
        return String.join(
                "\n",
                "",
                String.format(Locale.ROOT, "%s Infos for port %-2d %s", STARS, id, STARS),
                "MAC address: " + mac(mac),
                "Driver name: " + info.driverName(),
                "Connect to socket: 0",
                "memory allocation on the socket: 0",
                "Link status: " + (link.up() ? "up" : "down"),
                "Link speed: " + link.speedMbps() + " Mbps",
                "Link duplex: " + duplex(link),
                "MTU: " + mtu,
                "Promiscuous mode: " + enabled(promiscuous),
                "Allmulticast mode: " + enabled(allMulticast),
                "Maximum number of MAC addresses: " + info.maxMacAddrs(),
                "Maximum number of MAC addresses of hash filtering: 0",
                String.join("\n", nic.lines()),
                "Max possible RX queues: " + info.maxRxQueues(),
                "Max possible number of RXDs per queue: " + info.maxRxDesc(),
                "Min possible number of RXDs per queue: " + info.minRxDesc(),
                "RXDs number alignment: " + info.descAlign(),
                "Max possible TX queues: " + info.maxTxQueues(),
                "Max possible number of TXDs per queue: " + info.maxTxDesc(),
                "Min possible number of TXDs per queue: " + info.minTxDesc(),
                "TXDs number alignment: " + info.descAlign(),
                "");
    }

    /** The line about a port's link at start-up. */
    public static String link(int id, EthLink link) {
        return link.up()
                ? "Port " + id + " Link Up - speed " + link.speedMbps() + " Mbps - " + duplex(link)
                : "Port " + id + " Link Down";
    }

    private static String duplex(EthLink link) {
        return link.fullDuplex() ? "full-duplex" : "half-duplex";
    }

    private static String enabled(boolean on) {
        return on ? "enabled" : "disabled";
    }
}
