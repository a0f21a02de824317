package io.grantwire.gntalloc;

import java.time.Duration;

/**
 * Event channels: one-bit notifications between domains, as {@code /dev/xen/evtchn} does them. One
 * instance is one open of the device; it owns the ports bound through it.
 *
 * <p>Binding, unbinding and {@link #notify} are thread-safe; one thread at a time may wait.
 *
 * <p>A port that fired is masked until {@link #unmask} is called for it. The order that loses no
 * event is: wait, unmask, then look at the shared state.
 */
public interface EventChannel extends AutoCloseable {
    /** Which implementation this is and where, for people: for instance {@code /dev/xen/evtchn}. */
    String description();

    /**
     * Allocates a port that {@code remoteDomid} may bind to.
     *
     * @return our local port, 1 or greater; tell the peer its number
     */
    int bindUnbound(int remoteDomid);

    /**
     * Binds to a port that {@code remoteDomid} allocated for us. The new port fires once by itself,
     * in place of events that the peer sent before anybody was bound.
     *
     * @return our local port
     * @throws io.grantwire.bindings.NativeException EINVAL when that port is not offered to us, or
     *     has a peer already; ESRCH when there is no such domain
     */
    int bindInterdomain(int remoteDomid, int remotePort);

    /**
     * Sends an event through a local port. Events not yet taken by the peer merge into one; on real
     * Xen into two, when the first of them was queued for the peer before the others were sent.
     *
     * @throws io.grantwire.bindings.NativeException ENOTCONN when the port is not bound here
     */
    void notify(int port);

    /**
     * Waits until a port fires.
     *
     * @param atMost how long; zero looks once
     * @return the port, now masked, or 0 when the time ran out or this is closed meanwhile
     */
    int await(Duration atMost);

    /**
     * Lets a port fire again after it was returned by {@link #await}: at once when an event came
     * meanwhile. Does nothing for a port that is not bound here.
     */
    void unmask(int port);

    /**
     * Frees a port. The peer's end stays, and may be bound to again by this domain.
     *
     * @throws io.grantwire.bindings.NativeException ENOTCONN when the port is not bound here
     */
    void unbind(int port);

    /**
     * A descriptor that polls readable while a port is pending; owned by this object. Whoever polls
     * it calls {@link #await} with zero until that returns 0.
     */
    int fd();

    /** Unbinds every port and closes the device; a second call does nothing. */
    @Override
    void close();
}
