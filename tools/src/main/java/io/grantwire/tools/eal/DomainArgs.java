package io.grantwire.tools.eal;

import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.domain.DomainOptions;
import io.grantwire.pmd.domain.Domains;
import io.grantwire.tools.cli.UsageException;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The options that say which host, and which domain on it, a program belongs to. */
public final class DomainArgs {
    private static final int MAX_DOMID = 0x7fef;

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

    /** Opens a guest domain: the one named, or any. */
    public Domain openGuest() {
        check();
        return Domains.open(
                new DomainOptions(
                        mode(),
                        dir,
                        domid == null ? DomainOptions.ANY_DOMID : domid,
                        name == null ? "" : name));
    }

    /** Checks that the options go together. */
    public void check() {
        if (xen && (emulated || dir != null)) {
            throw new UsageException("--xen goes neither with --emulated nor with --dir");
        }
        if (domid != null && (domid < 0 || domid > MAX_DOMID)) {
            throw new UsageException("Not a domain id: " + domid);
        }
    }

    /** Which kind of host was asked for. */
    public DomainOptions.Mode mode() {
        if (xen) {
            return DomainOptions.Mode.XEN;
        }
        return emulated || dir != null ? DomainOptions.Mode.EMULATED : DomainOptions.Mode.AUTO;
    }

    /** The directory given, or null. */
    public Path dir() {
        return dir;
    }

    /** The domain id given, or null. */
    public Integer domid() {
        return domid;
    }
}
