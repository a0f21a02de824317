package io.grantwire.vfio;

/** Takes PCI functions from the kernel, through whichever driver they are bound to. */
public final class PciDevices {
    private PciDevices() {}

    /**
     * Opens a function that is bound to a driver for programs.
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
        String driver = function.driver().orElse("none");
        throw new PciException(
                "PCI device "
                        + address
                        + ": EBUSY (its driver is "
                        + driver
                        + "; type: grantwire nic-bind -b vfio-pci "
                        + address
                        + ")");
    }
}
