package io.grantwire.tools.xenstore;

import io.grantwire.pmd.domain.EmulatedHost;
import io.grantwire.tools.cli.UsageException;
import io.grantwire.xenstore.Xenstore;
import io.grantwire.xenstore.Xenstores;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Which store, and which way to it. */
final class StoreOptions {
    private static final String SOCKET = "xenstored.sock";

    @Option(names = "--socket", paramLabel = "PATH", description = "The store behind this socket.")
    Path socket;

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            description = "The store of the emulated host in this directory.")
    Path dir;

    @Option(
            names = "--domid",
            paramLabel = "N",
            description = "On an emulated host, have this domain's rights (default: 0).")
    Integer domid;

    @Option(names = "--library", description = "Go through libxenstore.")
    boolean library;

    @Option(names = "--wire", description = "Speak the wire protocol, without libxenstore.")
    boolean wire;

    @Option(
            names = {"-s"},
            description = "Taken for compatibility with the Xen tools; no effect.")
    boolean ignored;

    /**
     * Connects. Without an option: the store that {@code XENSTORED_PATH} names, else this Xen
     * domain's, else that of the emulated host in its usual directory.
     */
    Xenstore open() {
        if (library && wire) {
            throw new UsageException("--library and --wire exclude each other");
        }
        if (socket != null && (dir != null || domid != null)) {
            throw new UsageException("--socket goes neither with --dir nor with --domid");
        }
        if (library) {
            if (socket != null || dir != null || domid != null) {
                throw new UsageException(
                        "libxenstore takes the socket from the environment: XENSTORED_PATH="
                                + (socket != null ? socket : emulatedSocket())
                                + " grantwire xenstore … --library");
            }
            return Xenstores.library();
        }
        if (socket != null) {
            return Xenstores.socket(socket);
        }
        if (dir != null || domid != null) {
            return Xenstores.socket(emulatedSocket());
        }
        String named = System.getenv("XENSTORED_PATH");
        if (wire && named != null && !named.isEmpty()) {
            return Xenstores.socket(Path.of(named));
        }
        if ((named == null || named.isEmpty())
                && Xenstores.hostUnavailable().isPresent()
                && Files.exists(emulatedSocket())) {
            return Xenstores.socket(emulatedSocket());
        }
        if (wire && Files.exists(Xenstores.DEVICE)) {
            return Xenstores.device(Xenstores.DEVICE);
        }
        return Xenstores.host();
    }

    private Path emulatedSocket() {
        Path host = dir != null ? dir : EmulatedHost.defaultDir();
        return domid == null || domid == 0
                ? host.resolve(SOCKET)
                : host.resolve("dom" + domid).resolve(SOCKET);
    }
}
