package io.grantwire.tools.doctor;

import java.util.ArrayList;
import java.util.List;

/** Network cards by driver, the IOMMU and VFIO, and the kernel's software devices. */
final class NicProbe implements Probe {
    private static final String AREA = "Network";
    private static final String DEVICES = "/sys/bus/pci/devices";
    private static final String CLASS_ETHERNET = "0x0200";

    @Override
    public List<Finding> look(Machine m) {
        List<Finding> found = new ArrayList<>();
        for (String bdf : m.names(DEVICES)) {
            String device = DEVICES + "/" + bdf;
            if (m.firstLine(device + "/class").startsWith(CLASS_ETHERNET)) {
                found.add(nic(m, bdf, device));
            }
        }
        if (found.isEmpty()) {
            found.add(
                    Finding.note(AREA, "PCI network cards", "none; uplinks: pcap, tap, af_packet"));
        }
        int groups = m.names("/sys/kernel/iommu_groups").size();
        found.add(
                groups > 0
                        ? Finding.ok(AREA, "IOMMU", groups + " groups")
                        : Finding.lack(
                                AREA,
                                "IOMMU",
                                "none active: no VFIO with protection",
                                "switch VT-d/AMD-Vi on in the firmware and boot with"
                                        + " intel_iommu=on (Intel)"));
        found.add(
                m.exists("/dev/vfio/vfio")
                        ? Finding.ok(AREA, "VFIO", "/dev/vfio/vfio")
                        : Finding.lack(
                                AREA,
                                "VFIO",
                                "not loaded: no uplink pci:BDF",
                                "sudo modprobe vfio-pci"));
        found.add(tun(m));
        return found;
    }

    private static Finding nic(Machine m, String bdf, String device) {
        String driver = m.linkName(device + "/driver");
        List<String> interfaces = m.names(device + "/net");
        String id =
                m.firstLine(device + "/vendor").replace("0x", "")
                        + ":"
                        + m.firstLine(device + "/device").replace("0x", "");
        String group = m.linkName(device + "/iommu_group");
        return Finding.note(
                AREA,
                bdf,
                id
                        + ", driver "
                        + (driver.isEmpty() ? "none" : driver)
                        + (interfaces.isEmpty() ? "" : ", " + String.join(" ", interfaces))
                        + (group.isEmpty() ? "" : ", IOMMU group " + group));
    }

    private static Finding tun(Machine m) {
        if (!m.exists("/dev/net/tun")) {
            return Finding.lack(
                    AREA, "/dev/net/tun", "missing: no uplink tap:NAME", "sudo modprobe tun");
        }
        boolean root = io.grantwire.bindings.Process.euid() == 0;
        return root
                ? Finding.ok(AREA, "/dev/net/tun", "uplinks tap:NAME and af_packet:IFACE")
                : Finding.lack(
                        AREA,
                        "/dev/net/tun",
                        "there, but making a tap or a packet socket needs CAP_NET_ADMIN and"
                                + " CAP_NET_RAW",
                        "run the switch with sudo, or: sudo ip tuntap add dev NAME mode tap user"
                                + " $USER");
    }
}
