package io.grantwire.vfio.bind;

/** A device that could not be bound or unbound; says which driver has it now. */
public final class BindException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * @param message what failed on which device, why, who has the device now, what to do next
     * @param cause the kernel's answer, or null when it gave none
     */
    public BindException(String message, Throwable cause) {
        super(message, cause);
    }
}
