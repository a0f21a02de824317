package io.grantwire.xenstore.testing;

import io.grantwire.xenstore.XsType;
import io.grantwire.xenstore.XsWire;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.testcontainers.containers.BindMode;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.AbstractWaitStrategy;

/** Debian's unmodified xenstored in a container without network. */
public final class Xenstored implements StoreUnderTest {
    /** The port with which the shim tells xenstored that a domain has died. */
    private static final int DOMAIN_DIED = 4095;

    private static final Duration START = Duration.ofSeconds(60);

    private final Path directory;
    private final GenericContainer<?> container;
    private final Map<Integer, GuestRing> guests = new HashMap<>();
    private boolean closed;

    private Xenstored(Path directory, GenericContainer<?> container) {
        this.directory = directory;
        this.container = container;
    }

    /** Why it cannot be run on this machine; empty if it can. */
    public static Optional<String> unavailable() {
        return PrivateDockerd.unavailable().or(XenstoredImage::unavailable);
    }

    /**
     * Starts it, and a Docker daemon before it if none is reachable.
     *
     * @throws IOException when this machine cannot do what it takes; anything else that goes wrong
     *     is a mistake of the test's
     */
    public static Xenstored start() throws IOException, InterruptedException {
        Path directory = Files.createTempDirectory("gwx");
        try {
            PrivateDockerd.ensureRunning();
            Xenstored started = new Xenstored(directory, container(directory));
            started.container.start();
            return started;
        } catch (IOException | InterruptedException | RuntimeException e) {
            TestFiles.removeTree(directory);
            throw e;
        }
    }

    private static GenericContainer<?> container(Path directory)
            throws IOException, InterruptedException {
        Path socket = directory.resolve("socket");
        // With this user's id, so that the socket is this user's.
        int uid = (int) Files.getAttribute(directory, "unix:uid");
        GenericContainer<?> container = new GenericContainer<>(XenstoredImage.prepare(directory));
        container
                .withNetworkMode("none")
                .withFileSystemBind(directory.toString(), "/store", BindMode.READ_WRITE)
                .withCreateContainerCmdModifier(c -> c.withUser(Integer.toString(uid)))
                .waitingFor(
                        new AbstractWaitStrategy() {
                            @Override
                            protected void waitUntilReady() {
                                awaitSocket(socket);
                            }
                        });
        return container;
    }

    private static void awaitSocket(Path socket) {
        long end = System.nanoTime() + START.toNanos();
        while (System.nanoTime() < end) {
            try (SocketChannel _ = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
                return;
            } catch (IOException e) {
                try {
                    TimeUnit.MILLISECONDS.sleep(20);
                } catch (InterruptedException interrupted) {
                    Thread.currentThread().interrupt();
                    break;
                }
            }
        }
        throw new IllegalStateException("xenstored made no socket in " + socket.getParent());
    }

    @Override
    public Path socket() {
        return directory.resolve("socket");
    }

    /** Ends the process and starts it again, at the same socket; it keeps no contents. */
    public void restart() {
        container
                .getDockerClient()
                .restartContainerCmd(container.getContainerId())
                .withTimeout(1)
                .exec();
        awaitSocket(socket());
    }

    @Override
    public Path introduce(int domid) {
        Path socket = directory.resolve("dom" + domid);
        guests.computeIfAbsent(
                domid,
                id -> {
                    try {
                        GuestRing ring =
                                new GuestRing(
                                        page(id), directory.resolve("doorbell"), 100 + id, socket);
                        request(XsType.INTRODUCE, "" + id, "0", "" + (100 + id));
                        return ring;
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                });
        return socket;
    }

    @Override
    public void destroy(int domid) {
        try (FileChannel doorbell =
                FileChannel.open(directory.resolve("doorbell"), StandardOpenOption.WRITE)) {
            Files.delete(page(domid));
            GuestRing.ring(doorbell, DOMAIN_DIED);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        guests.remove(domid).close();
    }

    private Path page(int domid) {
        return directory.resolve("domain-" + domid + ".page");
    }

    /** One request that the client under test has no method for. */
    private void request(XsType type, String... arguments) throws IOException {
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket()))) {
            channel.write(ByteBuffer.wrap(XsWire.encode(type, 1, 0, XsWire.join(arguments))));
            ByteBuffer in = ByteBuffer.allocate(XsWire.HEADER_SIZE + XsWire.PAYLOAD_MAX);
            while (channel.read(in) >= 0) {
                var reply = XsWire.decode(in.duplicate().flip());
                if (reply != null) {
                    if (!reply.is(type)) {
                        throw new IOException(type + ": " + XsWire.text(reply.payload()));
                    }
                    return;
                }
            }
            throw new IOException(type + ": xenstored closed the connection");
        }
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        guests.values().forEach(GuestRing::close);
        container.stop();
        TestFiles.removeTree(directory);
    }
}
