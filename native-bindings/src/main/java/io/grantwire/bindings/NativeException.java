package io.grantwire.bindings;

/**
 * A system call or native library call that failed, with what it was, why, and what to do about it.
 *
 * <p>Thrown while setting up and controlling; never on the packet path. The message reads {@code
 * open(/dev/xen/gntalloc): ENOENT (No such file or directory); load it with: modprobe
 * xen-gntalloc}.
 */
public final class NativeException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String call;
    private final int errno;
    private final String hint;

    /**
     * @param call the call with its telling arguments, for instance {@code open(/dev/net/tun)}
     * @param errno the error number the call left
     * @param hint what a person can type or change to mend it, or null when nothing useful is known
     */
    public NativeException(String call, int errno, String hint) {
        super(
                call
                        + ": "
                        + Errno.nameOf(errno)
                        + " ("
                        + Errno.messageOf(errno)
                        + ")"
                        + (hint == null || hint.isEmpty() ? "" : "; " + hint));
        this.call = call;
        this.errno = errno;
        this.hint = hint == null ? "" : hint;
    }

    /**
     * @param call the call with its telling arguments
     * @param errno the error number the call left
     */
    public NativeException(String call, int errno) {
        this(call, errno, null);
    }

    /** The call that failed, with its telling arguments. */
    public String call() {
        return call;
    }

    /** The error number, as in {@code errno.h}. */
    public int errno() {
        return errno;
    }

    /** The error's symbolic name, for instance {@code EACCES}. */
    public String errnoName() {
        return Errno.nameOf(errno);
    }

    /** What to type or change next; empty when nothing useful is known. */
    public String hint() {
        return hint;
    }

    /** The same failure with advice added by a caller who knows the circumstances. */
    public NativeException withHint(String advice) {
        NativeException e = new NativeException(call, errno, advice);
        e.initCause(this);
        return e;
    }
}
