package io.grantwire.vfio.bind;

import java.util.Optional;
import java.util.TreeMap;

/**
 * The interfaces that carry routes of this machine: {@code /proc/net/route} (IPv4, the main table)
 * and {@code /proc/net/ipv6_route}. Link-local routes do not count, every interface that is up has
 * one; nor do multicast ones and the machine's own addresses, which come with another route.
 */
public final class RouteTable {
    // linux/route.h, linux/ipv6_route.h
    private static final long RTF_UP = 0x0001;
    private static final long RTF_REJECT = 0x0200;
    private static final long RTF_ANYCAST = 0x0010_0000;
    private static final long RTF_LOCAL = 0x8000_0000L;

    private static final int IPV4_COLUMNS = 8;
    private static final int IPV6_COLUMNS = 10;

    private final TreeMap<String, String> routes = new TreeMap<>();

    private RouteTable() {}

    /** Reads both tables; one that is not there is empty. */
    public static RouteTable read(HostTree tree) {
        RouteTable table = new RouteTable();
        for (String line : HostTree.lines(tree.proc().resolve("net/route"))) {
            table.addIpv4(line.strip().split("\\s+"));
        }
        for (String line : HostTree.lines(tree.proc().resolve("net/ipv6_route"))) {
            table.addIpv6(line.strip().split("\\s+"));
        }
        return table;
    }

    /** A route that an interface carries, as people write it, or empty. */
    public Optional<String> through(String netInterface) {
        return Optional.ofNullable(routes.get(netInterface));
    }

    /**
     * Columns: Iface Destination Gateway Flags RefCnt Use Metric Mask …, addresses as in memory.
     */
    private void addIpv4(String[] column) {
        if (column.length < IPV4_COLUMNS || !column[3].matches("\\p{XDigit}{1,8}")) {
            return;
        }
        long flags = Long.parseLong(column[3], 16);
        if ((flags & RTF_UP) == 0 || (flags & RTF_REJECT) != 0) {
            return;
        }
        try {
            int destination = Integer.reverseBytes(Integer.parseUnsignedInt(column[1], 16));
            int bits = Integer.bitCount(Integer.parseUnsignedInt(column[7], 16));
            if (destination >>> 16 == 0xA9FE) {
                return; // 169.254.0.0/16, RFC 3927
            }
            String text =
                    bits == 0
                            ? "the default route"
                            : "%d.%d.%d.%d/%d"
                                    .formatted(
                                            destination >>> 24,
                                            destination >>> 16 & 0xff,
                                            destination >>> 8 & 0xff,
                                            destination & 0xff,
                                            bits);
            add(column[0], text);
        } catch (NumberFormatException notALine) {
            // The heading.
        }
    }

    /**
     * Columns: destination, its length, source, its length, next hop, metric, use ×2, flags, dev.
     */
    private void addIpv6(String[] column) {
        if (column.length < IPV6_COLUMNS
                || !column[0].matches("\\p{XDigit}{32}")
                || !column[1].matches("\\p{XDigit}{2}")
                || !column[8].matches("\\p{XDigit}{8}")) {
            return;
        }
        long flags = Long.parseLong(column[8], 16);
        int first = Integer.parseInt(column[0].substring(0, 4), 16);
        boolean linkLocal = (first & 0xFFC0) == 0xFE80;
        boolean multicast = first >>> 8 == 0xFF;
        if ((flags & RTF_UP) == 0
                || (flags & (RTF_REJECT | RTF_LOCAL | RTF_ANYCAST)) != 0
                || linkLocal
                || multicast) {
            return;
        }
        int bits = Integer.parseInt(column[1], 16);
        add(
                column[9],
                bits == 0
                        ? "the IPv6 default route"
                        : column[0].replaceAll("(....)(?!$)", "$1:") + "/" + bits);
    }

    /** A default route says most; otherwise the first one read is kept. */
    private void add(String netInterface, String route) {
        if (route.contains("default")) {
            routes.merge(netInterface, route, (old, now) -> old.contains("default") ? old : now);
        } else {
            routes.putIfAbsent(netInterface, route);
        }
    }
}
