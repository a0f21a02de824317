package io.grantwire.pmd.driver.pci;

import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.driver.e1000e.E1000eDriver;
import io.grantwire.pmd.driver.igb.IgbDriver;
import io.grantwire.pmd.driver.virtio.VirtioNetDriver;
import io.grantwire.pmd.ethdev.DeviceArgs;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDeviceException;
import io.grantwire.pmd.ethdev.EthDriver;
import io.grantwire.vfio.PciAddress;
import io.grantwire.vfio.PciDevice;
import io.grantwire.vfio.PciDevices;
import io.grantwire.vfio.PciException;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * {@code pci:BDF}: a network card that is bound to vfio-pci or a UIO driver, see {@code grantwire
 * nic-bind}.
 */
public final class PciDriver implements EthDriver {
    private static final String PREFIX = "pci:";
    private static final List<PciEthDriver> FAMILIES =
            List.of(new IgbDriver(), new E1000eDriver(), new VirtioNetDriver());

    /** The driver; it holds nothing. */
    public PciDriver() {}

    @Override
    public List<String> prefixes() {
        return List.of(PREFIX);
    }

    @Override
    public EthDevice probe(DeviceArgs args, Supplier<Domain> domain) {
        PciAddress address = PciAddress.parse(args.name().substring(PREFIX.length()));
        PciDevice pci;
        try {
            pci = PciDevices.open(address);
        } catch (PciException e) {
            throw new EthDeviceException("device " + args.name() + ": " + e.getMessage(), e);
        }
        for (PciEthDriver family : FAMILIES) {
            if (family.matches(pci.function())) {
                return family.create(args, pci);
            }
        }
        String id = pci.function().id();
        pci.close();
        throw new EthDeviceException(
                "device "
                        + args.name()
                        + ": ENODEV (no driver for "
                        + id
                        + "; there are "
                        + FAMILIES.stream()
                                .map(PciEthDriver::name)
                                .collect(Collectors.joining(", "))
                        + ")");
    }
}
