package io.grantwire.tools.testpmd.layout;

import io.grantwire.pmd.ethdev.RssConfig;
import io.grantwire.pmd.ethdev.RssType;
import io.grantwire.pmd.net.MacAddress;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;

/** What the commands about network cards print, in testpmd's layout. */
public final class NicLayout {
    private NicLayout() {}

    /** A kind of packets as {@code show port info} calls it. */
    public static String flowType(RssType type) {
        return switch (type) {
            case IPV4 -> "ipv4";
            case TCP_IPV4 -> "ipv4-tcp";
            case UDP_IPV4 -> "ipv4-udp";
            case IPV6 -> "ipv6";
            case TCP_IPV6 -> "ipv6-tcp";
            case UDP_IPV6 -> "ipv6-udp";
        };
    }

    /**
     * {@code show port … rss-hash}.
     *
     * @param withKey whether the key is asked for too
     */
    public static String rssHash(RssConfig rss, boolean withKey) {
        if (!rss.on()) {
            return "RSS disabled\n";
        }
        StringBuilder text = new StringBuilder("RSS functions:\n ");
        for (RssType type : RssType.values()) {
            if (rss.types().contains(type)) {
                text.append(flowType(type)).append(' ');
            }
        }
        text.append('\n');
        if (withKey) {
            text.append("RSS key:\n");
            text.append(HexFormat.of().withUpperCase().formatHex(rss.key())).append('\n');
        }
        return text.toString();
    }

    /**
     * {@code show port … rss reta}.
     *
     * @param masks for each 64 entries, which of them
     */
    public static String reta(int[] table, long[] masks) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < table.length; i++) {
            if ((masks[i / Long.SIZE] >>> i % Long.SIZE & 1) != 0) {
                text.append("RSS RETA configuration: hash index=").append(i);
                text.append(", queue=").append(table[i]).append('\n');
            }
        }
        return text.toString();
    }

    /** {@code show port … macs}. */
    public static String macs(List<MacAddress> addresses) {
        StringBuilder text = new StringBuilder();
        text.append("Number of MAC address added: ").append(addresses.size()).append('\n');
        for (MacAddress address : addresses) {
            text.append("  ").append(InfoLayout.mac(address.toString())).append('\n');
        }
        return text.toString();
    }

    /** {@code csum show}. */
    public static String csum(boolean ip, boolean udp, boolean tcp) {
        return String.format(
                Locale.ROOT,
                "Parse tunnel is off%n"
                        + "IP checksum offload is %s%n"
                        + "UDP checksum offload is %s%n"
                        + "TCP checksum offload is %s%n",
                where(ip),
                where(udp),
                where(tcp));
    }

    private static String where(boolean hardware) {
        return hardware ? "hw" : "sw";
    }
}
