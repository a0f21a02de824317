package io.grantwire.pmd.domain;

import io.grantwire.gntalloc.EventChannel;
import io.grantwire.gntalloc.GrantMapper;
import io.grantwire.gntalloc.GrantSharer;
import io.grantwire.xenstore.Xenstore;

/**
 * This process's place on a Xen host: its domain id and its way to the store, to grants and to
 * event channels. Open one with {@link Domains#open}.
 *
 * <p>Each part is opened when first asked for, so that a guest needs no right to map and a back end
 * none to share. Thread-safe.
 */
public interface Domain extends AutoCloseable {
    /** This domain's id; 0 is the control domain. */
    int domid();

    /** Whether the host is emulated. */
    boolean emulated();

    /** Which host this is and why it was chosen, one line for people. */
    String description();

    /**
     * The store, with this domain's rights. A connection that is lost comes back by itself: {@link
     * io.grantwire.xenstore.Xenstores#reconnecting}.
     */
    Xenstore xenstore();

    /** The granting side. */
    GrantSharer sharer();

    /** The mapping side. */
    GrantMapper mapper();

    /** Event channels. */
    EventChannel events();

    /** Closes every part that was opened, in the reverse order; a second call does nothing. */
    @Override
    void close();
}
