package io.grantwire.gntalloc;

import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.gen.libc.LibC;
import io.grantwire.bindings.gen.xen.Xen;
import io.grantwire.bindings.gen.xen.ioctl_evtchn_bind_interdomain;
import io.grantwire.bindings.gen.xen.ioctl_evtchn_bind_unbound_port;
import io.grantwire.bindings.gen.xen.ioctl_evtchn_notify;
import io.grantwire.bindings.gen.xen.ioctl_evtchn_unbind;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Event channels through {@code /dev/xen/evtchn} (xen/evtchn.h). Reading takes the number of a port
 * that fired, writing the number back lets it fire again.
 *
 * <p>One port is read at a time, so that the descriptor stays readable while more are pending.
 */
public final class EvtchnDevice implements EventChannel {
    /** The device. */
    public static final Path DEVICE = Path.of("/dev/xen/evtchn");

    private static final String MODULE = "xen-evtchn";
    private static final Logger LOG = LoggerFactory.getLogger(EvtchnDevice.class);
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT;

    private final XenDevice device;
    private final Set<Integer> bound = ConcurrentHashMap.newKeySet();

    /** Ports to report because the device lost count of what fired. Guarded by the monitor. */
    private final Deque<Integer> unsure = new ArrayDeque<>();

    private volatile boolean closed;

    EvtchnDevice(XenDevice device) {
        this.device = device;
    }

    /**
     * Opens the device.
     *
     * @throws NativeException when it is absent or refused, with what to type
     */
    public static EvtchnDevice open() {
        return new EvtchnDevice(XenDeviceFile.openForEvents(DEVICE));
    }

    /** Why the device cannot be used here, with what to type next; empty when it can. */
    public static Optional<String> unavailable() {
        return XenDeviceFile.unavailable(DEVICE, MODULE);
    }

    @Override
    public String description() {
        return device.path();
    }

    @Override
    public int bindUnbound(int remoteDomid) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment request = ioctl_evtchn_bind_unbound_port.allocate(arena);
            ioctl_evtchn_bind_unbound_port.remote_domain(request, remoteDomid);
            return bind(Xen.IOCTL_EVTCHN_BIND_UNBOUND_PORT(), request);
        } catch (NativeException e) {
            throw failed("EVTCHN_BIND_UNBOUND_PORT(domain " + remoteDomid + ")", e);
        }
    }

    @Override
    public int bindInterdomain(int remoteDomid, int remotePort) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment request = ioctl_evtchn_bind_interdomain.allocate(arena);
            ioctl_evtchn_bind_interdomain.remote_domain(request, remoteDomid);
            ioctl_evtchn_bind_interdomain.remote_port(request, remotePort);
            return bind(Xen.IOCTL_EVTCHN_BIND_INTERDOMAIN(), request);
        } catch (NativeException e) {
            throw failed(
                    "EVTCHN_BIND_INTERDOMAIN(domain "
                            + remoteDomid
                            + ", port "
                            + Integer.toUnsignedString(remotePort)
                            + ")",
                    e);
        }
    }

    // Under the monitor: an event of the new port must not be read before the port is known.
    private synchronized int bind(long request, MemorySegment argument) {
        int port = (int) device.ioctl(request, argument);
        bound.add(port);
        return port;
    }

    @Override
    public void notify(int port) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment request = ioctl_evtchn_notify.allocate(arena);
            ioctl_evtchn_notify.port(request, port);
            device.ioctl(Xen.IOCTL_EVTCHN_NOTIFY(), request);
        } catch (NativeException e) {
            throw failed("EVTCHN_NOTIFY(port " + port + ")", e);
        }
    }

    @Override
    public int await(Duration atMost) {
        long limit = limit(atMost);
        long start = System.nanoTime();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment word = arena.allocate(U32);
            while (!closed) {
                int port = next(word);
                if (port != 0) {
                    return port;
                }
                long left = limit - (System.nanoTime() - start);
                if (left <= 0) {
                    return 0;
                }
                device.awaitReadable(Duration.ofNanos(left));
            }
        }
        return 0;
    }

    private static long limit(Duration atMost) {
        try {
            return atMost.toNanos();
        } catch (ArithmeticException e) {
            return Long.MAX_VALUE;
        }
    }

    /** A port that fired, or 0. */
    private synchronized int next(MemorySegment word) {
        while (!closed) {
            Integer maybe = unsure.poll();
            if (maybe != null) {
                if (bound.contains(maybe)) {
                    return maybe;
                }
                continue;
            }
            int bytes;
            try {
                bytes = device.read(word);
            } catch (NativeException e) {
                if (e.errno() != LibC.EFBIG()) {
                    throw failed("reading", e);
                }
                startOver();
                continue;
            }
            if (bytes != U32.byteSize()) {
                return 0;
            }
            int port = word.get(U32, 0);
            // A port may have fired before it was unbound.
            if (bound.contains(port)) {
                return port;
            }
        }
        return 0;
    }

    /**
     * More ports fired than the device could remember. Which ones is lost, so all are reported, and
     * those that were masked get unmasked by whoever handles the report.
     */
    private void startOver() {
        LOG.warn("{} overflowed; every port is reported as fired", device.path());
        device.ioctl(Xen.IOCTL_EVTCHN_RESET(), MemorySegment.NULL);
        unsure.clear();
        unsure.addAll(bound);
    }

    @Override
    public void unmask(int port) {
        if (!bound.contains(port)) {
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment word = arena.allocateFrom(U32, port);
            device.write(word);
        } catch (NativeException e) {
            throw failed("unmasking port " + port, e);
        }
    }

    @Override
    public void unbind(int port) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment request = ioctl_evtchn_unbind.allocate(arena);
            ioctl_evtchn_unbind.port(request, port);
            device.ioctl(Xen.IOCTL_EVTCHN_UNBIND(), request);
        } catch (NativeException e) {
            throw failed("EVTCHN_UNBIND(port " + port + ")", e);
        }
        bound.remove(port);
    }

    private NativeException failed(String call, NativeException e) {
        String hint =
                e.errno() == LibC.ENOTCONN()
                        ? "the port is not bound here"
                        : e.errno() == LibC.ENOSPC() ? "the domain has no port left" : null;
        return NativeFailure.of(call + " on " + device.path(), e, hint);
    }

    @Override
    public int fd() {
        return device.fd();
    }

    /** {@inheritDoc} The kernel unbinds the ports. */
    @Override
    public void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
        }
        device.wake();
        device.close();
    }
}
