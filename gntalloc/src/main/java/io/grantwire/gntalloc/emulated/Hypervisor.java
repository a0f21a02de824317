package io.grantwire.gntalloc.emulated;

import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.UnixSocket;
import io.grantwire.bindings.gen.libc.LibC;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A stand-in for Xen's grants and event channels on a machine without Xen, shared by processes: one
 * process per guest domain, any number for domain 0. Each connects to a unix socket with {@link
 * HypervisorClient}; here everything is checked and remembered.
 *
 * <p>Shared pages live in sealed memory files made here, so no guest can shrink them under a peer.
 * Each domain writes its own grant table, in Xen's version 1 layout; its entries are checked when a
 * peer maps them and marked in use as long as it does. When a process dies, its notify bytes are
 * cleared, its grants ended, its mappings released and its event channels closed; pages that a peer
 * has mapped stay as they are until the peer lets go.
 *
 * <p>What a process writes into its pages, its grant table or the socket can harm neither this
 * hypervisor nor other domains. It is no protection against a process of the same user that sets
 * out to attack descriptors it was given, or simply kills its peers.
 */
public final class Hypervisor implements AutoCloseable {
    private final Path socket;
    private final Broker broker;
    private final Thread thread;
    private final AtomicBoolean closed = new AtomicBoolean();

    private Hypervisor(Path socket, Broker broker) {
        this.socket = socket;
        this.broker = broker;
        this.thread = Thread.ofPlatform().name("hypervisor").daemon().unstarted(broker);
    }

    /**
     * Starts one with {@linkplain HypervisorOptions#defaults() default limits}.
     *
     * @see #start(Path, DomainHooks, HypervisorOptions)
     */
    public static Hypervisor start(Path socket, DomainHooks hooks) {
        return start(socket, hooks, HypervisorOptions.defaults());
    }

    /**
     * Starts one.
     *
     * @param socket where processes connect; its directory exists. A socket that a dead hypervisor
     *     left is replaced. Only this user may connect
     * @param hooks told about guests
     * @throws NativeException EADDRINUSE when another hypervisor answers there
     */
    public static Hypervisor start(Path socket, DomainHooks hooks, HypervisorOptions options) {
        return start(socket, hooks, options, Broker.CLAIM_TIME);
    }

    /** Starts one that closes a connection which claims no domain for so long. */
    static Hypervisor start(
            Path socket, DomainHooks hooks, HypervisorOptions options, Duration claimTime) {
        if (Files.exists(socket)) {
            removeStale(socket);
        }
        UnixSocket listener = UnixSocket.listen(socket, UnixSocket.Type.SEQPACKET, 64);
        Broker broker;
        try {
            Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
            broker = new Broker(listener, hooks, options, claimTime);
        } catch (IOException e) {
            listener.close();
            throw new UncheckedIOException("protecting " + socket + ": " + e.getMessage(), e);
        } catch (RuntimeException e) {
            listener.close();
            throw e;
        }
        Hypervisor hypervisor = new Hypervisor(socket, broker);
        hypervisor.thread.start();
        return hypervisor;
    }

    private static void removeStale(Path socket) {
        try {
            UnixSocket.connect(socket, UnixSocket.Type.SEQPACKET).close();
        } catch (NativeException e) {
            if (e.errno() != LibC.ECONNREFUSED()) {
                throw e;
            }
            try {
                Files.deleteIfExists(socket);
            } catch (IOException io) {
                throw new UncheckedIOException("removing " + socket + ": " + io.getMessage(), io);
            }
            return;
        }
        throw new NativeException(
                "listen(" + socket + ")",
                LibC.EADDRINUSE(),
                "an emulated host runs there; stop it, or choose another directory");
    }

    /** Where processes connect. */
    public Path socket() {
        return socket;
    }

    /** Whether it serves; false after {@link #close}, or if it had to give up. */
    public boolean running() {
        return thread.isAlive();
    }

    /**
     * Disconnects every process, as if each had died, and removes the socket; a second call does
     * nothing. Their memory stays mapped as it is.
     */
    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        boolean interrupted = false;
        broker.stop();
        while (true) {
            try {
                thread.join();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        try {
            Files.deleteIfExists(socket);
        } catch (IOException e) {
            // The next hypervisor there replaces it.
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
