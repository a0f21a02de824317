package io.grantwire.pmd.testkit;

import static org.junit.jupiter.api.Assumptions.abort;

import io.grantwire.bindings.Errno;
import io.grantwire.bindings.Fd;
import io.grantwire.bindings.gen.libc.LibC;
import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A network namespace of its own for the calling thread, and for threads and processes that it
 * starts, so that a test can make interfaces without touching the machine's. It is gone when the
 * last of them leaves. Close it on the thread that made it.
 */
public final class NetNamespace implements AutoCloseable {
    private static final int CLONE_NEWNET = 0x40000000;
    private static final Linker.Option ERRNO = Linker.Option.captureCallState("errno");
    private static final StructLayout STATE = Linker.Option.captureStateLayout();
    private static final MethodHandle UNSHARE = link("unshare", 1);
    private static final MethodHandle SETNS = link("setns", 2);

    private final Fd before;

    private NetNamespace(Fd before) {
        this.before = before;
    }

    @SuppressWarnings("restricted")
    private static MethodHandle link(String name, int ints) {
        ValueLayout[] arguments = new ValueLayout[ints];
        java.util.Arrays.fill(arguments, ValueLayout.JAVA_INT);
        return Linker.nativeLinker()
                .downcallHandle(
                        Linker.nativeLinker().defaultLookup().findOrThrow(name),
                        FunctionDescriptor.of(ValueLayout.JAVA_INT, arguments),
                        ERRNO);
    }

    /** Enters a new namespace, with its loopback interface up; skips the test where it may not. */
    public static NetNamespace enter() throws Exception {
        if (!Files.isExecutable(Path.of("/usr/sbin/ip"))
                && !Files.isExecutable(Path.of("/sbin/ip"))) {
            abort("needs ip of iproute2: apt install iproute2");
        }
        Fd before = Fd.open("/proc/thread-self/ns/net", LibC.O_RDONLY());
        try (var arena = java.lang.foreign.Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            int rc = call(() -> (int) UNSHARE.invokeExact(state, CLONE_NEWNET));
            if (rc != 0) {
                before.close();
                int errno = state.get(ValueLayout.JAVA_INT, 0);
                abort("no network namespace of our own: " + Errno.nameOf(errno) + "; run as root");
            }
        }
        NetNamespace namespace = new NetNamespace(before);
        // Interfaces that talk by themselves would disturb what is counted.
        Path ipv6 = Path.of("/proc/sys/net/ipv6/conf/default/disable_ipv6");
        if (Files.isWritable(ipv6)) {
            Files.writeString(ipv6, "1");
        }
        ip("link set lo up");
        return namespace;
    }

    /** Runs {@code ip} with these arguments, separated by blanks. */
    public static void ip(String arguments) throws IOException, InterruptedException {
        run(List.of(("ip " + arguments).split(" ")));
    }

    /** Makes a VLAN interface on another one; skips the test where the kernel has none. */
    public static void vlan(String below, String name, String proto, int id) throws Exception {
        try {
            ip(
                    "link add link "
                            + below
                            + " name "
                            + name
                            + " type vlan proto "
                            + proto
                            + " id "
                            + id);
        } catch (IOException e) {
            abort("needs VLAN interfaces (modprobe 8021q): " + e.getMessage());
        }
        ip("link set " + name + " up");
    }

    /** Runs a program in the namespace of the calling thread; it must succeed. */
    public static String run(List<String> command) throws IOException, InterruptedException {
        Process p = new ProcessBuilder(command).redirectErrorStream(true).start();
        p.getOutputStream().close();
        String output = new String(p.getInputStream().readAllBytes());
        if (p.waitFor() != 0) {
            throw new IOException(String.join(" ", command) + ": " + output.strip());
        }
        return output;
    }

    private interface Call {
        int run() throws Throwable;
    }

    private static int call(Call call) {
        try {
            return call.run();
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }

    /** Returns to the namespace the thread was in. */
    @Override
    public void close() {
        try (var arena = java.lang.foreign.Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            int fd = before.value();
            int rc = call(() -> (int) SETNS.invokeExact(state, fd, CLONE_NEWNET));
            if (rc != 0) {
                throw new AssertionError(
                        "setns: " + Errno.nameOf(state.get(ValueLayout.JAVA_INT, 0)));
            }
        } finally {
            before.close();
        }
    }
}
