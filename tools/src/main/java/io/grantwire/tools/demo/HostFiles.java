package io.grantwire.tools.demo;

import io.grantwire.tools.cli.CommandFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * The directory of the demo's emulated host. The switch's process makes and removes what is in it;
 * this is for the case that it was killed before it could.
 */
final class HostFiles {
    private final Path dir;
    private final boolean existed;

    /** Whether what is in the directory is ours and not another host's. */
    private boolean ours;

    private HostFiles(Path dir, boolean existed, boolean ours) {
        this.dir = dir;
        this.existed = existed;
        this.ours = ours;
    }

    /** The directory given, or a fresh name for one, which is not made yet. */
    static HostFiles choose(Path given) {
        if (given != null) {
            Path dir = given.toAbsolutePath().normalize();
            return new HostFiles(dir, Files.exists(dir), false);
        }
        String runtime = System.getenv("XDG_RUNTIME_DIR");
        Path base =
                runtime != null && Files.isWritable(Path.of(runtime))
                        ? Path.of(runtime)
                        : Files.isWritable(Path.of("/dev/shm"))
                                ? Path.of("/dev/shm")
                                : Path.of(System.getProperty("java.io.tmpdir"));
        return new HostFiles(
                base.resolve("grantwire-demo-" + ProcessHandle.current().pid()), false, true);
    }

    Path dir() {
        return dir;
    }

    /** Our host got the directory, so that nobody else's can be there. */
    void hostStarted() {
        ours = true;
    }

    /** Removes what a host that was killed has left; what it removed itself is no matter. */
    void removeLeftovers() {
        if (!ours) {
            return;
        }
        try {
            delete("hypervisor.sock");
            delete("xenstored.sock");
            delete("switch.sock");
            delete("host.pid");
            delete("host.lock");
            if (Files.isDirectory(dir)) {
                try (Stream<Path> domains = Files.list(dir)) {
                    for (Path domain : domains.toList()) {
                        if (domain.getFileName().toString().matches("dom[0-9]+")) {
                            Files.deleteIfExists(domain.resolve("xenstored.sock"));
                            Files.deleteIfExists(domain);
                        }
                    }
                }
            }
            if (!existed) {
                Files.deleteIfExists(dir);
            }
        } catch (IOException e) {
            throw new CommandFailure("could not remove " + dir + ": " + e.getMessage(), e);
        }
    }

    private void delete(String name) throws IOException {
        Files.deleteIfExists(dir.resolve(name));
    }
}
