package io.grantwire.tools.bench.soak;

import io.grantwire.gntalloc.EventChannel;
import io.grantwire.gntalloc.GrantMapper;
import io.grantwire.gntalloc.GrantShare;
import io.grantwire.gntalloc.GrantSharer;
import io.grantwire.pmd.domain.Domain;
import io.grantwire.xenstore.Xenstore;
import java.util.ArrayList;
import java.util.List;

/** A domain that keeps what is shared through it, for one who will write into that. */
final class RecordingDomain implements Domain {
    private final Domain domain;
    private final List<GrantShare> shares = new ArrayList<>();
    private final GrantSharer sharer = new Sharer();

    /**
     * @param domain stays the caller's: closing this one does nothing
     */
    RecordingDomain(Domain domain) {
        this.domain = domain;
    }

    /** Everything that has been shared. */
    List<GrantShare> shares() {
        return List.copyOf(shares);
    }

    private final class Sharer implements GrantSharer {
        @Override
        public String description() {
            return domain.sharer().description();
        }

        @Override
        public GrantShare share(int domid, int pages, boolean writable) {
            GrantShare share = domain.sharer().share(domid, pages, writable);
            shares.add(share);
            return share;
        }

        @Override
        public int available() {
            return domain.sharer().available();
        }

        @Override
        public void close() {}
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
        return domain.xenstore();
    }

    @Override
    public GrantSharer sharer() {
        return sharer;
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
    public void close() {}
}
