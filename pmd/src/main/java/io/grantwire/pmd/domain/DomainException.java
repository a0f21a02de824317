package io.grantwire.pmd.domain;

/** A domain or an emulated host that cannot be had; the message says why and what to type next. */
public final class DomainException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * @param message one line for people
     */
    public DomainException(String message) {
        super(message);
    }

    /**
     * @param message one line for people
     * @param cause the failure underneath
     */
    public DomainException(String message, Throwable cause) {
        super(message, cause);
    }
}
