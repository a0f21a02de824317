package io.grantwire.pmd.driver.pci;

import io.grantwire.pmd.ethdev.DeviceArgs;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.vfio.PciDevice;
import io.grantwire.vfio.PciFunction;

/** Drives one family of network cards. */
public interface PciEthDriver {
    /** The driver's name as people know it: {@code net_e1000_igb}. */
    String name();

    /** Whether a card is of this family; its vendor and device numbers say so. */
    boolean matches(PciFunction function);

    /**
     * Makes a device.
     *
     * @param args its name and options
     * @param pci the card, which becomes the device's: it closes it, also when this method throws
     * @throws IllegalArgumentException when an option is wrong
     * @throws io.grantwire.pmd.ethdev.EthDeviceException when the card does not do what it should
     */
    EthDevice create(DeviceArgs args, PciDevice pci);
}
