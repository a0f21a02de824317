package io.grantwire.pmd.driver.e1000e;

import io.grantwire.pmd.driver.pci.PciEthDriver;
import io.grantwire.pmd.ethdev.DeviceArgs;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.vfio.PciDevice;
import io.grantwire.vfio.PciFunction;

/** Drives 82574 cards; there are no options. */
public final class E1000eDriver implements PciEthDriver {
    private static final int INTEL = 0x8086;
    private static final int E1000_DEV_ID_82574L = 0x10D3;
    private static final int E1000_DEV_ID_82574LA = 0x10F6;

    /** The driver; it holds nothing. */
    public E1000eDriver() {}

    @Override
    public String name() {
        return E1000eDevice.NAME;
    }

    @Override
    public boolean matches(PciFunction function) {
        return function.vendor() == INTEL
                && (function.device() == E1000_DEV_ID_82574L
                        || function.device() == E1000_DEV_ID_82574LA);
    }

    @Override
    public EthDevice create(DeviceArgs args, PciDevice pci) {
        try {
            args.allowOnly();
            return new E1000eDevice(args.name(), pci);
        } catch (RuntimeException e) {
            pci.close();
            throw e;
        }
    }
}
