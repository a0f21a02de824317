/** PCI devices in sysfs, their drivers and IOMMU groups. */
module io.grantwire.vfio {
    requires transitive io.grantwire.bindings;
    requires org.slf4j;

    exports io.grantwire.vfio;
    exports io.grantwire.vfio.bind;
}
