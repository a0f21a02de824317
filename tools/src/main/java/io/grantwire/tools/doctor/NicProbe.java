package io.grantwire.tools.doctor;

import io.grantwire.vfio.Iommu;
import io.grantwire.vfio.PciFunction;
import io.grantwire.vfio.SysfsPci;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Network cards by driver, the IOMMU and VFIO, and the kernel's software devices. */
final class NicProbe implements Probe {
    private static final String AREA = "Network";

    @Override
    public List<Finding> look(Machine m) {
        List<Finding> found = new ArrayList<>();
        for (PciFunction function : new SysfsPci(m.path("/sys")).list()) {
            if (function.isNetwork()) {
                found.add(nic(function));
            }
        }
        if (found.isEmpty()) {
            found.add(
                    Finding.note(AREA, "PCI network cards", "none; uplinks: pcap, tap, af_packet"));
        }
        Iommu iommu = new Iommu(m.path("/sys"));
        Optional<String> lack = iommu.unavailable();
        found.add(
                lack.isEmpty()
                        ? Finding.ok(AREA, "IOMMU", iommu.groups() + " groups")
                        : Finding.lack(
                                AREA,
                                "IOMMU",
                                lack.get(),
                                "sudo sed -i 's/^GRUB_CMDLINE_LINUX=\"/&intel_iommu=on /'"
                                        + " /etc/default/grub && sudo update-grub && sudo reboot"));
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

    private static Finding nic(PciFunction f) {
        return Finding.note(
                AREA,
                f.address().toString(),
                f.id()
                        + ", driver "
                        + f.driver().orElse("none")
                        + (f.interfaces().isEmpty() ? "" : ", " + String.join(" ", f.interfaces()))
                        + (f.iommuGroup().isEmpty()
                                ? ""
                                : ", IOMMU group " + f.iommuGroup().getAsInt()));
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
