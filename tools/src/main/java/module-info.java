/** The command line: every {@code grantwire} command is a class here. */
module io.grantwire.tools {
    requires io.grantwire.vswitch;
    requires info.picocli;
    requires org.slf4j;
}
