package io.grantwire.vfio.bind;

import io.grantwire.bindings.NativeException;

/** What to do about the kernel's answers to requests to bind and unbind. */
final class BindHints {
    private BindHints() {}

    static String forBind(String driver, NativeException e) {
        if (!e.hint().isEmpty()) {
            return "";
        }
        return switch (e.errnoName()) {
            case "ENODEV" ->
                    driver.equals("uio_pci_generic")
                            ? "; it has no INTx interrupt line, as virtual functions have none: take"
                                    + " vfio-pci"
                            : "; " + driver + " does not know this model";
            case "EINVAL" ->
                    driver.equals(PciDrivers.VFIO_PCI)
                            ? "; it is in no IOMMU group: switch the IOMMU on, or --noiommu-mode"
                            : "; dmesg says more";
            case "EBUSY" -> "; something else uses it: dmesg says more";
            default -> "; dmesg says more";
        };
    }

    static String forUnbind(NativeException e) {
        return e.hint().isEmpty() ? "; dmesg says more" : "";
    }
}
