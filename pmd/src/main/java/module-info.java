/**
 * The poll-mode driver side: buffers, rings, lcores, the Ethernet device API, its drivers, and the
 * Xen domain context.
 */
module io.grantwire.pmd {
    requires transitive io.grantwire.bindings;
    requires transitive io.grantwire.vfio;
    requires transitive io.grantwire.gntalloc;
    requires transitive io.grantwire.xenstore;
    requires org.slf4j;

    exports io.grantwire.pmd.domain;
    exports io.grantwire.pmd.driver.pci;
    exports io.grantwire.pmd.driver.xenvirt;
    exports io.grantwire.pmd.driver.pcap;
    exports io.grantwire.pmd.ethdev;
    exports io.grantwire.pmd.lcore;
    exports io.grantwire.pmd.mbuf;
    exports io.grantwire.pmd.net;
    exports io.grantwire.pmd.ring;
    exports io.grantwire.pmd.virtio;
    exports io.grantwire.pmd.xenvirt;
}
