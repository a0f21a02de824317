package io.grantwire.tools.vswitch;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running switch's control channel: a unix socket that only its own user may open. A connection
 * carries one request, a line, see {@link CtlRequest}; the answer is {@code ok} or {@code error}
 * and why on its first line, then what was asked for, then the end.
 *
 * <p>Threads of its own. Whoever connects and says nothing is cut off, and no more than a few are
 * listened to at once.
 */
final class CtlServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger("CONFIG");
    private static final int MAX_CLIENTS = 8;
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private final Path socket;
    private final ServerSocketChannel server;
    private final Function<CtlRequest, String> handler;
    private final Semaphore clients = new Semaphore(MAX_CLIENTS);

    private CtlServer(
            Path socket, ServerSocketChannel server, Function<CtlRequest, String> handler) {
        this.socket = socket;
        this.server = server;
        this.handler = handler;
    }

    /**
     * Starts to listen. A socket that a dead switch left is replaced.
     *
     * @param handler answers; throws {@link IllegalArgumentException} to refuse, with one line that
     *     says why. Called on several threads
     * @throws IOException when it cannot be had, or another switch listens there
     */
    static CtlServer start(Path socket, Function<CtlRequest, String> handler) throws IOException {
        if (answers(socket)) {
            throw new IOException(socket + ": another switch listens there");
        }
        Files.createDirectories(
                socket.getParent(),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        // Under its final name it never has other permissions than these.
        Path fresh = socket.resolveSibling(".switch." + ProcessHandle.current().pid());
        try {
            Files.deleteIfExists(fresh);
            server.bind(UnixDomainSocketAddress.of(fresh), MAX_CLIENTS);
            Files.setPosixFilePermissions(fresh, PosixFilePermissions.fromString("rw-------"));
            Files.move(fresh, socket, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException | RuntimeException e) {
            server.close();
            Files.deleteIfExists(fresh);
            throw e;
        }
        CtlServer ctl = new CtlServer(socket, server, handler);
        Thread.ofPlatform().name("switch-ctl").daemon().start(ctl::accept);
        return ctl;
    }

    private static boolean answers(Path socket) {
        try (SocketChannel probe = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            return probe.isConnected();
        } catch (IOException e) {
            return false;
        }
    }

    private void accept() {
        while (server.isOpen()) {
            try {
                SocketChannel client = server.accept();
                if (clients.tryAcquire()) {
                    Thread.ofVirtual().name("switch-ctl-client").start(() -> serve(client));
                } else {
                    client.close();
                }
            } catch (IOException e) {
                if (server.isOpen()) {
                    LOG.debug("control channel: {}", e.getMessage());
                }
            }
        }
    }

    private void serve(SocketChannel client) {
        Thread cutOff =
                Thread.ofVirtual()
                        .start(() -> {
                            try {
                                Thread.sleep(PATIENCE);
                                client.close();
                            } catch (InterruptedException | IOException e) {
                                // Answered in time, or closed already.
                            }
                        });
        try (client) {
            String answer = answer(readLine(client));
            Channels.newOutputStream(client).write(answer.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            LOG.debug("control channel: {}", e.getMessage());
        } finally {
            cutOff.interrupt();
            clients.release();
        }
    }

    private static String readLine(SocketChannel client) throws IOException {
        ByteBuffer line = ByteBuffer.allocate(CtlRequest.MAX_LINE);
        while (line.hasRemaining() && client.read(line) >= 0) {
            for (int i = 0; i < line.position(); i++) {
                if (line.get(i) == '\n') {
                    return new String(line.array(), 0, i, StandardCharsets.UTF_8);
                }
            }
        }
        return "";
    }

    private String answer(String line) {
        try {
            return "ok\n" + handler.apply(CtlRequest.parse(line));
        } catch (IllegalArgumentException e) {
            return "error " + e.getMessage() + "\n";
        } catch (RuntimeException e) {
            LOG.error("control channel: a request failed", e);
            return "error the switch failed on it, see its log\n";
        }
    }

    /** Stops listening and removes the socket; nothing is thrown. */
    @Override
    public void close() {
        try {
            server.close();
            Files.deleteIfExists(socket);
        } catch (IOException e) {
            LOG.debug("control channel: {}", e.getMessage());
        }
    }
}
