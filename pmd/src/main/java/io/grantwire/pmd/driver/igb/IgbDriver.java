package io.grantwire.pmd.driver.igb;

import io.grantwire.pmd.driver.pci.PciEthDriver;
import io.grantwire.pmd.ethdev.DeviceArgs;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.vfio.PciDevice;
import io.grantwire.vfio.PciFunction;

/** {@code net_e1000_igb}: Intel 82576 and I350. */
public final class IgbDriver implements PciEthDriver {
    /** The driver; it holds nothing. */
    public IgbDriver() {}

    @Override
    public String name() {
        return "net_e1000_igb";
    }

    @Override
    public boolean matches(PciFunction function) {
        return IgbModel.of(function).isPresent();
    }

    @Override
    public EthDevice create(DeviceArgs args, PciDevice pci) {
        try {
            args.allowOnly();
            return IgbDevice.open(args.name(), pci, IgbModel.of(pci.function()).orElseThrow());
        } catch (RuntimeException e) {
            pci.close();
            throw e;
        }
    }
}
