package io.grantwire.gntalloc.emulated;

import io.grantwire.bindings.Fd;
import io.grantwire.bindings.Mapping;
import io.grantwire.gntalloc.EventChannel;
import io.grantwire.gntalloc.GrantMapper;
import io.grantwire.gntalloc.GrantSharer;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * A process's place on an emulated host: the domain it has claimed from a {@link Hypervisor}, and
 * that domain's grants and event channels. The connection is the domain's life: when the process
 * ends, however it ends, the hypervisor cleans up.
 *
 * <p>Thread-safe. When the hypervisor dies, memory that is shared or mapped stays, and every
 * request fails with ENOTCONN.
 */
public final class HypervisorClient implements AutoCloseable {
    /** {@link #connect} with this takes the lowest guest domain id that no process holds. */
    public static final int ANY_DOMID = HypervisorWire.ANY_DOMID;

    private final BrokerLink link;
    private final int domid;
    private final String where;
    private final Mapping tableMemory;
    private final GrantTable table;
    private final EmulatedSharer sharer;
    private final EmulatedMapper mapper;
    private final Set<EventChannel> opened = new LinkedHashSet<>();
    private EventChannel events;
    private boolean closed;

    private HypervisorClient(Path socket, BrokerLink link, Claim claim) {
        this.link = link;
        this.domid = claim.domid();
        this.where = "emulated domain " + domid + " at " + socket;
        long bytes = GrantTableV1.offset(claim.entries());
        try (Fd memory = claim.memory()) {
            this.tableMemory = Mapping.shared(memory, 0, bytes, Mapping.READ | Mapping.WRITE);
        }
        this.table = new GrantTable(tableMemory, claim.base(), claim.entries());
        this.sharer = new EmulatedSharer(link, table, where);
        this.mapper = new EmulatedMapper(link, where);
    }

    private record Claim(int domid, int base, int entries, Fd memory) {}

    /**
     * Connects to a hypervisor as a domain.
     *
     * @param socket the hypervisor's socket
     * @param domid the domain to be, or {@link #ANY_DOMID}; 0 may be claimed by many processes, any
     *     other by one at a time
     * @param name what to call the domain in messages and in the store, at most 64 bytes
     * @throws io.grantwire.bindings.NativeException ENOENT or ECONNREFUSED when no hypervisor is
     *     there, EBUSY when another process is that domain (the message names its process id),
     *     EINVAL when there can be no domain of that id, EIO when the host's hooks refuse it
     */
    public static HypervisorClient connect(Path socket, int domid, String name) {
        BrokerLink link = new BrokerLink(socket);
        try {
            Claim claim =
                    link.call(
                            HypervisorWire.HELLO,
                            request ->
                                    request.put(HypervisorWire.VERSION)
                                            .put(domid)
                                            .putText(name, HypervisorWire.MAX_NAME),
                            (reply, descriptors) -> {
                                if (descriptors.size() != 1) {
                                    throw new Message.Malformed("no grant table");
                                }
                                int id = reply.get();
                                int base = reply.get();
                                int max = HypervisorWire.GREFS_PER_PROCESS;
                                int entries =
                                        reply.getCount(
                                                "entries", GrantTableV1.FIRST_USABLE + 1, max);
                                return new Claim(id, base, entries, descriptors.getFirst());
                            });
            return new HypervisorClient(socket, link, claim);
        } catch (RuntimeException e) {
            link.close();
            throw e;
        }
    }

    /** This process's domain. */
    public int domid() {
        return domid;
    }

    /** Which host and domain this is, for people. */
    public String description() {
        return where;
    }

    /** The granting side; closed by {@link #close}. */
    public GrantSharer sharer() {
        return sharer;
    }

    /** The mapping side; closed by {@link #close}. */
    public GrantMapper mapper() {
        return mapper;
    }

    /** The domain's event channels, always the same object until it is closed. */
    public synchronized EventChannel events() {
        if (events == null) {
            events = openEvents();
        }
        return events;
    }

    /**
     * Another, independent set of event channels, for a thread that waits on its own ports only;
     * closed by its user or by {@link #close}.
     */
    public synchronized EventChannel openEvents() {
        EventChannel[] self = new EventChannel[1];
        self[0] = new EmulatedEventChannel(link, where, () -> forget(self[0]));
        opened.add(self[0]);
        return self[0];
    }

    private synchronized void forget(EventChannel channel) {
        opened.remove(channel);
        if (channel == events) {
            events = null;
        }
    }

    /** What the whole domain uses of its limits. */
    public DomainUsage usage() {
        return usage(link);
    }

    static DomainUsage usage(BrokerLink link) {
        return link.call(
                HypervisorWire.USAGE,
                request -> {},
                (reply, descriptors) ->
                        new DomainUsage(
                                reply.get(),
                                reply.get(),
                                reply.get(),
                                reply.get(),
                                reply.get(),
                                reply.get()));
    }

    /** The grant table, for tests that play a hostile guest. */
    GrantTable table() {
        return table;
    }

    /** The connection, for the same. */
    BrokerLink link() {
        return link;
    }

    /**
     * Closes all event channels, mappings and shares that are still open, and leaves the domain; a
     * second call does nothing.
     */
    @Override
    public void close() {
        Set<EventChannel> channels;
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
            channels = new LinkedHashSet<>(opened);
        }
        channels.forEach(EventChannel::close);
        mapper.close();
        sharer.close();
        link.close();
        tableMemory.close();
    }
}
