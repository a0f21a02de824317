/** The command line: every {@code grantwire} command is a class here. */
module io.grantwire.tools {
    requires io.grantwire.vswitch;
    requires info.picocli;
    requires org.slf4j;
    requires java.logging;
    // What threads allocate and the JVM's options, for bench.
    requires java.management;
    requires jdk.management;
    // Signals, reflectively.
    requires jdk.unsupported;
    // Only for --json.
    requires com.google.gson;
    // Only where a person types.
    requires org.jline.reader;
    requires org.jline.terminal;
    requires HdrHistogram;

    // Commands are annotated fields.
    opens io.grantwire.tools.bench to
            info.picocli;
    opens io.grantwire.tools.bench.dpdk to
            info.picocli;
    opens io.grantwire.tools.bench.micro to
            info.picocli;
    opens io.grantwire.tools.bench.peer to
            info.picocli;
    opens io.grantwire.tools.bench.soak to
            info.picocli;
    opens io.grantwire.tools.demo to
            info.picocli;
    opens io.grantwire.tools.vswitch to
            info.picocli;
    opens io.grantwire.tools.doctor to
            info.picocli;
    opens io.grantwire.tools.eal to
            info.picocli;
    opens io.grantwire.tools.host to
            info.picocli;
    opens io.grantwire.tools.nicbind to
            info.picocli;
    opens io.grantwire.tools.testbed to
            info.picocli;
    opens io.grantwire.tools.testpmd to
            info.picocli;
    opens io.grantwire.tools.xenstore to
            info.picocli;
}
