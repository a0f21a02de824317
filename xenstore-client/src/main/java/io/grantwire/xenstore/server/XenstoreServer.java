package io.grantwire.xenstore.server;

import io.grantwire.bindings.Errno;
import io.grantwire.xenstore.XenstoreException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A xenstore inside this process, for a host without Xen: the whole protocol over unix sockets, one
 * socket for domain 0 and one for each domain that was introduced, whose clients have that domain's
 * rights and quotas. The tools of Xen work on it: {@code XENSTORED_PATH=<socket> xenstore-ls}.
 *
 * <p>All work is done by one thread named {@code xenstored}, so that requests take effect in one
 * order; the methods here may be called from any thread and wait for it. No client can stop it or
 * hold it up: see {@link Quotas}. Contents are lost when it is closed, unless {@link #snapshot}
 * took them out.
 *
 * <p>Protocol: {@code docs/misc/xenstore.txt} and {@code xen/include/public/io/xs_wire.h} of the
 * Xen tree; where that text is silent, this server answers as xenstored does. The requests
 * GET_FEATURE to SET_QUOTA are not supported (ENOSYS), nor are depths of watches.
 */
public final class XenstoreServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(XenstoreServer.class);

    private static final int SCRATCH_BYTES = 64 * 1024;

    private final ServerOptions options;
    private final EventLoop loop;
    private final Store store;
    private final WatchRegistry watches;
    private final DomainTable domains;
    private final Dispatcher dispatcher;
    private final ByteBuffer scratch = ByteBuffer.allocateDirect(SCRATCH_BYTES);
    private final Map<Integer, Endpoint> endpoints = new HashMap<>();
    private long connectionNumber;

    /** Where the domains' sockets were before {@link #suspend}; null while it serves. Loop only. */
    private Map<Integer, Path> suspended;

    private XenstoreServer(ServerOptions options) throws IOException {
        this.options = options;
        loop = new EventLoop("xenstored", this::closeEndpoints);
        watches = new WatchRegistry(options.quotas());
        store = new Store(options.quotas(), watches);
        domains = new DomainTable(store, watches, new Endpoints());
        dispatcher = new Dispatcher(store, watches, domains);
    }

    /**
     * Starts a store that holds what a fresh xenstored holds.
     *
     * @throws XenstoreException when the socket cannot be made, EADDRINUSE when another server has
     *     it
     */
    public static XenstoreServer start(ServerOptions options) {
        XenstoreServer server;
        try {
            server = new XenstoreServer(options);
        } catch (IOException e) {
            throw new XenstoreException(
                    "start",
                    options.socket().toString(),
                    Errno.numberOf("EMFILE"),
                    "could not make a selector: " + e.getMessage());
        }
        server.loop.start();
        try {
            ServerSocketChannel channel = SocketFile.listen(options.socket());
            server.call(() -> server.open(server.domains.find(0), options.socket(), channel));
        } catch (XenstoreException e) {
            server.close();
            throw e;
        }
        LOG.debug("serving xenstore at {}", options.socket());
        return server;
    }

    /** Domain 0's socket. */
    public Path socket() {
        return options.socket();
    }

    /** A domain's socket, or empty when it was not introduced or has none. */
    public Optional<Path> socket(int domid) {
        return call(() -> Optional.ofNullable(endpoints.get(domid)).map(Endpoint::path));
    }

    /** Whether a domain was introduced and not released since; always so for domain 0. */
    public boolean introduced(int domid) {
        return call(() -> domains.find(domid) != null);
    }

    /**
     * Lets a domain in: opens its socket and fires {@code @introduceDomain}. Its keys are not made
     * here; see {@link DomainSkeleton}.
     *
     * @param domid 1 to 32751
     * @param socket where its clients connect; made with mode 0600 in a directory that exists
     * @throws XenstoreException EEXIST when the domain is there already, EADDRINUSE when the socket
     *     is in use
     */
    public void introduce(int domid, Path socket) {
        if (domid < 1 || domid >= Permissions.FIRST_RESERVED_DOMID) {
            throw new IllegalArgumentException(
                    "a domain to introduce has a number from 1 to "
                            + (Permissions.FIRST_RESERVED_DOMID - 1)
                            + ", not "
                            + domid);
        }
        call(() -> {
            if (domains.find(domid) != null) {
                throw new XenstoreException(
                        "introduce",
                        "domain " + domid,
                        Errno.numberOf("EEXIST"),
                        "it was introduced before: release it first");
            }
            StoreDomain domain = new StoreDomain(domid);
            if (suspended != null) {
                suspended.put(domid, socket);
            } else {
                open(domain, socket, SocketFile.listen(socket));
            }
            domains.introduce(domain);
            return null;
        });
        LOG.debug("introduced domain {} at {}", domid, socket);
    }

    /**
     * Sees a domain off, as when it was destroyed: its connections end, its socket goes, what it
     * owned is removed, its entries in other nodes' permissions are taken out, and {@code
     * @releaseDomain} fires.
     *
     * @throws XenstoreException ENOENT when it was not introduced
     */
    public void release(int domid) {
        if (domid == 0) {
            throw new IllegalArgumentException("domain 0 cannot be released");
        }
        call(() -> {
            try {
                domains.release(domid);
                return null;
            } catch (StoreError e) {
                throw new XenstoreException(
                        "release",
                        "domain " + domid,
                        Errno.numberOf(e.errno().name()),
                        "it was not introduced");
            }
        });
        LOG.debug("released domain {}", domid);
    }

    /**
     * Writes the store's contents, but no watches and no open transactions, to a stream, which
     * stays open.
     */
    public void snapshot(OutputStream to) throws IOException {
        // A tree never changes: only taking hold of it needs the loop.
        StoreImage.write(call(store::tree), to);
    }

    /**
     * Replaces the store's contents by those of a {@link #snapshot}. Meant for a server that was
     * just started: watches are kept but not told, and open transactions end with EAGAIN.
     *
     * @throws IOException when the stream is no snapshot; the store is then as it was
     */
    public void restore(InputStream from) throws IOException {
        byte[] image = from.readAllBytes(); // takes its time outside the loop
        try {
            loop.call(() -> {
                store.restore(
                        StoreImage.read(new ByteArrayInputStream(image), store::nextGeneration));
                return null;
            });
        } catch (RuntimeException | IOException e) {
            throw e;
        } catch (Exception e) {
            throw new IOException(e);
        }
    }

    /**
     * Ends every connection with its watches and open transactions, and removes all sockets: to its
     * clients the store is gone. Its contents and its domains stay, and may change meanwhile. A
     * second call does nothing.
     */
    public void suspend() {
        call(() -> {
            if (suspended == null) {
                suspended = new HashMap<>();
                endpoints.forEach((domid, e) -> suspended.put(domid, e.path()));
                closeEndpoints();
            }
            return null;
        });
        LOG.debug("no longer serving xenstore at {}", options.socket());
    }

    /**
     * Listens again where it did before {@link #suspend}, as a store does that was started anew
     * with its contents. Does nothing while it serves.
     *
     * @throws XenstoreException when a socket cannot be made; it can be tried again
     */
    public void resume() {
        call(() -> {
            while (suspended != null) {
                if (suspended.isEmpty()) {
                    suspended = null;
                    return null;
                }
                int domid = suspended.keySet().iterator().next();
                Path path = suspended.get(domid);
                open(domains.find(domid), path, SocketFile.listen(path));
                suspended.remove(domid);
            }
            return null;
        });
        LOG.debug("serving xenstore at {} again", options.socket());
    }

    /**
     * Ends every connection, removes the sockets and ends the thread; a second call does nothing.
     */
    @Override
    public void close() {
        loop.stop();
    }

    private <T> T call(Callable<T> action) {
        try {
            return loop.call(action);
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new XenstoreException(
                    "serve", options.socket().toString(), Errno.numberOf("EIO"), e.toString());
        }
    }

    private Endpoint open(StoreDomain domain, Path path, ServerSocketChannel channel)
            throws IOException {
        Endpoint endpoint =
                new Endpoint(loop, path, channel, domain, options.quotas(), this::connect);
        endpoints.put(domain.domid(), endpoint);
        return endpoint;
    }

    private Connection connect(SocketChannel channel, StoreDomain domain, Endpoint endpoint)
            throws IOException {
        return new Connection(
                loop,
                channel,
                connectionNumber++,
                domain,
                options.quotas(),
                scratch,
                dispatcher,
                closed -> {
                    closed.session().reset(store, watches);
                    endpoint.forget(closed);
                });
    }

    private void closeEndpoints() {
        endpoints.values().forEach(Endpoint::close);
        endpoints.clear();
    }

    /** What the table of domains has to have done to sockets. */
    private final class Endpoints implements DomainTable.Endpoints {
        @Override
        public void open(StoreDomain domain) throws StoreError {
            if (options.introducedSockets() == null) {
                return;
            }
            Path path = options.introducedSockets().apply(domain.domid());
            try {
                XenstoreServer.this.open(domain, path, SocketFile.listen(path));
            } catch (IOException | XenstoreException e) {
                LOG.warn("cannot introduce domain {}: {}", domain.domid(), e.getMessage());
                throw new StoreError(StoreErrno.EIO);
            }
        }

        @Override
        public void reset(StoreDomain domain) {
            Endpoint endpoint = endpoints.get(domain.domid());
            if (endpoint != null) {
                for (Connection c : endpoint.connections()) {
                    c.session().reset(store, watches);
                    c.reset();
                }
            }
        }

        @Override
        public void close(StoreDomain domain) {
            Endpoint endpoint = endpoints.remove(domain.domid());
            if (endpoint != null) {
                endpoint.close();
            }
            if (suspended != null) {
                suspended.remove(domain.domid());
            }
        }
    }
}
