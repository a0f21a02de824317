package io.grantwire.pmd.ethdev;

/** A control operation on an Ethernet device that failed; never thrown on the packet path. */
public final class EthDeviceException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * @param message what failed, on which device, why, and what to do: one line for people
     */
    public EthDeviceException(String message) {
        super(message);
    }

    /**
     * @param message what failed, on which device, why, and what to do: one line for people
     * @param cause the failure underneath
     */
    public EthDeviceException(String message, Throwable cause) {
        super(message, cause);
    }
}
