package io.grantwire.vfio;

/** A PCI device that cannot be had or does not do what it should; never on the packet path. */
public final class PciException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * @param message what failed, on which device, the errno by name, what to type: one line
     */
    public PciException(String message) {
        super(message);
    }

    /**
     * @param message what failed, on which device, the errno by name, what to type: one line
     * @param cause the failure underneath
     */
    public PciException(String message, Throwable cause) {
        super(message, cause);
    }
}
