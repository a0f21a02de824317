/** The switching back end: serves guests' rings and moves frames between them and the uplinks. */
module io.grantwire.vswitch {
    requires transitive io.grantwire.pmd;
    requires org.slf4j;

    exports io.grantwire.vswitch;
    exports io.grantwire.vswitch.count;
    exports io.grantwire.vswitch.ring;
}
