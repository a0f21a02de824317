package io.grantwire.bindings;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.grantwire.bindings.gen.libc.LibC;
import io.grantwire.bindings.gen.libc.ifreq;
import io.grantwire.bindings.gen.libc.sockaddr;
import io.grantwire.bindings.gen.uapi.Uapi;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * A network interface of the kernel, by name: its index, address, MTU and flags; and the making of
 * TAP interfaces. Every call goes to the kernel at once.
 */
public final class NetInterface {
    private static final MethodHandle IF_NAMETOINDEX =
            CaptureState.link(LibC.if_nametoindex$address(), LibC.if_nametoindex$descriptor());

    private static final int MAC_BYTES = 6;
    private static final int ARPHRD_ETHER = 1;

    private NetInterface() {}

    /**
     * A queue of a TAP interface.
     *
     * @param fd one read is one frame, one write sends one; closing the last one removes the
     *     interface
     * @param name the interface's name
     */
    public record Tap(Fd fd, String name) {}

    /**
     * Makes a TAP interface or attaches to one.
     *
     * @param name the wanted name; a pattern such as {@code dtap%d} lets the kernel number it
     * @param flags {@code IFF_*} beside {@code IFF_TAP}, as {@code Uapi.IFF_NO_PI()}
     * @throws NativeException {@code EPERM} without CAP_NET_ADMIN, {@code EBUSY} if another process
     *     has it
     */
    public static Tap tap(String name, int flags) {
        Fd fd = Fd.open("/dev/net/tun", LibC.O_RDWR());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment request = request(name, arena);
            ifreq.ifr_ifru.ifru_flags(ifreq.ifr_ifru(request), (short) (Uapi.IFF_TAP() | flags));
            control(fd, Uapi.TUNSETIFF(), request, "TUNSETIFF", name);
            String given = ifreq.ifr_ifrn.ifrn_name(ifreq.ifr_ifrn(request)).getString(0);
            return new Tap(fd, given);
        } catch (RuntimeException e) {
            fd.close();
            throw e;
        }
    }

    /**
     * The kernel's number of an interface.
     *
     * @throws NativeException {@code ENODEV} if there is none of that name
     */
    public static int index(String name) {
        try (Arena arena = Arena.ofConfined()) {
            int index =
                    (int)
                            IF_NAMETOINDEX.invokeExact(
                                    CaptureState.segment(), arena.allocateFrom(name));
            if (index == 0) {
                int errno = CaptureState.errno();
                throw new NativeException(
                        "if_nametoindex(" + name + ")",
                        errno,
                        Hints.network("CAP_NET_ADMIN", errno));
            }
            return index;
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
    }

    /** Its hardware address: six bytes for Ethernet. */
    public static byte[] macAddress(String name) {
        return query(
                name,
                Uapi.SIOCGIFHWADDR(),
                "SIOCGIFHWADDR",
                union -> {
                    MemorySegment data = sockaddr.sa_data(ifreq.ifr_ifru.ifru_hwaddr(union));
                    return data.asSlice(0, MAC_BYTES).toArray(JAVA_BYTE);
                });
    }

    /**
     * Sets its hardware address.
     *
     * @param mac six bytes
     */
    public static void setMacAddress(String name, byte[] mac) {
        if (mac.length != MAC_BYTES) {
            throw new IllegalArgumentException(mac.length + " bytes are not an Ethernet address");
        }
        change(
                name,
                Uapi.SIOCSIFHWADDR(),
                "SIOCSIFHWADDR",
                union -> {
                    MemorySegment address = ifreq.ifr_ifru.ifru_hwaddr(union);
                    sockaddr.sa_family(address, (short) ARPHRD_ETHER);
                    MemorySegment data = sockaddr.sa_data(address);
                    MemorySegment.copy(mac, 0, data, JAVA_BYTE, 0, MAC_BYTES);
                });
    }

    /** Its MTU in bytes. */
    public static int mtu(String name) {
        return query(name, Uapi.SIOCGIFMTU(), "SIOCGIFMTU", ifreq.ifr_ifru::ifru_mtu);
    }

    /** Sets its MTU. */
    public static void setMtu(String name, int bytes) {
        change(
                name,
                Uapi.SIOCSIFMTU(),
                "SIOCSIFMTU",
                union -> ifreq.ifr_ifru.ifru_mtu(union, bytes));
    }

    /** Its flags: {@code IFF_UP}, {@code IFF_RUNNING}, {@code IFF_PROMISC} … of {@link LibC}. */
    public static int flags(String name) {
        return query(
                name,
                Uapi.SIOCGIFFLAGS(),
                "SIOCGIFFLAGS",
                union -> ifreq.ifr_ifru.ifru_flags(union) & 0xFFFF);
    }

    /** Whether it is up and has a carrier. */
    public static boolean isRunning(String name) {
        int wanted = LibC.IFF_UP() | LibC.IFF_RUNNING();
        return (flags(name) & wanted) == wanted;
    }

    /** Brings it up or takes it down. */
    public static void setUp(String name, boolean up) {
        setFlag(name, LibC.IFF_UP(), up);
    }

    /**
     * Makes it accept every frame, or undoes that. Outlives this process: prefer a packet socket's
     * membership for a device that is not ours.
     */
    public static void setPromiscuous(String name, boolean on) {
        setFlag(name, LibC.IFF_PROMISC(), on);
    }

    private static void setFlag(String name, int flag, boolean on) {
        int flags = flags(name);
        int wanted = on ? flags | flag : flags & ~flag;
        if (wanted != flags) {
            change(
                    name,
                    Uapi.SIOCSIFFLAGS(),
                    "SIOCSIFFLAGS",
                    union -> ifreq.ifr_ifru.ifru_flags(union, (short) wanted));
        }
    }

    private static <T> T query(
            String name, long code, String codeName, Function<MemorySegment, T> reader) {
        try (Arena arena = Arena.ofConfined();
                Fd fd = controlSocket()) {
            MemorySegment request = request(name, arena);
            control(fd, code, request, codeName, name);
            return reader.apply(ifreq.ifr_ifru(request));
        }
    }

    private static void change(
            String name, long code, String codeName, Consumer<MemorySegment> writer) {
        try (Arena arena = Arena.ofConfined();
                Fd fd = controlSocket()) {
            MemorySegment request = request(name, arena);
            writer.accept(ifreq.ifr_ifru(request));
            control(fd, code, request, codeName, name);
        }
    }

    private static Fd controlSocket() {
        return Sockets.socket(LibC.AF_INET(), LibC.SOCK_DGRAM(), 0, "interface control");
    }

    private static MemorySegment request(String name, Arena arena) {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        if (bytes.length == 0 || bytes.length >= LibC.IFNAMSIZ()) {
            throw new IllegalArgumentException(
                    "an interface's name has 1 to " + (LibC.IFNAMSIZ() - 1) + " bytes: " + name);
        }
        MemorySegment request = ifreq.allocate(arena);
        MemorySegment.copy(bytes, 0, request, JAVA_BYTE, 0, bytes.length);
        return request;
    }

    private static void control(
            Fd fd, long code, MemorySegment request, String codeName, String name) {
        try {
            fd.ioctl(code, request);
        } catch (NativeException e) {
            String hint =
                    e.errno() == LibC.EBUSY()
                            ? "another process has " + name + " open"
                            : Hints.network("CAP_NET_ADMIN", e.errno());
            throw new NativeException("ioctl(" + codeName + ", " + name + ")", e.errno(), hint);
        }
    }
}
