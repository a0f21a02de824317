package io.grantwire.gntalloc.emulated;

import io.grantwire.bindings.EventFd;

/**
 * An event channel between two domains. Each end has an eventfd that its owner waits on and the
 * other end signals; both ends get both, so that sending an event does not pass through the
 * hypervisor. Only the hypervisor's thread uses it.
 */
final class BrokerChannel {
    private final int[] domids;
    private final EventFd[] wakes;
    private final BrokerPort[] ports = new BrokerPort[2];
    private final BrokerDomain payer;

    /**
     * @param payer the domain whose limit on open files the two eventfds count against
     * @param otherDomid the domain that may bind to it
     */
    BrokerChannel(BrokerDomain payer, int otherDomid, EventFd own, EventFd other) {
        this.payer = payer;
        this.domids = new int[] {payer.domid(), otherDomid};
        this.wakes = new EventFd[] {own, other};
    }

    EventFd wake(int side) {
        return wakes[side];
    }

    /** Whether an end has no port and this domain may take it. */
    boolean offered(int side, int domid) {
        return ports[side] == null && domids[side] == domid;
    }

    void attach(BrokerPort port) {
        ports[port.side()] = port;
    }

    /** Frees an end; its domain may bind to it again while the other end stands. */
    void detach(int side) {
        ports[side] = null;
        if (ports[1 - side] == null) {
            wakes[0].close();
            wakes[1].close();
            payer.releaseDescriptors(2);
        }
    }
}
