package io.grantwire.vfio;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A PCI function as sysfs shows it at one moment.
 *
 * @param address where it sits
 * @param classCode class, subclass and programming interface: 24 bits, 0x020000 for Ethernet
 * @param vendor its maker's number
 * @param device its model's number
 * @param subsystemVendor the board maker's number
 * @param subsystemDevice the board's number
 * @param driver the kernel driver that has it
 * @param iommuGroup the number of its IOMMU group
 * @param numaNode the NUMA node it is attached to
 * @param interfaces the network interfaces it provides, in order of name
 */
public record PciFunction(
        PciAddress address,
        int classCode,
        int vendor,
        int device,
        int subsystemVendor,
        int subsystemDevice,
        Optional<String> driver,
        OptionalInt iommuGroup,
        OptionalInt numaNode,
        List<String> interfaces) {
    private static final int NETWORK_CLASS = 0x02;

    /** Copies the list. */
    public PciFunction {
        interfaces = List.copyOf(interfaces);
    }

    /** Whether its base class is "network controller". */
    public boolean isNetwork() {
        return classCode >>> 16 == NETWORK_CLASS;
    }

    /** Vendor and device as people write them: {@code 8086:10d3}. */
    public String id() {
        return "%04x:%04x".formatted(vendor, device);
    }
}
