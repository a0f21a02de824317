package io.grantwire.xenstore;

import io.grantwire.bindings.Errno;

/** A xenstore operation that failed; the message names the operation, the path and the errno. */
public final class XenstoreException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String operation;
    private final String path;
    private final int errno;

    /**
     * @param operation what was tried, for instance {@code write}
     * @param path the path it was tried on, or the empty string
     * @param errno why it failed, as in {@code errno.h}
     * @param hint what to do about it, or null
     */
    public XenstoreException(String operation, String path, int errno, String hint) {
        super(
                "xenstore "
                        + operation
                        + (path.isEmpty() ? "" : " " + path)
                        + ": "
                        + Errno.nameOf(errno)
                        + " ("
                        + Errno.messageOf(errno)
                        + ")"
                        + (hint == null || hint.isEmpty() ? "" : "; " + hint));
        this.operation = operation;
        this.path = path;
        this.errno = errno;
    }

    /** What was tried. */
    public String operation() {
        return operation;
    }

    /** The path it was tried on, or the empty string. */
    public String path() {
        return path;
    }

    /** The error number, as in {@code errno.h}. */
    public int errno() {
        return errno;
    }

    /** The error's symbolic name, for instance {@code EACCES}. */
    public String errnoName() {
        return Errno.nameOf(errno);
    }
}
