/** Xenstore: a client over libxenstore or the wire protocol, and an embedded server. */
module io.grantwire.xenstore {
    requires transitive io.grantwire.bindings;
    requires org.slf4j;

    exports io.grantwire.xenstore;
    exports io.grantwire.xenstore.server;
}
