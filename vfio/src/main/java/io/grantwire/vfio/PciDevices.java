package io.grantwire.vfio;

/** Takes PCI functions from the kernel, through whichever driver they are bound to. */
public final class PciDevices {
    private PciDevices() {}

    /**
     * Opens a function that is bound to a driver for programs: vfio-pci, uio_pci_generic or
     * igb_uio. A process can have it open once.
     *
     * @throws PciException when there is no such function, when a kernel driver has it (the message
     *     says how to bind it), or when the kernel refuses
     */
    public static PciDevice open(PciAddress address) {
        PciFunction function =
                SysfsPci.host()
                        .find(address)
                        .orElseThrow(() ->
                                new PciException(
                                        "PCI device "
                                                + address
                                                + ": ENODEV (there is none; grantwire nic-bind"
                                                + " --status lists them)"));
        AbstractPciDevice.claim(address);
        try {
            String driver = function.driver().orElse("");
            return switch (driver) {
                case "vfio-pci" -> VfioDevice.open(function);
                case "uio_pci_generic", "igb_uio" -> UioDevice.open(function, driver);
                default ->
                        throw new PciException(
                                "PCI device "
                                        + address
                                        + (driver.isEmpty()
                                                ? ": ENODEV (it has no driver"
                                                : ": EBUSY (its driver is " + driver)
                                        + "; type: grantwire nic-bind -b vfio-pci "
                                        + address
                                        + ")");
            };
        } catch (RuntimeException e) {
            AbstractPciDevice.unclaim(address);
            throw e;
        }
    }
}
