package io.grantwire.bindings;

import io.grantwire.bindings.gen.libc.LibC;
import io.grantwire.bindings.gen.libc.epoll_event;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.time.Duration;

/**
 * Waits for many descriptors at once. Threads may change the set while another waits; each ready
 * descriptor is reported by the 64-bit value it was added with.
 */
public final class Epoll implements AutoCloseable {
    private static final MethodHandle EPOLL_CREATE =
            CaptureState.link(LibC.epoll_create1$address(), LibC.epoll_create1$descriptor());
    private static final MethodHandle EPOLL_CTL =
            CaptureState.link(LibC.epoll_ctl$address(), LibC.epoll_ctl$descriptor());
    private static final MethodHandle EPOLL_WAIT =
            CaptureState.link(LibC.epoll_wait$address(), LibC.epoll_wait$descriptor());

    // The structure is packed on x86-64, which leaves the value on a 4-byte boundary.
    private static final ValueLayout.OfLong DATA = ValueLayout.JAVA_LONG_UNALIGNED;

    private final Fd fd;

    private Epoll(Fd fd) {
        this.fd = fd;
    }

    /** A new, empty set. */
    public static Epoll create() {
        int n;
        try {
            n = (int) EPOLL_CREATE.invokeExact(CaptureState.segment(), LibC.EPOLL_CLOEXEC());
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
        if (n < 0) {
            int errno = CaptureState.errno();
            throw new NativeException("epoll_create1()", errno, Hints.open("epoll", errno));
        }
        return new Epoll(Fd.adopt(n, "epoll"));
    }

    /** Its own descriptor, which can be polled in turn. */
    public Fd fd() {
        return fd;
    }

    /**
     * Adds a descriptor.
     *
     * @param events {@code EPOLL*} of {@link LibC}
     * @param data what {@link #await} reports when it is ready
     * @throws NativeException {@code EEXIST} if it is in the set already
     */
    public void add(int fd, int events, long data) {
        control("EPOLL_CTL_ADD", LibC.EPOLL_CTL_ADD(), fd, events, data);
    }

    /**
     * Changes what to wait for and what to report; re-arms a one-shot descriptor.
     *
     * @throws NativeException {@code ENOENT} if it is not in the set
     */
    public void modify(int fd, int events, long data) {
        control("EPOLL_CTL_MOD", LibC.EPOLL_CTL_MOD(), fd, events, data);
    }

    /**
     * Takes a descriptor out of the set; do so before closing it.
     *
     * @throws NativeException {@code ENOENT} if it is not in the set
     */
    public void remove(int fd) {
        control("EPOLL_CTL_DEL", LibC.EPOLL_CTL_DEL(), fd, 0, 0);
    }

    /**
     * Waits until at least one is ready.
     *
     * @param data receives the values of those ready
     * @param max how many to report at most
     * @param atMost how long; zero asks once, negative waits for ever
     * @return how many are ready; 0 if the time is over
     */
    public int await(long[] data, int max, Duration atMost) {
        return await(data, null, max, atMost);
    }

    /**
     * Waits until at least one is ready, and says for what.
     *
     * @param data receives the values of those ready
     * @param events receives their {@code EPOLL*} bits; may be null
     * @param max how many to report at most
     * @param atMost how long; zero asks once, negative waits for ever
     * @return how many are ready; 0 if the time is over
     */
    public int await(long[] data, int[] events, int max, Duration atMost) {
        if (max <= 0 || max > data.length || events != null && max > events.length) {
            throw new IllegalArgumentException("no room for " + max + " events");
        }
        Deadline deadline = Deadline.after(atMost);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment ready = epoll_event.allocateArray(max, arena);
            while (true) {
                int n = wait0(fd.value(), ready, max, deadline.remainingMillis());
                for (int i = 0; i < n; i++) {
                    MemorySegment event = epoll_event.asSlice(ready, i);
                    data[i] = event.get(DATA, epoll_event.data$offset());
                    if (events != null) {
                        events[i] = epoll_event.events(event);
                    }
                }
                if (n > 0) {
                    return n;
                }
                if (n < 0) {
                    int errno = CaptureState.errno();
                    if (errno != LibC.EINTR()) {
                        throw new NativeException("epoll_wait()", errno);
                    }
                }
                if (deadline.over()) {
                    return 0;
                }
            }
        }
    }

    /** Closes the set, not its members; a second call does nothing. */
    @Override
    public void close() {
        fd.close();
    }

    private void control(String name, int operation, int member, int events, long data) {
        MemorySegment event = CaptureState.scratch().asSlice(0, epoll_event.sizeof());
        epoll_event.events(event, events);
        event.set(DATA, epoll_event.data$offset(), data);
        if (control0(fd.value(), operation, member, event) < 0) {
            throw new NativeException(
                    "epoll_ctl(" + name + ", fd " + member + ")", CaptureState.errno());
        }
    }

    private static int control0(int fd, int operation, int member, MemorySegment event) {
        try {
            return (int)
                    EPOLL_CTL.invokeExact(CaptureState.segment(), fd, operation, member, event);
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
    }

    private static int wait0(int fd, MemorySegment events, int max, int millis) {
        try {
            return (int) EPOLL_WAIT.invokeExact(CaptureState.segment(), fd, events, max, millis);
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
    }
}
