package io.grantwire.tools.eal;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The options that say which host, and which domain on it, a program belongs to. */
public final class DomainArgs {
    @Option(
            names = "--emulated",
            description = "Use an emulated host even where there is a real one.")
    boolean emulated;

    @Option(names = "--xen", description = "Insist on real Xen.")
    boolean xen;

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            description =
                    "The emulated host's directory (default: grantwire below $XDG_RUNTIME_DIR, or"
                            + " /dev/shm/grantwire-<uid>). Implies --emulated.")
    Path dir;

    @Option(
            names = "--domid",
            paramLabel = "N",
            description = "Be this domain of the emulated host (default: any free one).")
    Integer domid;

    @Option(
            names = "--name",
            paramLabel = "NAME",
            description = "The domain's name on the emulated host (default: Domain-<N>).")
    String name;

    /** The directory given, or null. */
    public Path dir() {
        return dir;
    }

    /** The domain id given, or null. */
    public Integer domid() {
        return domid;
    }

    /** Whether an emulated host was asked for. */
    public boolean wantsEmulated() {
        return emulated || dir != null;
    }

    /** Whether real Xen was insisted on. */
    public boolean wantsXen() {
        return xen;
    }
}
