package io.grantwire.xenstore.server;

/**
 * A request that is answered with an error. It carries no stack trace: guests can cause any number
 * of these, and each is an ordinary answer.
 */
final class StoreError extends Exception {
    private static final long serialVersionUID = 1L;

    private final StoreErrno errno;

    StoreError(StoreErrno errno) {
        super(errno.name(), null, false, false);
        this.errno = errno;
    }

    StoreErrno errno() {
        return errno;
    }
}
