package io.grantwire.xenstore;

/**
 * How a connection tells its client that an operation failed, before the client adds what it was
 * doing to which path. Never leaves this package.
 */
final class XsFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int errno;
    private final String detail;
    private final boolean connectionOver;
    private final boolean sent;

    private XsFailure(int errno, String detail, boolean connectionOver, boolean sent) {
        // No stack trace: the exception the client makes of it has the one that people need.
        super(detail, null, false, false);
        this.errno = errno;
        this.detail = detail;
        this.connectionOver = connectionOver;
        this.sent = sent;
    }

    /**
     * The store, or the way to it, refused this one operation.
     *
     * @param detail what to say about it, or null to let the errno speak
     */
    static XsFailure refused(int errno, String detail) {
        return new XsFailure(errno, detail, false, true);
    }

    /** The connection cannot be used any more. */
    static XsFailure over(int errno, String detail) {
        return new XsFailure(errno, detail, true, true);
    }

    /**
     * The same for a request that has not left, or not as a whole: the store knows nothing of it.
     */
    XsFailure unsent() {
        return new XsFailure(errno, detail, connectionOver, false);
    }

    int errno() {
        return errno;
    }

    /** What is known beyond the errno, or null. */
    String detail() {
        return detail;
    }

    /** Whether every further operation will fail, too. */
    boolean connectionOver() {
        return connectionOver;
    }

    /** Whether the store may have done what it was asked; false when it certainly has not. */
    boolean sent() {
        return sent;
    }
}
