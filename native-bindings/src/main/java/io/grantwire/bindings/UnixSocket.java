package io.grantwire.bindings;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.grantwire.bindings.gen.libc.LibC;
import io.grantwire.bindings.gen.libc.iovec;
import io.grantwire.bindings.gen.libc.msghdr;
import io.grantwire.bindings.gen.libc.sockaddr_un;
import io.grantwire.bindings.gen.libc.ucred;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A local socket that passes bytes and open descriptors between processes.
 *
 * <p>One thread may send while another receives. Blocking until {@code fd().setNonBlocking(true)}.
 */
public final class UnixSocket implements AutoCloseable {
    /** How bytes are framed. */
    public enum Type {
        /** A stream without message borders. */
        STREAM,
        /** Messages: one send is one receive. */
        SEQPACKET
    }

    /** Descriptors that the kernel lets one message carry (SCM_MAX_FD). */
    public static final int MAX_DESCRIPTORS = 253;

    private static final MethodHandle SOCKET =
            CaptureState.link(LibC.socket$address(), LibC.socket$descriptor());
    private static final MethodHandle SOCKETPAIR =
            CaptureState.link(LibC.socketpair$address(), LibC.socketpair$descriptor());
    private static final MethodHandle BIND =
            CaptureState.link(LibC.bind$address(), LibC.bind$descriptor());
    private static final MethodHandle LISTEN =
            CaptureState.link(LibC.listen$address(), LibC.listen$descriptor());
    private static final MethodHandle ACCEPT =
            CaptureState.link(LibC.accept4$address(), LibC.accept4$descriptor());
    private static final MethodHandle CONNECT =
            CaptureState.link(LibC.connect$address(), LibC.connect$descriptor());
    private static final MethodHandle SENDMSG =
            CaptureState.link(LibC.sendmsg$address(), LibC.sendmsg$descriptor());
    private static final MethodHandle RECVMSG =
            CaptureState.link(LibC.recvmsg$address(), LibC.recvmsg$descriptor());
    private static final MethodHandle SHUTDOWN =
            CaptureState.link(LibC.shutdown$address(), LibC.shutdown$descriptor());

    private static final int PATH_MAX = (int) sockaddr_un.sun_path$layout().byteSize() - 1;

    private final Fd fd;
    private final Type type;

    private UnixSocket(Fd fd, Type type) {
        this.fd = fd;
        this.type = type;
    }

    /**
     * Binds a path and listens on it. The path must not exist; who closes the socket removes it.
     *
     * @param backlog connections that may wait to be accepted
     * @throws NativeException {@code EADDRINUSE} if the path exists
     */
    public static UnixSocket listen(Path path, Type type, int backlog) {
        UnixSocket socket = open(type, "socket " + path);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = address(path, arena);
            if (bind0(socket.fd.value(), address) < 0) {
                int errno = CaptureState.errno();
                String hint =
                        errno == LibC.EADDRINUSE()
                                ? "if nobody listens there any more: rm " + path
                                : Hints.open(String.valueOf(path.getParent()), errno);
                throw new NativeException("bind(" + path + ")", errno, hint);
            }
            int rc = (int) LISTEN.invokeExact(CaptureState.segment(), socket.fd.value(), backlog);
            if (rc < 0) {
                throw new NativeException("listen(" + path + ")", CaptureState.errno());
            }
            return socket;
        } catch (Throwable t) {
            socket.close();
            throw CaptureState.unexpected(t);
        }
    }

    /**
     * Takes the next connection of a listening socket.
     *
     * @return the connection; null if this socket does not block and there is none
     */
    public UnixSocket accept() {
        while (true) {
            int n = accept0(fd.value(), LibC.SOCK_CLOEXEC());
            if (n >= 0) {
                return new UnixSocket(Fd.adopt(n, "peer of " + fd.what()), type);
            }
            int errno = CaptureState.errno();
            if (errno == LibC.EAGAIN()) {
                return null;
            }
            // ECONNABORTED: that peer went away while it waited; the next one may be fine.
            if (errno != LibC.EINTR() && errno != LibC.ECONNABORTED()) {
                throw new NativeException(
                        "accept(" + fd.what() + ")", errno, Hints.open("socket", errno));
            }
        }
    }

    /**
     * Connects to a listening path.
     *
     * @throws NativeException {@code ENOENT} or {@code ECONNREFUSED} if nobody listens there
     */
    public static UnixSocket connect(Path path, Type type) {
        UnixSocket socket = open(type, "socket " + path);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = address(path, arena);
            while (connect0(socket.fd.value(), address) < 0) {
                int errno = CaptureState.errno();
                if (errno == LibC.EINTR()) {
                    continue;
                }
                String hint =
                        errno == LibC.ENOENT() || errno == LibC.ECONNREFUSED()
                                ? "nobody listens there: start the process that serves it first"
                                : errno == LibC.EPROTOTYPE()
                                        ? "that socket is not of type " + type
                                        : Hints.open(path.toString(), errno);
                throw new NativeException("connect(" + path + ")", errno, hint);
            }
            return socket;
        } catch (RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    /** Two sockets connected to each other. */
    public static UnixSocket[] pair(Type type) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment two = arena.allocate(JAVA_INT, 2);
            int rc =
                    (int)
                            SOCKETPAIR.invokeExact(
                                    CaptureState.segment(),
                                    LibC.AF_UNIX(),
                                    number(type) | LibC.SOCK_CLOEXEC(),
                                    0,
                                    two);
            if (rc < 0) {
                int errno = CaptureState.errno();
                throw new NativeException("socketpair()", errno, Hints.open("socket", errno));
            }
            return new UnixSocket[] {
                new UnixSocket(Fd.adopt(two.getAtIndex(JAVA_INT, 0), "socket pair"), type),
                new UnixSocket(Fd.adopt(two.getAtIndex(JAVA_INT, 1), "socket pair"), type)
            };
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
    }

    /** Takes ownership of a connected socket, for instance one that was received. */
    public static UnixSocket adopt(Fd fd, Type type) {
        return new UnixSocket(fd, type);
    }

    /**
     * Sends all of {@code data} as one message; on a stream in as many pieces as it takes, the
     * descriptors with the first.
     *
     * @param data at least one byte
     * @param fds descriptors to pass; the receiver gets its own copies, the sender keeps these
     * @throws NativeException {@code EPIPE} if the peer is gone; {@code EAGAIN} if this socket does
     *     not block and nothing could be sent
     */
    public void send(MemorySegment data, int... fds) {
        long sent = trySend(data, fds);
        if (sent < 0) {
            throw new NativeException("sendmsg(" + fd.what() + ")", LibC.EAGAIN(), null);
        }
        while (sent < data.byteSize()) {
            int n = trySend(data.asSlice(sent));
            if (n < 0) {
                fd.pollWritable(Duration.ofSeconds(-1));
            } else {
                sent += n;
            }
        }
    }

    /**
     * Sends with one {@code sendmsg}.
     *
     * @return bytes sent, fewer than asked only on a stream; -1 if this socket does not block and
     *     nothing could be sent (no descriptor was passed either)
     * @throws NativeException {@code EPIPE} if the peer is gone
     */
    public int trySend(MemorySegment data, int... fds) {
        if (data.byteSize() == 0) {
            throw new IllegalArgumentException("a message needs at least one byte");
        }
        if (fds.length > MAX_DESCRIPTORS) {
            throw new IllegalArgumentException(
                    fds.length + " descriptors; one message carries " + MAX_DESCRIPTORS);
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment message = message(data, arena);
            if (fds.length > 0) {
                MemorySegment control = ControlMessages.rights(fds, arena);
                msghdr.msg_control(message, control);
                msghdr.msg_controllen(message, control.byteSize());
            }
            while (true) {
                long n = transfer0(SENDMSG, fd.value(), message, LibC.MSG_NOSIGNAL());
                if (n >= 0) {
                    return (int) n;
                }
                int errno = CaptureState.errno();
                if (errno == LibC.EAGAIN()) {
                    return -1;
                }
                if (errno != LibC.EINTR()) {
                    String hint =
                            errno == LibC.EPIPE() || errno == LibC.ECONNRESET()
                                    ? "the other side closed the connection"
                                    : errno == LibC.EMSGSIZE()
                                            ? data.byteSize() + " bytes do not fit one message"
                                            : null;
                    throw new NativeException("sendmsg(" + fd.what() + ")", errno, hint);
                }
            }
        }
    }

    /**
     * Receives with one {@code recvmsg}.
     *
     * @param buf where the bytes go
     * @param fds received descriptors are added, owned by the caller; null closes any that come
     * @return bytes received, 0 if the peer closed, -1 if this socket does not block and there is
     *     nothing
     * @throws NativeException {@code EMSGSIZE} if the message was longer than {@code buf}, {@code
     *     EMFILE} if not all descriptors could be received; the message and its descriptors are
     *     then gone
     */
    public int receive(MemorySegment buf, List<Fd> fds) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment message = message(buf, arena);
            MemorySegment control = arena.allocate(ControlMessages.rightsSpace(MAX_DESCRIPTORS), 8);
            while (true) {
                msghdr.msg_control(message, control);
                msghdr.msg_controllen(message, control.byteSize());
                long n = transfer0(RECVMSG, fd.value(), message, LibC.MSG_CMSG_CLOEXEC());
                if (n >= 0) {
                    deliver(message, control, fds);
                    return (int) n;
                }
                int errno = CaptureState.errno();
                if (errno == LibC.EAGAIN()) {
                    return -1;
                }
                // A peer that died with unread data makes a reset of what is an end to us.
                if (errno == LibC.ECONNRESET()) {
                    return 0;
                }
                if (errno != LibC.EINTR()) {
                    throw new NativeException("recvmsg(" + fd.what() + ")", errno);
                }
            }
        }
    }

    /** The process at the other end, as it was when it connected. */
    public int peerPid() {
        return peer().get(JAVA_INT, ucred.pid$offset());
    }

    /** The user of the process at the other end, as it was when it connected. */
    public int peerUid() {
        return peer().get(JAVA_INT, ucred.uid$offset());
    }

    /** Its descriptor, for polling and options. */
    public Fd fd() {
        return fd;
    }

    /** Ends the conversation in both directions; wakes threads blocked in it. */
    public void shutdown() {
        int rc;
        try {
            rc = (int) SHUTDOWN.invokeExact(CaptureState.segment(), fd.value(), LibC.SHUT_RDWR());
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
        if (rc < 0 && CaptureState.errno() != LibC.ENOTCONN()) {
            throw new NativeException("shutdown(" + fd.what() + ")", CaptureState.errno());
        }
    }

    /** Closes it; a second call does nothing. */
    @Override
    public void close() {
        fd.close();
    }

    @Override
    public String toString() {
        return fd.toString();
    }

    private void deliver(MemorySegment message, MemorySegment control, List<Fd> fds) {
        int flags = msghdr.msg_flags(message);
        boolean controlCut = (flags & LibC.MSG_CTRUNC()) != 0;
        boolean dataCut = (flags & LibC.MSG_TRUNC()) != 0;
        List<Fd> got = new ArrayList<>();
        for (int n : ControlMessages.rights(control.asSlice(0, msghdr.msg_controllen(message)))) {
            got.add(Fd.adopt(n, "descriptor from " + fd.what()));
        }
        if (fds != null && !controlCut && !dataCut) {
            fds.addAll(got);
            return;
        }
        got.forEach(Fd::close);
        if (dataCut) {
            throw new NativeException(
                    "recvmsg(" + fd.what() + ")", LibC.EMSGSIZE(), "the message was cut short");
        }
        if (controlCut) {
            throw new NativeException(
                    "recvmsg(" + fd.what() + ")",
                    LibC.EMFILE(),
                    "no room for the descriptors sent along; raise: ulimit -n");
        }
    }

    private MemorySegment peer() {
        MemorySegment cred = MemorySegment.ofArray(new int[(int) ucred.sizeof() / 4]);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment raw = ucred.allocate(arena);
            Sockets.option(fd, LibC.SOL_SOCKET(), LibC.SO_PEERCRED(), raw);
            return cred.copyFrom(raw);
        }
    }

    private static MemorySegment message(MemorySegment data, Arena arena) {
        MemorySegment vector = iovec.allocate(arena);
        iovec.iov_base(vector, data);
        iovec.iov_len(vector, data.byteSize());
        MemorySegment message = msghdr.allocate(arena);
        msghdr.msg_iov(message, vector);
        msghdr.msg_iovlen(message, 1);
        return message;
    }

    private static UnixSocket open(Type type, String what) {
        int n;
        try {
            n =
                    (int)
                            SOCKET.invokeExact(
                                    CaptureState.segment(),
                                    LibC.AF_UNIX(),
                                    number(type) | LibC.SOCK_CLOEXEC(),
                                    0);
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
        if (n < 0) {
            int errno = CaptureState.errno();
            throw new NativeException("socket(AF_UNIX)", errno, Hints.open("socket", errno));
        }
        return new UnixSocket(Fd.adopt(n, what), type);
    }

    private static int number(Type type) {
        return type == Type.STREAM ? LibC.SOCK_STREAM() : LibC.SOCK_SEQPACKET();
    }

    private static MemorySegment address(Path path, Arena arena) {
        byte[] bytes = path.toString().getBytes(StandardCharsets.UTF_8);
        if (bytes.length > PATH_MAX) {
            throw new NativeException(
                    "socket path " + path,
                    LibC.ENAMETOOLONG(),
                    bytes.length
                            + " bytes; a socket's path has at most "
                            + PATH_MAX
                            + ", choose a shorter directory");
        }
        MemorySegment address = sockaddr_un.allocate(arena);
        sockaddr_un.sun_family(address, (short) LibC.AF_UNIX());
        MemorySegment.copy(
                bytes, 0, address, JAVA_BYTE, sockaddr_un.sun_path$offset(), bytes.length);
        return address;
    }

    private static int bind0(int fd, MemorySegment address) {
        try {
            return (int)
                    BIND.invokeExact(CaptureState.segment(), fd, address, (int) address.byteSize());
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
    }

    private static int connect0(int fd, MemorySegment address) {
        try {
            return (int)
                    CONNECT.invokeExact(
                            CaptureState.segment(), fd, address, (int) address.byteSize());
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
    }

    private static int accept0(int fd, int flags) {
        try {
            return (int)
                    ACCEPT.invokeExact(
                            CaptureState.segment(),
                            fd,
                            MemorySegment.NULL,
                            MemorySegment.NULL,
                            flags);
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
    }

    private static long transfer0(MethodHandle call, int fd, MemorySegment message, int flags) {
        try {
            return (long) call.invokeExact(CaptureState.segment(), fd, message, flags);
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
    }
}
