package io.grantwire.gntalloc.emulated;

import io.grantwire.bindings.Epoll;
import io.grantwire.bindings.EventFd;
import io.grantwire.bindings.Fd;
import io.grantwire.bindings.Mapping;
import io.grantwire.bindings.Memfd;
import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.UnixSocket;
import io.grantwire.bindings.gen.libc.LibC;
import io.grantwire.bindings.gen.xen.Xen;
import io.grantwire.gntalloc.GrantSharer;
import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The hypervisor's loop: one thread, which never waits for a client. It takes one request at a time
 * from each client that has one; who breaks the rules of {@link HypervisorWire}, or does not read
 * its replies, is disconnected, which ends its domain's grants like the death of its process.
 */
final class Broker implements Runnable {
    /** Domain ids from here on mean something else. */
    static final int FIRST_RESERVED_DOMID = Xen.DOMID_FIRST_RESERVED();

    private static final Logger LOG = LoggerFactory.getLogger(Hypervisor.class);

    private static final long LISTENER = 0;
    private static final long WAKE = 1;
    private static final long FIRST_PROCESS = 2;

    /** A connection that claims no domain for this long is closed. */
    static final Duration CLAIM_TIME = Duration.ofSeconds(10);

    private static final Duration IDLE = Duration.ofMinutes(1);
    private static final Duration HOUSEKEEPING = Duration.ofSeconds(1);
    private static final int EVENTS = 64;

    private final UnixSocket listener;
    private final DomainHooks hooks;
    private final HypervisorOptions options;
    private final long claimNanos;
    private final EventFd wake;
    private final Epoll epoll;
    private volatile boolean stopping;

    private final Map<Long, BrokerProcess> processes = new HashMap<>();
    private final Map<Integer, BrokerDomain> domains = new HashMap<>();
    private final BrokerGrants grants = new BrokerGrants(domains);
    private final BrokerPorts ports = new BrokerPorts(domains);
    private long nextProcess = FIRST_PROCESS;
    private int unclaimed;
    private boolean acceptPaused;
    private long acceptPausedAt;

    private final Message in;
    private final Message out;
    private final Replies replies = new Replies();
    private final List<Fd> received = new ArrayList<>();

    Broker(UnixSocket listener, DomainHooks hooks, HypervisorOptions options, Duration claimTime) {
        this.listener = listener;
        this.hooks = hooks;
        this.options = options;
        this.claimNanos = claimTime.toNanos();
        this.in = new Message(Arena.ofAuto().allocate(HypervisorWire.MAX_MESSAGE));
        this.out = new Message(Arena.ofAuto().allocate(HypervisorWire.MAX_MESSAGE));
        this.wake = EventFd.create();
        this.epoll = Epoll.create();
        listener.fd().setNonBlocking(true);
        epoll.add(listener.fd().value(), LibC.EPOLLIN(), LISTENER);
        epoll.add(wake.fd().value(), LibC.EPOLLIN(), WAKE);
    }

    /** Makes {@link #run} return soon. Any thread, once. */
    void stop() {
        stopping = true;
        try {
            wake.signal();
        } catch (NativeException e) {
            LOG.debug("the loop has ended already: {}", e.getMessage());
        }
    }

    @Override
    public void run() {
        long[] ready = new long[EVENTS];
        try {
            while (!stopping) {
                Duration atMost = unclaimed > 0 || acceptPaused ? HOUSEKEEPING : IDLE;
                int n = epoll.await(ready, EVENTS, atMost);
                for (int i = 0; i < n && !stopping; i++) {
                    if (ready[i] == LISTENER) {
                        accept();
                    } else if (ready[i] != WAKE) {
                        BrokerProcess process = processes.get(ready[i]);
                        if (process != null) {
                            serve(process);
                        }
                    }
                }
                keepHouse();
            }
        } catch (RuntimeException e) {
            LOG.error("the emulated hypervisor stops: {}", e.toString(), e);
        } finally {
            for (BrokerProcess process : new ArrayList<>(processes.values())) {
                forget(process);
            }
            epoll.close();
            wake.close();
            listener.close();
        }
    }

    private void accept() {
        UnixSocket socket;
        try {
            socket = listener.accept();
        } catch (NativeException e) {
            // Out of descriptors, most likely. Polling a listener that we cannot serve would spin.
            LOG.warn("cannot take a connection now: {}", e.getMessage());
            epoll.remove(listener.fd().value());
            acceptPaused = true;
            acceptPausedAt = System.nanoTime();
            return;
        }
        if (socket == null) {
            return;
        }
        if (processes.size() >= options.connections()) {
            LOG.warn("refused a connection: all {} are in use", options.connections());
            socket.close();
            return;
        }
        try {
            socket.fd().setNonBlocking(true);
            BrokerProcess process = new BrokerProcess(nextProcess, socket, System.nanoTime());
            epoll.add(socket.fd().value(), LibC.EPOLLIN(), nextProcess);
            processes.put(nextProcess++, process);
            unclaimed++;
        } catch (NativeException e) {
            LOG.warn("lost a connection: {}", e.getMessage());
            socket.close();
        }
    }

    private void keepHouse() {
        if (acceptPaused && System.nanoTime() - acceptPausedAt >= HOUSEKEEPING.toNanos()) {
            epoll.add(listener.fd().value(), LibC.EPOLLIN(), LISTENER);
            acceptPaused = false;
        }
        if (unclaimed > 0) {
            long now = System.nanoTime();
            for (BrokerProcess process : new ArrayList<>(processes.values())) {
                if (!process.claimed() && now - process.connectedAt() > claimNanos) {
                    LOG.warn("disconnected {}: it claims no domain", process);
                    forget(process);
                }
            }
        }
    }

    /**
     * Takes one request and answers it.
     *
     * @return whether there was one and the process is still there
     */
    private boolean serve(BrokerProcess process) {
        try {
            int bytes = process.socket().receive(in.buffer(), received);
            if (bytes < 0) {
                return false;
            }
            if (bytes == 0) {
                forget(process);
                return false;
            }
            if (!received.isEmpty()) {
                throw new Message.Malformed("descriptors in a request");
            }
            in.received(bytes);
            int op = in.get();
            int seq = in.get();
            out.clear().put(op).put(seq).put(0).put(0);
            try {
                handle(process, op);
            } catch (Refusal e) {
                refuse(op, seq, e.status(), e.detail(), e.getMessage());
            } catch (NativeException e) {
                refuse(op, seq, e.errno(), 0, "in the emulated host: " + e.getMessage());
            }
            process.socket().send(out.written(), replies.descriptors());
            return true;
        } catch (Message.Malformed e) {
            LOG.warn("disconnected {}: malformed request ({})", process, e.getMessage());
        } catch (NativeException e) {
            LOG.warn("disconnected {}: {}", process, e.getMessage());
        } catch (RuntimeException e) {
            LOG.error("disconnected {}: a defect of the emulated hypervisor", process, e);
        } finally {
            replies.clear();
            received.forEach(Fd::close);
            received.clear();
        }
        forget(process);
        return false;
    }

    private void refuse(int op, int seq, int status, int detail, String text) {
        replies.clear();
        out.clear().put(op).put(seq).put(status).put(detail);
        out.putText(text, HypervisorWire.MAX_TEXT);
    }

    private void handle(BrokerProcess process, int op) throws Refusal {
        if (process.claimed() == (op == HypervisorWire.HELLO)) {
            throw new Message.Malformed("request " + op + " out of order");
        }
        switch (op) {
            case HypervisorWire.HELLO -> claim(process);
            case HypervisorWire.EXTENT_CREATE -> grants.createExtent(process, in, out, replies);
            case HypervisorWire.EXTENT_END -> grants.endExtent(process, in);
            case HypervisorWire.NOTIFY_ON_END -> grants.notifyOnEnd(process, in);
            case HypervisorWire.MAP -> grants.map(process, in, out, replies);
            case HypervisorWire.UNMAP -> grants.unmap(process, in);
            case HypervisorWire.EVTCHN_ALLOC -> ports.allocate(process, in, out, replies);
            case HypervisorWire.EVTCHN_BIND -> ports.bind(process, in, out, replies);
            case HypervisorWire.EVTCHN_CLOSE -> ports.close(process, in);
            case HypervisorWire.USAGE -> usage(process);
            default -> throw new Message.Malformed("unknown request " + op);
        }
    }

    private void claim(BrokerProcess process) throws Refusal {
        int version = in.get();
        if (version != HypervisorWire.VERSION) {
            throw new Refusal(
                    LibC.EPROTO(),
                    "the emulated host speaks version "
                            + HypervisorWire.VERSION
                            + ", this process version "
                            + version
                            + "; run both from the same build");
        }
        int wanted = in.get();
        String name = in.getText(HypervisorWire.MAX_NAME).replaceAll("[^\\x20-\\x7e]", "?");
        in.end();
        if (wanted < HypervisorWire.ANY_DOMID || wanted >= FIRST_RESERVED_DOMID) {
            throw new Refusal(LibC.EINVAL(), "domain ids are 0 to " + (FIRST_RESERVED_DOMID - 1));
        }
        int domid = wanted == HypervisorWire.ANY_DOMID ? freeDomid() : wanted;
        BrokerDomain domain = domains.get(domid);
        if (domain == null) {
            domain = new BrokerDomain(domid, options);
        }
        if (domid != 0 && domain.holder() != null) {
            // It may have died just now, its hang-up still waiting for us.
            BrokerProcess holder = domain.holder();
            if (!stillThere(holder)) {
                forget(holder);
            } else {
                throw new Refusal(
                        LibC.EBUSY(),
                        holder.pid(),
                        "domain "
                                + domid
                                + " is in use by process "
                                + holder.pid()
                                + (holder.name().isEmpty() ? "" : " (" + holder.name() + ")")
                                + "; stop it, or take another domain id");
            }
        }
        int entries = options.pagesPerDomain() + GrantTableV1.FIRST_USABLE;
        long page = GrantSharer.PAGE_SIZE;
        long bytes = (GrantTableV1.offset(entries) + page - 1) / page * page;
        String what = "grantwire-dom" + domid + "-grants";
        Fd memory = Memfd.create(what, bytes, false, Memfd.fixedSizeSeals());
        Mapping table = null;
        try {
            table = Mapping.shared(memory, 0, bytes, Mapping.READ | Mapping.WRITE);
            if (domid != 0) {
                callCreated(domid, name, process.pid());
            }
        } catch (Refusal | RuntimeException e) {
            if (table != null) {
                table.close();
            }
            memory.close();
            throw e;
        }
        int slot = domain.freeSlot();
        process.claim(domain, slot, name, table, entries);
        domain.processes().put(slot, process);
        domains.put(domid, domain);
        unclaimed--;
        LOG.debug("{} connected", process);
        out.put(domid).put(slot * HypervisorWire.GREFS_PER_PROCESS).put(entries);
        replies.attachOnce(memory);
    }

    private void callCreated(int domid, String name, int pid) throws Refusal {
        try {
            hooks.onDomainCreated(domid, name, pid);
        } catch (RuntimeException e) {
            LOG.warn("domain {} refused: {}", domid, e.getMessage(), e);
            throw new Refusal(LibC.EIO(), "the emulated host refuses: " + e.getMessage());
        }
    }

    private int freeDomid() throws Refusal {
        for (int domid = 1; domid < FIRST_RESERVED_DOMID; domid++) {
            BrokerDomain domain = domains.get(domid);
            if (domain == null || domain.holder() == null) {
                return domid;
            }
        }
        throw new Refusal(LibC.EBUSY(), "all domain ids are in use");
    }

    /** Whether a process is connected, without taking what it has sent. */
    private static boolean stillThere(BrokerProcess process) {
        try (Epoll probe = Epoll.create()) {
            // No events asked for: only a hang-up or an error is reported.
            probe.add(process.socket().fd().value(), 0, 0);
            return probe.await(new long[1], 1, Duration.ZERO) == 0;
        }
    }

    private void usage(BrokerProcess process) {
        in.end();
        BrokerDomain domain = process.domain();
        out.put(domain.pagesShared()).put(options.pagesPerDomain());
        out.put(domain.pagesMapped()).put(options.mappingsPerDomain());
        out.put(domain.ports()).put(options.portsPerDomain());
    }

    /** Cleans up after a process. */
    private void forget(BrokerProcess process) {
        if (processes.remove(process.id()) == null) {
            return;
        }
        epoll.remove(process.socket().fd().value());
        if (!process.claimed()) {
            unclaimed--;
            process.socket().close();
            return;
        }
        BrokerDomain domain = process.domain();
        ports.processGone(process);
        grants.processGone(process);
        domain.processes().remove(process.slot());
        domains.values().removeIf(BrokerDomain::empty);
        // Last, so that a process that sees the hang-up sees its bytes cleared.
        process.socket().close();
        LOG.debug("{} is gone", process);
        if (domain.domid() != 0) {
            try {
                hooks.onProcessGone(domain.domid());
            } catch (RuntimeException e) {
                LOG.error("cleaning up after domain {} failed", domain.domid(), e);
            }
        }
    }
}
