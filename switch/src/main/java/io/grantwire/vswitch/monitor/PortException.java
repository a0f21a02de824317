package io.grantwire.vswitch.monitor;

import io.grantwire.vswitch.ring.RejectReason;

/** A guest's device that cannot be served; the message names the key or the limit. */
public final class PortException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final RejectReason reason;

    /**
     * @param reason the rule it breaks
     * @param message which key, or which limit, and what is wrong: one line for people
     */
    public PortException(RejectReason reason, String message) {
        super(message);
        this.reason = reason;
    }

    /**
     * @param reason the rule it breaks
     * @param message which key, or which limit, and what is wrong: one line for people
     * @param cause the failure underneath
     */
    public PortException(RejectReason reason, String message, Throwable cause) {
        super(message, cause);
        this.reason = reason;
    }

    /** The rule that the device breaks. */
    public RejectReason reason() {
        return reason;
    }
}
