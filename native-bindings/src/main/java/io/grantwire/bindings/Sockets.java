package io.grantwire.bindings;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.grantwire.bindings.gen.libc.LibC;
import io.grantwire.bindings.gen.uapi.sockaddr_ll;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.ByteOrder;

/** Socket calls on a plain {@link Fd}, as packet sockets need them. Any thread may call them. */
public final class Sockets {
    private static final MethodHandle SOCKET =
            CaptureState.link(LibC.socket$address(), LibC.socket$descriptor());
    private static final MethodHandle BIND =
            CaptureState.link(LibC.bind$address(), LibC.bind$descriptor());
    private static final MethodHandle SEND =
            CaptureState.link(LibC.send$address(), LibC.send$descriptor());
    private static final MethodHandle RECV =
            CaptureState.link(LibC.recv$address(), LibC.recv$descriptor());
    private static final MethodHandle SETSOCKOPT =
            CaptureState.link(LibC.setsockopt$address(), LibC.setsockopt$descriptor());
    private static final MethodHandle GETSOCKOPT =
            CaptureState.link(LibC.getsockopt$address(), LibC.getsockopt$descriptor());

    private Sockets() {}

    /**
     * A raw packet socket bound to one interface; frames with their Ethernet header.
     *
     * @param ifname the interface
     * @param etherType which frames to receive, in host order: {@code Uapi.ETH_P_ALL()} for all, 0
     *     for none
     * @throws NativeException {@code EPERM} without CAP_NET_RAW, {@code ENODEV} for an unknown name
     */
    public static Fd packetSocket(String ifname, int etherType) {
        int index = NetInterface.index(ifname);
        Fd fd =
                socket(
                        LibC.AF_PACKET(),
                        LibC.SOCK_RAW(),
                        networkOrder(etherType) & 0xFFFF,
                        "packet socket on " + ifname);
        try {
            bindPacket(fd, index, etherType);
            return fd;
        } catch (RuntimeException e) {
            fd.close();
            throw e;
        }
    }

    /**
     * Opens a socket; closed on exec.
     *
     * @param family {@code AF_*}
     * @param type {@code SOCK_*}
     * @param protocol as {@code socket(2)} takes it, for packet sockets in network order
     * @param what what it is for, in messages
     */
    public static Fd socket(int family, int type, int protocol, String what) {
        int n;
        try {
            n =
                    (int)
                            SOCKET.invokeExact(
                                    CaptureState.segment(),
                                    family,
                                    type | LibC.SOCK_CLOEXEC(),
                                    protocol);
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
        if (n < 0) {
            int errno = CaptureState.errno();
            throw new NativeException(
                    "socket(" + what + ")", errno, Hints.network("CAP_NET_RAW", errno));
        }
        return Fd.adopt(n, what);
    }

    /**
     * Binds a packet socket to an interface.
     *
     * @param interfaceIndex of {@link NetInterface#index}
     * @param etherType in host order
     */
    public static void bindPacket(Fd fd, int interfaceIndex, int etherType) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = sockaddr_ll.allocate(arena);
            sockaddr_ll.sll_family(address, (short) LibC.AF_PACKET());
            sockaddr_ll.sll_protocol(address, networkOrder(etherType));
            sockaddr_ll.sll_ifindex(address, interfaceIndex);
            int rc =
                    (int)
                            BIND.invokeExact(
                                    CaptureState.segment(),
                                    fd.value(),
                                    address,
                                    (int) address.byteSize());
            if (rc < 0) {
                int errno = CaptureState.errno();
                throw new NativeException(
                        "bind(" + fd.what() + ", interface " + interfaceIndex + ")",
                        errno,
                        Hints.network("CAP_NET_RAW", errno));
            }
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
    }

    /** A 16-bit number in network byte order, as {@code htons} gives it. */
    public static short networkOrder(int hostOrder) {
        short s = (short) hostOrder;
        return ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN ? Short.reverseBytes(s) : s;
    }

    /** Sets an integer option. */
    public static void setOption(Fd fd, int level, int name, int value) {
        try (Arena arena = Arena.ofConfined()) {
            setOption(fd, level, name, arena.allocateFrom(JAVA_INT, value));
        }
    }

    /** Sets an option from a native structure. */
    public static void setOption(Fd fd, int level, int name, MemorySegment value) {
        int rc;
        try {
            rc =
                    (int)
                            SETSOCKOPT.invokeExact(
                                    CaptureState.segment(),
                                    fd.value(),
                                    level,
                                    name,
                                    value,
                                    (int) value.byteSize());
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
        if (rc < 0) {
            int errno = CaptureState.errno();
            throw new NativeException(
                    "setsockopt(" + fd.what() + ", level " + level + ", option " + name + ")",
                    errno,
                    Hints.network("CAP_NET_ADMIN", errno));
        }
    }

    /** Reads an integer option. */
    public static int option(Fd fd, int level, int name) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(JAVA_INT);
            option(fd, level, name, value);
            return value.get(JAVA_INT, 0);
        }
    }

    /**
     * Reads an option into a native structure.
     *
     * @return bytes the kernel wrote
     */
    public static int option(Fd fd, int level, int name, MemorySegment value) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment length = arena.allocateFrom(JAVA_INT, (int) value.byteSize());
            int rc =
                    (int)
                            GETSOCKOPT.invokeExact(
                                    CaptureState.segment(), fd.value(), level, name, value, length);
            if (rc < 0) {
                throw new NativeException(
                        "getsockopt(" + fd.what() + ", level " + level + ", option " + name + ")",
                        CaptureState.errno());
            }
            return length.get(JAVA_INT, 0);
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
    }

    /**
     * Sends one message or frame.
     *
     * @param flags {@code MSG_*}
     * @return bytes sent; -1 if the kernel has no room for it now ({@code EAGAIN}, {@code ENOBUFS})
     */
    public static int send(Fd fd, MemorySegment data, int flags) {
        while (true) {
            long n = transfer0(SEND, fd.value(), data, flags);
            if (n >= 0) {
                return (int) n;
            }
            int errno = CaptureState.errno();
            if (errno == LibC.EAGAIN() || errno == LibC.ENOBUFS()) {
                return -1;
            }
            if (errno != LibC.EINTR()) {
                throw new NativeException(
                        "send(" + fd.what() + ", " + data.byteSize() + " bytes)",
                        errno,
                        errno == LibC.EMSGSIZE()
                                ? "the frame is longer than the interface's MTU allows"
                                : Hints.network("CAP_NET_RAW", errno));
            }
        }
    }

    /**
     * Receives one message or frame.
     *
     * @param flags {@code MSG_*}; with {@code MSG_TRUNC} the frame's full length is returned
     * @return bytes received; 0 when the peer closed; -1 when there is nothing now
     */
    public static int receive(Fd fd, MemorySegment buf, int flags) {
        while (true) {
            long n = transfer0(RECV, fd.value(), buf, flags);
            if (n >= 0) {
                return (int) n;
            }
            int errno = CaptureState.errno();
            if (errno == LibC.EAGAIN()) {
                return -1;
            }
            if (errno != LibC.EINTR()) {
                throw new NativeException(
                        "recv(" + fd.what() + ")", errno, Hints.network("CAP_NET_RAW", errno));
            }
        }
    }

    private static long transfer0(MethodHandle call, int fd, MemorySegment data, int flags) {
        try {
            return (long)
                    call.invokeExact(CaptureState.segment(), fd, data, data.byteSize(), flags);
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
    }
}
