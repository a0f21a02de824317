package io.grantwire.pmd.domain;

import io.grantwire.bindings.Errno;
import io.grantwire.bindings.NativeException;
import io.grantwire.gntalloc.EventChannel;
import io.grantwire.gntalloc.GrantMapper;
import io.grantwire.gntalloc.GrantSharer;
import io.grantwire.gntalloc.emulated.HypervisorClient;
import io.grantwire.xenstore.Reconnection;
import io.grantwire.xenstore.Xenstore;
import io.grantwire.xenstore.Xenstores;
import java.nio.file.Path;

/** A domain of an emulated host; this process is that domain as long as it is open. */
final class EmulatedDomain implements Domain {
    private final HypervisorClient hypervisor;
    private final String description;
    private final Lazy<Xenstore> store;

    private EmulatedDomain(HypervisorClient hypervisor, HostDirectory host, String why) {
        this.hypervisor = hypervisor;
        Path socket = host.xenstoreSocket(hypervisor.domid());
        // The place in the directory is that domain as long as the host is the one that this
        // process has joined; another host may have given it to somebody else.
        this.store =
                new Lazy<>(
                        "xenstore",
                        () ->
                                Xenstores.reconnecting(
                                        Xenstores.Options.socket(socket),
                                        Reconnection.DEFAULT,
                                        hypervisor::usage));
        this.description =
                "domain " + hypervisor.domid() + " of the emulated host in " + host + why;
    }

    /**
     * Claims a domain.
     *
     * @param domid which one, or -1 for any guest that no process is
     * @param why why an emulated host, in parentheses with a blank before, or empty
     * @throws DomainException when there is no host, or the domain is taken
     */
    static EmulatedDomain open(HostDirectory host, int domid, String name, String why) {
        host.refuseForeign();
        HypervisorClient client;
        try {
            client = HypervisorClient.connect(host.hypervisorSocket(), domid, name);
        } catch (NativeException e) {
            if (e.errno() == Errno.numberOf("ENOENT")
                    || e.errno() == Errno.numberOf("ECONNREFUSED")) {
                throw new DomainException(
                        "no emulated host in "
                                + host
                                + why
                                + "; start one with: ./grantwire switch -p 1 --dir "
                                + host
                                + " or ./grantwire demo",
                        e);
            }
            throw new DomainException("emulated host in " + host + ": " + e.getMessage(), e);
        }
        return new EmulatedDomain(client, host, why);
    }

    @Override
    public int domid() {
        return hypervisor.domid();
    }

    @Override
    public boolean emulated() {
        return true;
    }

    @Override
    public String description() {
        return description;
    }

    @Override
    public Xenstore xenstore() {
        return store.get();
    }

    @Override
    public GrantSharer sharer() {
        return hypervisor.sharer();
    }

    @Override
    public GrantMapper mapper() {
        return hypervisor.mapper();
    }

    @Override
    public EventChannel events() {
        return hypervisor.events();
    }

    /** Leaves the domain; its keys stay, as those of a Xen guest whose program ends. */
    @Override
    public void close() {
        hypervisor.close();
        store.close();
    }
}
