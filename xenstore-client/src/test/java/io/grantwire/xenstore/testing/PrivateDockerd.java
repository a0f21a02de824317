package io.grantwire.xenstore.testing;

import io.grantwire.bindings.Process;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * A Docker daemon for this test run where none is reachable: without network, its state in a
 * temporary directory. Ends with the Java virtual machine that has started it.
 */
public final class PrivateDockerd {
    private static final Path USUAL_SOCKET = Path.of("/var/run/docker.sock");

    private static final long LATEST_CLEANUP_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    private static volatile PrivateDockerd current;

    private final Path directory;
    private final java.lang.Process process;

    private PrivateDockerd(Path directory, java.lang.Process process) {
        this.directory = directory;
        this.process = process;
    }

    /** Whether Testcontainers will find a daemon by itself. */
    static boolean otherReachable() {
        String host = System.getenv("DOCKER_HOST");
        if (host != null && !host.isEmpty()) {
            return true;
        }
        return accepts(USUAL_SOCKET);
    }

    /** Why a daemon can neither be found nor started; empty if there will be one. */
    static Optional<String> unavailable() {
        if (otherReachable() || current != null) {
            return Optional.empty();
        }
        if (Process.euid() != 0) {
            return Optional.of(
                    "no Docker daemon answers, and starting one needs root; type: sudo systemctl"
                            + " start docker");
        }
        if (Programs.find("dockerd").isEmpty()) {
            return Optional.of("there is no dockerd; install it with: apt-get install docker.io");
        }
        return Optional.empty();
    }

    /** The socket of the running private daemon, or null. */
    static Path socket() {
        PrivateDockerd daemon = current;
        return daemon == null ? null : daemon.directory.resolve("docker.sock");
    }

    /**
     * Sees to it that Testcontainers finds a daemon.
     *
     * @throws IOException when it does not start; the message ends with the daemon's last words
     */
    static synchronized void ensureRunning() throws IOException, InterruptedException {
        if (current == null && !otherReachable()) {
            current = start();
        }
    }

    private static PrivateDockerd start() throws IOException, InterruptedException {
        // Short: the daemon makes sockets below it, whose paths may have 107 bytes at most.
        Path directory = Files.createTempDirectory("gwd");
        Path log = directory.resolve("dockerd.log");
        java.lang.Process process =
                new ProcessBuilder(
                                Programs.find("dockerd").orElseThrow(),
                                "--host=unix://" + directory.resolve("docker.sock"),
                                "--data-root=" + directory.resolve("data"),
                                "--exec-root=" + directory.resolve("exec"),
                                "--pidfile=" + directory.resolve("dockerd.pid"),
                                "--bridge=none",
                                "--iptables=false",
                                "--ip6tables=false")
                        .redirectErrorStream(true)
                        .redirectOutput(log.toFile())
                        .start();
        PrivateDockerd daemon = new PrivateDockerd(directory, process);
        Thread atExit = new Thread(daemon::stopAfterOthers, "stop-dockerd");
        Runtime.getRuntime().addShutdownHook(atExit);
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!accepts(directory.resolve("docker.sock"))) {
            if (!process.isAlive() || System.nanoTime() > end) {
                String words = lastLine(log);
                Runtime.getRuntime().removeShutdownHook(atExit);
                daemon.stop();
                throw new IOException("a private dockerd did not start: " + words);
            }
            Thread.sleep(20);
        }
        return daemon;
    }

    /** Testcontainers cleans up at exit, too, and complains when nobody answers any more. */
    private void stopAfterOthers() {
        long start = System.nanoTime();
        boolean seen = false;
        try {
            while (System.nanoTime() - start < TimeUnit.SECONDS.toNanos(10)) {
                boolean busy = cleanupRunning();
                seen |= busy;
                if (!busy && (seen || System.nanoTime() - start > LATEST_CLEANUP_NANOS)) {
                    break;
                }
                Thread.sleep(10);
            }
        } catch (InterruptedException e) {
            // Then at once.
        }
        stop();
    }

    private static boolean cleanupRunning() {
        return Thread.getAllStackTraces().values().stream()
                .flatMap(Arrays::stream)
                .anyMatch(frame -> frame.getClassName().endsWith(".JVMHookResourceReaper"));
    }

    private void stop() {
        process.destroy();
        try {
            if (!process.waitFor(30, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                process.waitFor(10, TimeUnit.SECONDS);
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
        }
        TestFiles.removeTree(directory);
    }

    private static boolean accepts(Path socket) {
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            return channel.isConnected();
        } catch (IOException e) {
            return false;
        }
    }

    private static String lastLine(Path log) {
        try {
            return Files.readAllLines(log).reversed().stream()
                    .filter(line -> !line.isBlank())
                    .findFirst()
                    .orElse("it said nothing");
        } catch (IOException e) {
            return "its log cannot be read";
        }
    }
}
