package io.grantwire.bindings;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.grantwire.bindings.gen.libc.LibC;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.time.Duration;

/** A counter in the kernel that wakes whoever polls it. Any thread may use it. */
public final class EventFd implements AutoCloseable {
    private static final MethodHandle EVENTFD =
            CaptureState.link(LibC.eventfd$address(), LibC.eventfd$descriptor());

    private static final MemorySegment ONE =
            Arena.global().allocateFrom(JAVA_LONG, 1L).asReadOnly();

    private final Fd fd;

    private EventFd(Fd fd) {
        this.fd = fd;
    }

    /** A new one, not signalled. */
    public static EventFd create() {
        int n;
        try {
            n =
                    (int)
                            EVENTFD.invokeExact(
                                    CaptureState.segment(),
                                    0,
                                    LibC.EFD_CLOEXEC() | LibC.EFD_NONBLOCK());
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
        if (n < 0) {
            int errno = CaptureState.errno();
            throw new NativeException("eventfd()", errno, Hints.open("eventfd", errno));
        }
        return new EventFd(Fd.adopt(n, "eventfd"));
    }

    /**
     * One that another process made, for instance received over a {@link UnixSocket}; now owned.
     */
    public static EventFd adopt(Fd fd) {
        fd.setNonBlocking(true);
        return new EventFd(fd);
    }

    /** Its descriptor, for polling and for passing on. */
    public Fd fd() {
        return fd;
    }

    /** Wakes whoever waits; signals that nobody has drained yet merge. */
    public void signal() {
        // -1: the counter is at its limit, so it is signalled already.
        fd.write(ONE);
    }

    /** Takes all signals: how many there were, 0 if none. */
    public long drain() {
        MemorySegment count = CaptureState.scratch().asSlice(0, JAVA_LONG);
        return fd.read(count) == JAVA_LONG.byteSize() ? count.get(JAVA_LONG, 0) : 0;
    }

    /**
     * Waits until it is signalled; does not drain it. Not ended by {@link Thread#interrupt}.
     *
     * @param atMost how long; zero asks once, negative waits for ever
     * @return whether it is signalled
     */
    public boolean await(Duration atMost) {
        return fd.pollReadable(atMost);
    }

    /** Closes the descriptor; a second call does nothing. */
    @Override
    public void close() {
        fd.close();
    }
}
