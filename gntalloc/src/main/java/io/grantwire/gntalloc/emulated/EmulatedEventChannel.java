package io.grantwire.gntalloc.emulated;

import io.grantwire.bindings.Epoll;
import io.grantwire.bindings.EventFd;
import io.grantwire.bindings.Fd;
import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.gen.libc.LibC;
import io.grantwire.gntalloc.EventChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Event channels over eventfds. A port is masked by waiting for it in one-shot mode: after it was
 * reported, its eventfd is not polled again until it is unmasked, and what came meanwhile shows
 * then.
 */
final class EmulatedEventChannel implements EventChannel {
    private static final Logger LOG = LoggerFactory.getLogger(EmulatedEventChannel.class);

    /** No port has this number. */
    private static final long WAKE = 0;

    private static final int ARMED = LibC.EPOLLIN() | LibC.EPOLLONESHOT();

    private final BrokerLink link;
    private final String description;
    private final Runnable onClose;
    private final Map<Integer, Port> ports = new ConcurrentHashMap<>();
    private final Epoll epoll = Epoll.create();
    private final EventFd wake = EventFd.create();
    private final long[] ready = new long[1];
    private final ReentrantLock waiting = new ReentrantLock();
    private volatile boolean closed;

    /** A bound port: the eventfd that fires for us, and the one that fires for them. */
    private record Port(int number, EventFd ours, EventFd theirs) {
        void close() {
            ours.close();
            theirs.close();
        }
    }

    /**
     * @param onClose called once, when this has been closed
     */
    EmulatedEventChannel(BrokerLink link, String description, Runnable onClose) {
        this.link = link;
        this.description = description;
        this.onClose = onClose;
        epoll.add(wake.fd().value(), LibC.EPOLLIN(), WAKE);
    }

    @Override
    public String description() {
        return description;
    }

    @Override
    public int bindUnbound(int remoteDomid) {
        return bind(HypervisorWire.EVTCHN_ALLOC, request -> request.put(remoteDomid));
    }

    @Override
    public int bindInterdomain(int remoteDomid, int remotePort) {
        return bind(
                HypervisorWire.EVTCHN_BIND, request -> request.put(remoteDomid).put(remotePort));
    }

    private synchronized int bind(int op, BrokerLink.Arguments arguments) {
        if (closed) {
            throw new NativeException("bind", LibC.EBADF(), "the event channels were closed");
        }
        Port port = link.call(op, arguments, EmulatedEventChannel::adopt);
        ports.put(port.number(), port);
        epoll.add(port.ours().fd().value(), ARMED, port.number());
        return port.number();
    }

    private static Port adopt(Message reply, List<Fd> descriptors) {
        if (descriptors.size() != 2) {
            throw new Message.Malformed("no eventfds");
        }
        int number = reply.getCount("port", 1, Integer.MAX_VALUE);
        return new Port(
                number, EventFd.adopt(descriptors.get(0)), EventFd.adopt(descriptors.get(1)));
    }

    @Override
    public void notify(int number) {
        Port port = ports.get(number);
        if (port == null) {
            throw notBound("notify", number);
        }
        synchronized (port) {
            if (!port.theirs().fd().isOpen()) {
                throw notBound("notify", number);
            }
            port.theirs().signal();
        }
    }

    @Override
    public int await(Duration atMost) {
        long deadline = System.nanoTime() + nanos(atMost);
        waiting.lock();
        try {
            return awaitUntil(deadline, atMost.isNegative() ? Duration.ZERO : atMost);
        } finally {
            waiting.unlock();
        }
    }

    private int awaitUntil(long deadline, Duration atMost) {
        Duration left = atMost;
        while (!closed) {
            int n = epoll.await(ready, 1, left);
            if (n > 0 && ready[0] != WAKE) {
                int number = (int) ready[0];
                Port port = ports.get(number);
                if (port != null && taken(port)) {
                    return number;
                }
            }
            long remaining = deadline - System.nanoTime();
            if (n == 0 || remaining <= 0) {
                break;
            }
            left = Duration.ofNanos(remaining);
        }
        return 0;
    }

    /** Takes a port's events; false when it was unbound in between. */
    private static boolean taken(Port port) {
        synchronized (port) {
            if (!port.ours().fd().isOpen()) {
                return false;
            }
            port.ours().drain();
            return true;
        }
    }

    private static long nanos(Duration d) {
        try {
            return d.toNanos();
        } catch (ArithmeticException e) {
            return Long.MAX_VALUE / 2;
        }
    }

    @Override
    public void unmask(int number) {
        Port port = ports.get(number);
        if (port == null) {
            return;
        }
        synchronized (port) {
            if (port.ours().fd().isOpen()) {
                epoll.modify(port.ours().fd().value(), ARMED, number);
            }
        }
    }

    @Override
    public synchronized void unbind(int number) {
        Port port = ports.remove(number);
        if (port == null) {
            throw notBound("unbind", number);
        }
        release(port);
    }

    private void release(Port port) {
        synchronized (port) {
            epoll.remove(port.ours().fd().value());
            port.close();
        }
        if (!link.usable()) {
            return;
        }
        try {
            link.call(HypervisorWire.EVTCHN_CLOSE, request -> request.put(port.number()));
        } catch (NativeException e) {
            LOG.debug("unbinding port {}: {}", port.number(), e.getMessage());
        }
    }

    private static NativeException notBound(String what, int number) {
        return new NativeException(
                what + " event channel port " + number,
                LibC.ENOTCONN(),
                "the port is not bound here");
    }

    @Override
    public int fd() {
        return epoll.fd().value();
    }

    @Override
    public void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
            wake.signal();
            for (Port port : new ArrayList<>(ports.values())) {
                ports.remove(port.number());
                release(port);
            }
        }
        // Who waits has been woken; its descriptors must not go before it is out.
        waiting.lock();
        try {
            epoll.close();
            wake.close();
        } finally {
            waiting.unlock();
        }
        onClose.run();
    }
}
