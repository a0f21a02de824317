package io.grantwire.tools.testpmd;

import io.grantwire.pmd.ethdev.EthOffload;
import io.grantwire.pmd.net.VlanTag;
import io.grantwire.tools.testpmd.command.CommandException;
import io.grantwire.tools.testpmd.command.Rule;
import io.grantwire.tools.testpmd.command.Values;
import java.util.List;

/** The commands about VLANs: tags that a device takes off, lets through, and puts on. */
final class VlanCommands {
    private static final String SECTION = "VLAN";

    private VlanCommands() {}

    static List<Rule> rules(Session s) {
        return List.of(
                Rule.of(
                        SECTION,
                        "vlan set strip <state:on|off> <port:port>",
                        "Takes tags off received frames, or leaves them.",
                        v -> s.ports(v.port("port")).forEach(port -> strip(port, on(v)))),
                Rule.of(
                        SECTION,
                        "vlan set stripq <state:on|off> <which:list>",
                        "The same for one queue: PORT,QUEUE; for ports with a single queue.",
                        v -> stripQueue(s, v)),
                Rule.of(
                        SECTION,
                        "vlan set filter <state:on|off> <port:port>",
                        "Receives tagged frames of listed VLANs only (rx_vlan add); port stopped.",
                        v -> filter(s, v)),
                Rule.of(
                        SECTION,
                        "rx_vlan <what:add|rm> <vlan:vlan> <port:uint>",
                        "Lists a VLAN, or all, for the filter, or takes it off the list.",
                        v -> list(s, v)),
                Rule.of(
                        SECTION,
                        "tx_vlan set <port:uint> <vlan:uint>",
                        "Has the device tag the frames it sends; port stopped. Not in mode io.",
                        v -> tag(s, v)),
                Rule.of(
                        SECTION,
                        "tx_vlan reset <port:uint>",
                        "Has the device tag no more; port stopped.",
                        v -> {
                            Port port = s.stoppedPort(v.number("port"));
                            port.settings.setTxVlan(-1);
                            port.reconfigure();
                        }));
    }

    private static boolean on(Values v) {
        return v.text("state").equals("on");
    }

    private static void stripQueue(Session s, Values v) {
        int[] which = v.list("which");
        if (which.length != 2) {
            throw new CommandException("Bad arguments: expected PORT,QUEUE");
        }
        Port port = s.ports(which[0]).getFirst();
        if (which[1] >= port.settings.rxQueues) {
            throw new CommandException("Invalid queue " + which[1]);
        }
        if (port.settings.rxQueues > 1) {
            throw new CommandException(
                    "Port "
                            + port.id
                            + " strips on all its queues or on none (vlan set strip "
                            + v.text("state")
                            + " "
                            + port.id
                            + ")");
        }
        strip(port, on(v));
    }

    private static void strip(Port port, boolean on) {
        port.device.setVlanStrip(on);
        port.settings.offload(EthOffload.RX_VLAN_STRIP, on);
    }

    private static void filter(Session s, Values v) {
        for (Port port : s.ports(v.port("port"))) {
            s.stoppedPort(port.id);
            if (on(v)) {
                port.settings.require(EthOffload.RX_VLAN_FILTER, "VLAN filter");
            } else {
                port.settings.offload(EthOffload.RX_VLAN_FILTER, false);
            }
            port.reconfigure();
        }
    }

    private static void list(Session s, Values v) {
        Port port = s.ports(v.number("port")).getFirst();
        boolean add = v.text("what").equals("add");
        if (v.text("vlan").equals("all")) {
            for (int vlan = 0; vlan <= VlanTag.ID_MASK; vlan++) {
                port.device.setVlanFilter(vlan, add);
            }
        } else {
            port.device.setVlanFilter(vlan(v.number("vlan")), add);
        }
    }

    private static void tag(Session s, Values v) {
        Port port = s.stoppedPort(v.number("port"));
        int vlan = vlan(v.number("vlan"));
        port.settings.require(EthOffload.TX_VLAN_INSERT, "vlan insert");
        port.settings.setTxVlan(vlan);
        port.reconfigure();
    }

    private static int vlan(int number) {
        if (number > VlanTag.ID_MASK) {
            throw new CommandException(
                    "Invalid vlan_id " + number + ": they go up to " + VlanTag.ID_MASK);
        }
        return number;
    }
}
