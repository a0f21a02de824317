package io.grantwire.vswitch.monitor;

/** A guest's device that cannot be served; the message names the key or the limit. */
public final class PortException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * @param message which key, or which limit, and what is wrong: one line for people
     */
    public PortException(String message) {
        super(message);
    }

    /**
     * @param message which key, or which limit, and what is wrong: one line for people
     * @param cause the failure underneath
     */
    public PortException(String message, Throwable cause) {
        super(message, cause);
    }
}
