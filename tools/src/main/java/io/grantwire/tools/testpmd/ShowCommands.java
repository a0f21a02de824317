package io.grantwire.tools.testpmd;

import io.grantwire.pmd.ethdev.EthOffload;
import io.grantwire.tools.testpmd.command.Rule;
import io.grantwire.tools.testpmd.layout.InfoLayout;
import io.grantwire.tools.testpmd.layout.StatsLayout;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** The commands that show and clear. */
final class ShowCommands {
    private static final String SECTION = "Display";

    private ShowCommands() {}

    static List<Rule> rules(Session s) {
        return List.of(
                Rule.of(
                        SECTION,
                        "show port info <port:port>",
                        "Shows what the device is and can do.",
                        v -> s.ports(v.port("port")).forEach(port -> info(s, port))),
                Rule.of(
                        SECTION,
                        "show port stats <port:port>",
                        "Shows the port's counters, and its rates since the last time.",
                        v -> s.ports(v.port("port")).forEach(s::showStats)),
                Rule.of(
                        SECTION,
                        "show port xstats <port:port>",
                        "Shows the port's extended counters.",
                        v ->
                                s.ports(v.port("port"))
                                        .forEach(port ->
                                                s.out.print(
                                                        StatsLayout.xstats(
                                                                port.id, port.device.xstats())))),
                Rule.of(
                        SECTION,
                        "clear port stats|xstats <port:port>",
                        "Sets the port's counters to zero.",
                        v -> s.ports(v.port("port")).forEach(port -> clear(s, port))),
                Rule.of(
                        SECTION,
                        "show config rxtx",
                        "Shows the settings of queues and bursts.",
                        v -> s.showRxTx()),
                Rule.of(
                        SECTION,
                        "show config fwd",
                        "Shows who forwards what.",
                        v -> s.showForwarding()),
                Rule.of(
                        SECTION,
                        "show config cores",
                        "Shows the lcores that forward.",
                        v -> cores(s)),
                Rule.of(
                        SECTION,
                        "show config txpkts",
                        "Shows the segments of generated frames.",
                        v -> txpkts(s)));
    }

    private static void info(Session s, Port port) {
        s.out.print(
                InfoLayout.port(
                        port.id,
                        port.device.macAddress().toString(),
                        port.device.info(),
                        port.device.link(),
                        port.device.mtu(),
                        port.device.promiscuous(),
                        port.device.allMulticast(),
                        new InfoLayout.Nic(
                                port.device.capabilities(),
                                port.device.vlanStrip(),
                                port.settings.has(EthOffload.RX_VLAN_FILTER))));
    }

    private static void clear(Session s, Port port) {
        port.clearStats();
        s.out.println();
        s.out.println("  NIC statistics for port " + port.id + " cleared");
    }

    private static void cores(Session s) {
        s.out.println(
                "List of forwarding lcores:"
                        + s.config.usedCores().stream()
                                .map(core -> String.format(" %2d", core.lcore()))
                                .collect(Collectors.joining()));
    }

    private static void txpkts(Session s) {
        int[] lengths = s.config.segmentLengths;
        s.out.println("Number of segments: " + lengths.length);
        s.out.println(
                "Segment sizes: "
                        + Arrays.stream(lengths)
                                .mapToObj(Integer::toString)
                                .collect(Collectors.joining(",")));
        s.out.println("Split packet: off");
    }
}
