package io.grantwire.gntalloc.emulated;

/**
 * A grant that is mapped at least once: what the hypervisor remembers, so that nothing the granting
 * domain writes into its table meanwhile matters. Xen's "active grant entry".
 */
final class BrokerGrant {
    final BrokerProcess owner;
    final int ref;
    final BrokerExtent extent;
    final int page;

    /** Mappings that only read, and mappings that may write. */
    int readers;

    int writers;

    BrokerGrant(BrokerProcess owner, int ref, BrokerExtent extent, int page) {
        this.owner = owner;
        this.ref = ref;
        this.extent = extent;
        this.page = page;
    }

    boolean idle() {
        return readers + writers == 0;
    }
}
