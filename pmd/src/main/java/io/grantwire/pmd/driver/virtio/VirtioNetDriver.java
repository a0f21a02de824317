package io.grantwire.pmd.driver.virtio;

import io.grantwire.pmd.driver.pci.PciEthDriver;
import io.grantwire.pmd.ethdev.DeviceArgs;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.vfio.PciDevice;
import io.grantwire.vfio.PciFunction;

/** Drives virtio network devices by the modern interface; there are no options. */
public final class VirtioNetDriver implements PciEthDriver {
    // Section 4.1.2.

    private static final int RED_HAT = 0x1AF4;
    private static final int TRANSITIONAL_NET = 0x1000;
    private static final int MODERN_NET = 0x1041;

    /** The driver; it holds nothing. */
    public VirtioNetDriver() {}

    @Override
    public String name() {
        return VirtioNetDevice.NAME;
    }

    @Override
    public boolean matches(PciFunction function) {
        return function.vendor() == RED_HAT
                && (function.device() == TRANSITIONAL_NET || function.device() == MODERN_NET);
    }

    @Override
    public EthDevice create(DeviceArgs args, PciDevice pci) {
        try {
            args.allowOnly();
            return new VirtioNetDevice(args.name(), pci);
        } catch (RuntimeException e) {
            pci.close();
            throw e;
        }
    }
}
