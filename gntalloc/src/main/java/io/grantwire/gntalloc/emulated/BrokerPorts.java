package io.grantwire.gntalloc.emulated;

import io.grantwire.bindings.EventFd;
import io.grantwire.bindings.gen.libc.LibC;
import java.util.ArrayList;
import java.util.Map;

/**
 * Event channels, the hypervisor's side: who may bind to what. Only the hypervisor's thread uses
 * it.
 */
final class BrokerPorts {
    private final Map<Integer, BrokerDomain> domains;

    BrokerPorts(Map<Integer, BrokerDomain> domains) {
        this.domains = domains;
    }

    /** {@link HypervisorWire#EVTCHN_ALLOC}. */
    void allocate(BrokerProcess process, Message in, Message out, Replies replies) throws Refusal {
        int remote = in.get();
        in.end();
        if (remote < 0 || remote >= Broker.FIRST_RESERVED_DOMID) {
            throw new Refusal(LibC.EINVAL(), "there is no domain " + remote);
        }
        BrokerDomain domain = process.domain();
        domain.takeDescriptors(2);
        int number;
        try {
            number = domain.takePort();
        } catch (Refusal e) {
            domain.releaseDescriptors(2);
            throw e;
        }
        EventFd own = null;
        BrokerChannel channel;
        try {
            own = EventFd.create();
            channel = new BrokerChannel(domain, remote, own, EventFd.create());
        } catch (RuntimeException e) {
            if (own != null) {
                own.close();
            }
            domain.releasePort(number);
            domain.releaseDescriptors(2);
            throw e;
        }
        add(new BrokerPort(process, number, channel, 0), out, replies);
    }

    /** {@link HypervisorWire#EVTCHN_BIND}. */
    void bind(BrokerProcess process, Message in, Message out, Replies replies) throws Refusal {
        int remoteDomid = in.get();
        int remotePort = in.get();
        in.end();
        BrokerDomain remote = domains.get(remoteDomid);
        if (remote == null || remote.processes().isEmpty()) {
            throw new Refusal(LibC.ESRCH(), "there is no domain " + remoteDomid);
        }
        BrokerPort theirs = remote.port(remotePort);
        BrokerDomain domain = process.domain();
        int side = theirs == null ? 0 : 1 - theirs.side();
        if (theirs == null || !theirs.channel().offered(side, domain.domid())) {
            throw new Refusal(
                    LibC.EINVAL(),
                    "domain "
                            + remoteDomid
                            + " does not offer port "
                            + Integer.toUnsignedString(remotePort)
                            + " to domain "
                            + domain.domid());
        }
        BrokerPort ours = new BrokerPort(process, domain.takePort(), theirs.channel(), side);
        add(ours, out, replies);
        // Events sent while nobody was bound here are lost, so Xen lets a fresh end fire once.
        EventFd wake = theirs.channel().wake(side);
        wake.drain();
        wake.signal();
    }

    /** {@link HypervisorWire#EVTCHN_CLOSE}. */
    void close(BrokerProcess process, Message in) throws Refusal {
        int number = in.get();
        in.end();
        BrokerPort port = process.ports().get(number);
        if (port == null) {
            throw new Refusal(LibC.ENOTCONN(), "the port is not bound here");
        }
        close(port);
    }

    /** Closes all ports of a process. */
    void processGone(BrokerProcess process) {
        for (BrokerPort port : new ArrayList<>(process.ports().values())) {
            close(port);
        }
    }

    private static void add(BrokerPort port, Message out, Replies replies) {
        BrokerProcess process = port.process();
        port.channel().attach(port);
        process.domain().addPort(port);
        process.ports().put(port.number(), port);
        out.put(port.number());
        replies.attach(port.channel().wake(port.side()).fd());
        replies.attach(port.channel().wake(1 - port.side()).fd());
    }

    private static void close(BrokerPort port) {
        BrokerProcess process = port.process();
        process.ports().remove(port.number());
        process.domain().releasePort(port.number());
        port.channel().detach(port.side());
    }
}
