package io.grantwire.bindings;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.grantwire.bindings.gen.libc.LibC;
import io.grantwire.bindings.gen.libc.pollfd;
import io.grantwire.bindings.gen.libc.stat;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * An owned file descriptor.
 *
 * <p>Any thread may use it; closing it while another thread is inside a call on it is the caller's
 * mistake, because the number may be given to another file at once. Every call that the kernel
 * interrupts for a signal is repeated. After {@link #close} every call throws a {@link
 * NativeException} with {@code EBADF} that names the file.
 */
public final class Fd implements AutoCloseable {
    private static final MethodHandle OPEN =
            CaptureState.linkVariadic(
                    LibC.open.address(),
                    FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT),
                    2);
    private static final MethodHandle CLOSE =
            CaptureState.link(LibC.close$address(), LibC.close$descriptor());
    private static final MethodHandle READ =
            CaptureState.link(LibC.read$address(), LibC.read$descriptor());
    private static final MethodHandle WRITE =
            CaptureState.link(LibC.write$address(), LibC.write$descriptor());
    private static final MethodHandle PREAD =
            CaptureState.link(LibC.pread$address(), LibC.pread$descriptor());
    private static final MethodHandle PWRITE =
            CaptureState.link(LibC.pwrite$address(), LibC.pwrite$descriptor());
    private static final MethodHandle POLL =
            CaptureState.link(LibC.poll$address(), LibC.poll$descriptor());
    private static final MethodHandle FSTAT =
            CaptureState.link(LibC.fstat$address(), LibC.fstat$descriptor());
    private static final MethodHandle IOCTL_POINTER =
            CaptureState.linkVariadic(
                    LibC.ioctl.address(),
                    FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS),
                    2);
    private static final MethodHandle IOCTL_LONG =
            CaptureState.linkVariadic(
                    LibC.ioctl.address(),
                    FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG),
                    2);
    private static final MethodHandle FCNTL_INT =
            CaptureState.linkVariadic(
                    LibC.fcntl.address(),
                    FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT),
                    2);

    private static final int CLOSED = -1;

    private final AtomicInteger fd;
    private final String what;

    private Fd(int fd, String what) {
        this.fd = new AtomicInteger(fd);
        this.what = what;
    }

    /**
     * Opens a file or device.
     *
     * @param flags {@code O_*} of {@link LibC}; {@code O_CLOEXEC} is always added
     * @throws NativeException if the kernel refuses
     */
    public static Fd open(String path, int flags) {
        return open(path, flags, 0);
    }

    /**
     * Opens or creates a file.
     *
     * @param flags {@code O_*} of {@link LibC}; {@code O_CLOEXEC} is always added
     * @param mode permission bits of a file that {@code O_CREAT} makes
     * @throws NativeException if the kernel refuses
     */
    public static Fd open(String path, int flags, int mode) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocateFrom(path);
            while (true) {
                int n = open0(name, flags | LibC.O_CLOEXEC(), mode);
                if (n >= 0) {
                    return new Fd(n, path);
                }
                int errno = CaptureState.errno();
                if (errno != LibC.EINTR()) {
                    throw new NativeException("open(" + path + ")", errno, Hints.open(path, errno));
                }
            }
        }
    }

    /**
     * Takes ownership of a descriptor that somebody else opened.
     *
     * @param fd the descriptor number
     * @param what what it is, for messages
     */
    public static Fd adopt(int fd, String what) {
        if (fd < 0) {
            throw new IllegalArgumentException(what + ": " + fd + " is not a descriptor");
        }
        return new Fd(fd, what);
    }

    /** The descriptor number, for system calls; still owned by this object. */
    public int value() {
        int n = fd.get();
        if (n == CLOSED) {
            throw new NativeException("use of " + what, LibC.EBADF(), "it was closed before");
        }
        return n;
    }

    /** What it is: the path it was opened with, or the name its maker gave it. */
    public String what() {
        return what;
    }

    /** Whether {@link #close} has not been called yet. */
    public boolean isOpen() {
        return fd.get() != CLOSED;
    }

    /** Closes it; a second call does nothing. Never throws: the number is free in any case. */
    @Override
    public void close() {
        int n = fd.getAndSet(CLOSED);
        if (n != CLOSED) {
            // Linux frees the number even when close reports EINTR or EIO: never repeat it.
            close0(n);
        }
    }

    /**
     * Reads into the whole of a native segment.
     *
     * @return bytes read, 0 at the end of the file, -1 when it would block
     * @throws NativeException on any other failure
     */
    public int read(MemorySegment buf) {
        int n = value();
        while (true) {
            long got = read0(n, buf, buf.byteSize());
            if (got >= 0) {
                return (int) got;
            }
            if (wouldBlock("read")) {
                return -1;
            }
        }
    }

    /**
     * Reads into part of a native segment.
     *
     * @see #read(MemorySegment)
     */
    public int read(MemorySegment buf, long offset, long length) {
        return read(buf.asSlice(offset, length));
    }

    /**
     * Writes the whole of a native segment with one call.
     *
     * @return bytes written, which can be fewer than asked; -1 when it would block
     * @throws NativeException on any other failure
     */
    public int write(MemorySegment buf) {
        int n = value();
        while (true) {
            long put = write0(n, buf, buf.byteSize());
            if (put >= 0) {
                return (int) put;
            }
            if (wouldBlock("write")) {
                return -1;
            }
        }
    }

    /**
     * Writes part of a native segment.
     *
     * @see #write(MemorySegment)
     */
    public int write(MemorySegment buf, long offset, long length) {
        return write(buf.asSlice(offset, length));
    }

    /**
     * Reads into the whole of a native segment from a place in the file; its own place stays.
     *
     * @param at bytes from the file's start
     * @return bytes read, 0 at the end of the file, -1 when it would block
     * @throws NativeException on any other failure
     */
    public int pread(MemorySegment buf, long at) {
        int n = value();
        while (true) {
            long got = pread0(n, buf, buf.byteSize(), at);
            if (got >= 0) {
                return (int) got;
            }
            if (wouldBlock("pread")) {
                return -1;
            }
        }
    }

    /**
     * Writes the whole of a native segment to a place in the file; its own place stays.
     *
     * @param at bytes from the file's start
     * @return bytes written, which can be fewer than asked; -1 when it would block
     * @throws NativeException on any other failure
     */
    public int pwrite(MemorySegment buf, long at) {
        int n = value();
        while (true) {
            long put = pwrite0(n, buf, buf.byteSize(), at);
            if (put >= 0) {
                return (int) put;
            }
            if (wouldBlock("pwrite")) {
                return -1;
            }
        }
    }

    /**
     * Device control with a structure.
     *
     * @param request the request number, of {@code Xen}, {@code Uapi} …
     * @return the call's return value, never negative
     * @throws NativeException if it fails
     */
    public long ioctl(long request, MemorySegment argument) {
        int n = value();
        while (true) {
            int rc = ioctlPointer0(n, request, argument);
            if (rc >= 0) {
                return rc;
            }
            failIoctl(request);
        }
    }

    /**
     * Device control with an integer.
     *
     * @param request the request number
     * @return the call's return value, never negative
     * @throws NativeException if it fails
     */
    public long ioctl(long request, long argument) {
        int n = value();
        while (true) {
            int rc = ioctlLong0(n, request, argument);
            if (rc >= 0) {
                return rc;
            }
            failIoctl(request);
        }
    }

    /** Makes reads and writes return at once instead of waiting, or undoes that. */
    public void setNonBlocking(boolean on) {
        int flags = fcntl(LibC.F_GETFL(), 0, "F_GETFL");
        int wanted = on ? flags | LibC.O_NONBLOCK() : flags & ~LibC.O_NONBLOCK();
        if (wanted != flags) {
            fcntl(LibC.F_SETFL(), wanted, "F_SETFL");
        }
    }

    /** A second descriptor of the same open file, closed on exec and owned by the result. */
    public Fd duplicate() {
        return new Fd(fcntl(LibC.F_DUPFD_CLOEXEC(), 0, "F_DUPFD_CLOEXEC"), what);
    }

    /** The file's size in bytes; 0 for devices. */
    public long size() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment st = stat.allocate(arena);
            if (fstat0(value(), st) < 0) {
                throw new NativeException("fstat(" + what + ")", CaptureState.errno());
            }
            return stat.st_size(st);
        }
    }

    /**
     * Waits until a read would not block, or the peer hung up.
     *
     * @param atMost how long; zero asks once, negative waits for ever
     * @return false if the time is over
     */
    public boolean pollReadable(Duration atMost) {
        return poll((short) LibC.POLLIN(), atMost) != 0;
    }

    /**
     * Waits until a write would not block, or the peer hung up.
     *
     * @param atMost how long; zero asks once, negative waits for ever
     * @return false if the time is over
     */
    public boolean pollWritable(Duration atMost) {
        return poll((short) LibC.POLLOUT(), atMost) != 0;
    }

    private int poll(short events, Duration atMost) {
        Deadline deadline = Deadline.after(atMost);
        MemorySegment p = CaptureState.scratch();
        int n = value();
        while (true) {
            pollfd.fd(p, n);
            pollfd.events(p, events);
            pollfd.revents(p, (short) 0);
            int rc = poll0(p, 1, deadline.remainingMillis());
            if (rc > 0) {
                int got = pollfd.revents(p);
                if ((got & LibC.POLLNVAL()) != 0) {
                    throw new NativeException("poll(" + what + ")", LibC.EBADF());
                }
                return got;
            }
            if (rc < 0) {
                int errno = CaptureState.errno();
                if (errno != LibC.EINTR()) {
                    throw new NativeException("poll(" + what + ")", errno);
                }
            }
            if (deadline.over()) {
                return 0;
            }
        }
    }

    /** {@code fcntl} with an integer argument; the name is for the message. */
    int fcntl(int command, int argument, String name) {
        int n = value();
        while (true) {
            int rc = fcntl0(n, command, argument);
            if (rc >= 0) {
                return rc;
            }
            int errno = CaptureState.errno();
            if (errno != LibC.EINTR()) {
                throw new NativeException("fcntl(" + what + ", " + name + ")", errno);
            }
        }
    }

    @Override
    public String toString() {
        int n = fd.get();
        return what + (n == CLOSED ? " (closed)" : " (fd " + n + ")");
    }

    /** After a failed transfer: true for "would block", false for "do it again", else throws. */
    private boolean wouldBlock(String call) {
        int errno = CaptureState.errno();
        if (errno == LibC.EAGAIN()) {
            return true;
        }
        if (errno == LibC.EINTR()) {
            return false;
        }
        throw new NativeException(call + "(" + what + ")", errno);
    }

    private void failIoctl(long request) {
        int errno = CaptureState.errno();
        if (errno != LibC.EINTR()) {
            throw new NativeException(
                    "ioctl(" + what + ", 0x" + Long.toHexString(request) + ")", errno);
        }
    }

    private static int open0(MemorySegment path, int flags, int mode) {
        try {
            return (int) OPEN.invokeExact(CaptureState.segment(), path, flags, mode);
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
    }

    private static void close0(int fd) {
        try {
            int ignored = (int) CLOSE.invokeExact(CaptureState.segment(), fd);
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
    }

    private static long read0(int fd, MemorySegment buf, long length) {
        try {
            return (long) READ.invokeExact(CaptureState.segment(), fd, buf, length);
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
    }

    private static long write0(int fd, MemorySegment buf, long length) {
        try {
            return (long) WRITE.invokeExact(CaptureState.segment(), fd, buf, length);
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
    }

    private static long pread0(int fd, MemorySegment buf, long length, long at) {
        try {
            return (long) PREAD.invokeExact(CaptureState.segment(), fd, buf, length, at);
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
    }

    private static long pwrite0(int fd, MemorySegment buf, long length, long at) {
        try {
            return (long) PWRITE.invokeExact(CaptureState.segment(), fd, buf, length, at);
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
    }

    private static int poll0(MemorySegment fds, long count, int millis) {
        try {
            return (int) POLL.invokeExact(CaptureState.segment(), fds, count, millis);
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
    }

    private static int fstat0(int fd, MemorySegment st) {
        try {
            return (int) FSTAT.invokeExact(CaptureState.segment(), fd, st);
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
    }

    private static int ioctlPointer0(int fd, long request, MemorySegment argument) {
        try {
            return (int) IOCTL_POINTER.invokeExact(CaptureState.segment(), fd, request, argument);
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
    }

    private static int ioctlLong0(int fd, long request, long argument) {
        try {
            return (int) IOCTL_LONG.invokeExact(CaptureState.segment(), fd, request, argument);
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
    }

    private static int fcntl0(int fd, int command, int argument) {
        try {
            return (int) FCNTL_INT.invokeExact(CaptureState.segment(), fd, command, argument);
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
    }
}
