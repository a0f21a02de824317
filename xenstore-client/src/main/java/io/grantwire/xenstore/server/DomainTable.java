package io.grantwire.xenstore.server;

import io.grantwire.xenstore.XenstorePath;
import java.util.HashMap;
import java.util.Map;

/**
 * The domains that the store talks to. A domain's number may appear in permissions at any time; the
 * domain itself can speak, and is told of by IS_DOMAIN_INTRODUCED, from its introduction until it
 * is released. Domain 0 is always there. Event loop only.
 */
final class DomainTable {
    /** What has to happen outside the store when domains come and go. */
    interface Endpoints {
        /** A domain is being introduced over the wire: make what it connects to. */
        void open(StoreDomain domain) throws StoreError;

        /** Ends what the domain's connections have under way: its watches and transactions. */
        void reset(StoreDomain domain);

        /** Ends the domain's connections. */
        void close(StoreDomain domain);
    }

    private final Map<Integer, StoreDomain> introduced = new HashMap<>();
    private final Store store;
    private final WatchRegistry watches;
    private final Endpoints endpoints;

    DomainTable(Store store, WatchRegistry watches, Endpoints endpoints) {
        this.store = store;
        this.watches = watches;
        this.endpoints = endpoints;
        introduced.put(0, new StoreDomain(0));
    }

    /** The domain, or null when it was not introduced. */
    StoreDomain find(int domid) {
        return introduced.get(domid);
    }

    /** A domain that may be released, targeted and so on. */
    StoreDomain require(int domid) throws StoreError {
        StoreDomain domain = introduced.get(domid);
        if (domain == null) {
            throw new StoreError(StoreErrno.ENOENT);
        }
        return domain;
    }

    /** Lets a domain in whose endpoint is ready, and tells the watchers. */
    void introduce(StoreDomain domain) {
        introduced.put(domain.domid(), domain);
        fire(XenstorePath.INTRODUCE_DOMAIN);
    }

    /** INTRODUCE: a known domain starts again with what it had under way forgotten. */
    void introduceOverWire(int domid) throws StoreError {
        if (domid == 0 || domid >= Permissions.FIRST_RESERVED_DOMID) {
            throw new StoreError(StoreErrno.EINVAL);
        }
        StoreDomain known = introduced.get(domid);
        if (known != null) {
            endpoints.reset(known);
            return;
        }
        StoreDomain domain = new StoreDomain(domid);
        endpoints.open(domain);
        introduce(domain);
    }

    /** RELEASE: ends the domain's connections, purges what it owned and tells the watchers. */
    void release(int domid) throws StoreError {
        if (domid == 0) {
            throw new StoreError(StoreErrno.EINVAL);
        }
        StoreDomain domain = require(domid);
        endpoints.close(domain);
        introduced.remove(domid);
        introduced.values().stream().filter(d -> d.target() == domid).forEach(d -> d.setTarget(-1));
        store.purge(domid);
        fire(XenstorePath.RELEASE_DOMAIN);
    }

    private void fire(String special) {
        watches.changed(
                Store.change(special, true, null, store.tree().find(special), store.tree()));
    }
}
