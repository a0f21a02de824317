package io.grantwire.tools.testpmd;

import io.grantwire.pmd.ethdev.EthOffload;
import io.grantwire.pmd.net.MacAddress;
import io.grantwire.tools.testpmd.command.CommandException;
import io.grantwire.tools.testpmd.command.Rule;
import io.grantwire.tools.testpmd.command.Values;
import io.grantwire.tools.testpmd.layout.NicLayout;
import java.util.List;

/** The commands that change a port's device: queues, sizes, offloads, addresses, the link. */
final class PortConfigCommands {
    private static final String SECTION = "Ports";
    private static final int MAX_QUEUES = 64;
    private static final int MAX_DESC = 32768;

    private PortConfigCommands() {}

    static List<Rule> rules(Session s) {
        return List.of(
                Rule.of(
                        SECTION,
                        "port config all <what:rxq|txq|rxd|txd> <n:uint>",
                        "Sets the number of queues, or of descriptors; ports stopped.",
                        v -> count(s, v.text("what"), v.number("n"))),
                Rule.of(
                        SECTION,
                        "port config all max-pkt-len <n:uint>",
                        "Sets the longest frame, CRC included; ports stopped.",
                        v ->
                                s.ports()
                                        .forEach(p ->
                                                mtu(s, p, v.number("n") - PortSettings.OVERHEAD))),
                Rule.of(
                        SECTION,
                        "port config all <what:rx-cksum|scatter|hw-vlan|hw-vlan-filter|hw-vlan-strip>"
                                + " <state:on|off>",
                        "Turns an offload of received frames on or off; ports stopped.",
                        v -> offload(s, v)),
                Rule.of(
                        SECTION,
                        "port config mtu <port:uint> <bytes:uint>",
                        "Sets the largest payload; port stopped.",
                        v -> mtu(s, s.ports(v.number("port")).getFirst(), v.number("bytes"))),
                Rule.of(
                        SECTION,
                        "set link-up port <port:uint>",
                        "Takes the link up.",
                        v -> port(s, v).device.setLinkUp(true)),
                Rule.of(
                        SECTION,
                        "set link-down port <port:uint>",
                        "Takes the link down.",
                        v -> port(s, v).device.setLinkUp(false)),
                Rule.of(
                        SECTION,
                        "mac_addr add <port:uint> <mac:mac>",
                        "Receives another address's frames too.",
                        v -> port(s, v).device.addMacAddress(mac(v))),
                Rule.of(
                        SECTION,
                        "mac_addr remove <port:uint> <mac:mac>",
                        "Undoes mac_addr add.",
                        v -> port(s, v).device.removeMacAddress(mac(v))),
                Rule.of(
                        SECTION,
                        "mac_addr set <port:uint> <mac:mac>",
                        "Changes the port's own address.",
                        v -> {
                            s.requireNotForwarding();
                            port(s, v).device.changeMacAddress(mac(v));
                        }),
                Rule.of(
                        SECTION,
                        "show port <port:uint> macs",
                        "Shows the addresses whose frames are received.",
                        v -> s.out.print(NicLayout.macs(port(s, v).device.macAddresses()))));
    }

    private static Port port(Session s, Values v) {
        return s.ports(v.number("port")).getFirst();
    }

    private static MacAddress mac(Values v) {
        return MacAddress.parse(v.text("mac"));
    }

    private static void mtu(Session s, Port port, int bytes) {
        s.stoppedPort(port.id);
        port.device.setMtu(bytes);
        port.settings.setMtu(bytes);
        port.reconfigure();
    }

    private static void count(Session s, String what, int n) {
        boolean queues = what.endsWith("q");
        int most = queues ? MAX_QUEUES : MAX_DESC;
        if (n < 1 || n > most) {
            throw new CommandException("Bad arguments: " + what + " must be 1 to " + most);
        }
        for (Port port : s.ports()) {
            s.stoppedPort(port.id);
        }
        for (Port port : s.ports()) {
            PortSettings settings = port.settings;
            switch (what) {
                case "rxq" -> settings.rxQueues = n;
                case "txq" -> settings.txQueues = n;
                case "rxd" -> settings.rxDesc = n;
                default -> settings.txDesc = n;
            }
            port.reconfigure();
        }
    }

    private static void offload(Session s, Values v) {
        List<EthOffload> offloads =
                switch (v.text("what")) {
                    case "rx-cksum" -> List.of(EthOffload.RX_CHECKSUM);
                    case "scatter" -> List.of(EthOffload.RX_SCATTER);
                    case "hw-vlan-filter" -> List.of(EthOffload.RX_VLAN_FILTER);
                    case "hw-vlan-strip" -> List.of(EthOffload.RX_VLAN_STRIP);
                    default -> List.of(EthOffload.RX_VLAN_FILTER, EthOffload.RX_VLAN_STRIP);
                };
        boolean on = v.text("state").equals("on");
        for (Port port : s.ports()) {
            s.stoppedPort(port.id);
        }
        for (Port port : s.ports()) {
            for (EthOffload offload : offloads) {
                if (on) {
                    port.settings.require(offload, v.text("what"));
                } else {
                    port.settings.offload(offload, false);
                }
            }
            port.reconfigure();
        }
    }
}
