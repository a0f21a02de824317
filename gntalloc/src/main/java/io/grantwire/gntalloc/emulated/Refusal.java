package io.grantwire.gntalloc.emulated;

/**
 * A request that is well formed and not granted. No stack trace: a hostile process can cause any
 * number of them.
 */
final class Refusal extends Exception {
    private static final long serialVersionUID = 1L;

    private final int status;
    private final int detail;

    /**
     * @param status an errno, or a negative grant status
     * @param detail what the request's description says, else 0
     * @param text why, and what to do about it
     */
    Refusal(int status, int detail, String text) {
        super(text, null, false, false);
        this.status = status;
        this.detail = detail;
    }

    Refusal(int status, String text) {
        this(status, 0, text);
    }

    int status() {
        return status;
    }

    int detail() {
        return detail;
    }

    /** The same with another detail. */
    Refusal at(int position) {
        return new Refusal(status, position, getMessage());
    }
}
