package io.grantwire.tools.vswitch;

import io.grantwire.pmd.domain.Domains;
import io.grantwire.pmd.domain.EmulatedHost;
import java.nio.file.Path;

/** Where a switch's control socket is: beside the sockets of the host that it serves. */
final class CtlSocket {
    private static final String NAME = "switch.sock";
    private static final Path XEN = Path.of("/run/grantwire");

    private CtlSocket() {}

    /** On real Xen. */
    static Path onXen() {
        return XEN.resolve(NAME);
    }

    /** On the emulated host in a directory. */
    static Path in(Path dir) {
        return dir.resolve(NAME);
    }

    /** Of the host that a command without options means. */
    static Path usual() {
        return Domains.xenUnavailable().isEmpty() ? onXen() : in(EmulatedHost.defaultDir());
    }
}
