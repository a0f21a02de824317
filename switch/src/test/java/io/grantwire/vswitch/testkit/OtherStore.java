package io.grantwire.vswitch.testkit;

import io.grantwire.gntalloc.EventChannel;
import io.grantwire.gntalloc.GrantMapper;
import io.grantwire.gntalloc.GrantSharer;
import io.grantwire.pmd.domain.Domain;
import io.grantwire.xenstore.Xenstore;

/** A domain that reaches the store in another way. */
public class OtherStore implements Domain {
    private final Domain domain;
    private final Xenstore store;

    /** The store is not closed with the domain. */
    public OtherStore(Domain domain, Xenstore store) {
        this.domain = domain;
        this.store = store;
    }

    @Override
    public int domid() {
        return domain.domid();
    }

    @Override
    public boolean emulated() {
        return domain.emulated();
    }

    @Override
    public String description() {
        return domain.description();
    }

    @Override
    public Xenstore xenstore() {
        return store;
    }

    @Override
    public GrantSharer sharer() {
        return domain.sharer();
    }

    @Override
    public GrantMapper mapper() {
        return domain.mapper();
    }

    @Override
    public EventChannel events() {
        return domain.events();
    }

    @Override
    public void close() {
        domain.close();
    }
}
