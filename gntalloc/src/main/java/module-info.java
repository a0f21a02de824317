/**
 * Xen grants and event channels: the real devices, and an emulated hypervisor for machines without
 * Xen.
 */
module io.grantwire.gntalloc {
    requires transitive io.grantwire.bindings;
    requires org.slf4j;

    exports io.grantwire.gntalloc;
    exports io.grantwire.gntalloc.emulated;
}
