package io.grantwire.xenstore.testing;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.testcontainers.images.builder.ImageFromDockerfile;

/**
 * A Docker image with Debian's xenstored and nothing but what it needs, made on this machine: a
 * base from Debian's packages, kept as a tar file for the next run, and on it the hypervisor's
 * shim.
 */
final class XenstoredImage {
    private static final String SUITE = "bookworm";
    private static final String XEN = "4.17";

    /** What xenstored links against; Debian's dependencies bring the rest. */
    private static final String PACKAGES =
            "libxenstore4,libxengnttab1,libxenevtchn1,libxenmisc" + XEN;

    /** xenstored alone out of its package, which depends on much more than it needs. */
    private static final String ADD_XENSTORED =
            "cd \"$1\" && APT_CONFIG=\"$MMDEBSTRAP_APT_CONFIG\" apt-get -qq download xen-utils-"
                    + XEN
                    + " && dpkg -x xen-utils-*.deb . && rm xen-utils-*.deb";

    private XenstoredImage() {}

    /** Why it cannot be made here; empty if it can. */
    static Optional<String> unavailable() {
        if (!Files.exists(baseTar()) && Programs.find("mmdebstrap").isEmpty()) {
            return Optional.of(
                    "there is no mmdebstrap to make an image with; install it with: apt-get"
                            + " install mmdebstrap");
        }
        if (compiler().isEmpty()) {
            return Optional.of(
                    "there is no C compiler for the hypervisor's shim; install it with: apt-get"
                            + " install gcc libc6-dev");
        }
        return Optional.empty();
    }

    /** The image's recipe, its base made if need be. */
    static ImageFromDockerfile prepare(Path scratch) throws IOException, InterruptedException {
        makeBaseTar();
        return new ImageFromDockerfile("grantwire-test/xenstored", false)
                .withFileFromClasspath("Dockerfile", resource("Dockerfile"))
                .withFileFromPath("base.tar", baseTar())
                .withFileFromPath("hypervisor-shim.so", compileShim(scratch));
    }

    private static String resource(String name) {
        return "io/grantwire/xenstore/xenstored/" + name;
    }

    private static Optional<String> compiler() {
        return Programs.find("cc", "gcc", "clang");
    }

    private static Path compileShim(Path scratch) throws IOException, InterruptedException {
        Path source = scratch.resolve("hypervisor-shim.c");
        try (InputStream in =
                XenstoredImage.class
                        .getClassLoader()
                        .getResourceAsStream(resource("hypervisor-shim.c"))) {
            Files.copy(in, source, StandardCopyOption.REPLACE_EXISTING);
        }
        Path library = scratch.resolve("hypervisor-shim.so");
        Programs.run(
                60,
                List.of(
                        compiler().orElseThrow(),
                        "-shared",
                        "-fPIC",
                        "-O2",
                        "-o",
                        library.toString(),
                        source.toString()));
        return library;
    }

    private static Path baseTar() {
        String cache = System.getenv("XDG_CACHE_HOME");
        Path directory =
                cache == null || cache.isEmpty()
                        ? Path.of(System.getProperty("user.home"), ".cache")
                        : Path.of(cache);
        // Another recipe is another file.
        String recipe = Integer.toHexString((PACKAGES + ADD_XENSTORED).hashCode());
        return directory
                .resolve("grantwire")
                .resolve("xenstored-" + SUITE + "-" + XEN + "-" + recipe + ".tar");
    }

    private static void makeBaseTar() throws IOException, InterruptedException {
        Path tar = baseTar();
        if (Files.exists(tar)) {
            return;
        }
        Files.createDirectories(tar.getParent());
        Path unfinished = Files.createTempFile(tar.getParent(), "unfinished", ".tar");
        try {
            try {
                Programs.run(600, mmdebstrap(unfinished, null));
            } catch (IOException e) {
                Path sources = hostSources();
                if (sources == null) {
                    throw e;
                }
                // Debian's own archive is out of reach; the one this machine was installed from
                // may not be.
                Programs.run(600, mmdebstrap(unfinished, sources));
            }
            Files.move(unfinished, tar, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(unfinished);
        }
    }

    private static List<String> mmdebstrap(Path tar, Path sources) {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                Programs.find("mmdebstrap").orElseThrow(),
                                "--quiet",
                                "--variant=extract",
                                "--include=" + PACKAGES,
                                "--extract-hook=" + ADD_XENSTORED,
                                SUITE,
                                tar.toString()));
        if (sources != null) {
            command.add(sources.toString());
        }
        return command;
    }

    private static Path hostSources() {
        for (String name : List.of("sources.list.d/debian.sources", "sources.list")) {
            Path file = Path.of("/etc/apt", name);
            if (Files.isReadable(file)) {
                return file;
            }
        }
        return null;
    }
}
