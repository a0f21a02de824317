package io.grantwire.xenstore.server;

import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A domain's listening socket and the connections made through it, which all have that domain's
 * rights. Event loop only.
 */
final class Endpoint implements EventLoop.Handler {
    private static final Logger LOG = LoggerFactory.getLogger(Endpoint.class);

    private static final int ACCEPTED_PER_TURN = 16;
    private static final int PRIVILEGED_CONNECTIONS = 1024;

    /** How long no connection is taken when the process has run out of descriptors. */
    private static final long PAUSE_NANOS = 100_000_000L;

    /** Makes a connection of an accepted channel. */
    interface Connector {
        Connection connect(SocketChannel channel, StoreDomain domain, Endpoint endpoint)
                throws IOException;
    }

    private final EventLoop loop;
    private final Path path;
    private final ServerSocketChannel channel;
    private final StoreDomain domain;
    private final int maxConnections;
    private final Connector connector;
    private final SelectionKey key;
    private final Set<Connection> connections = new LinkedHashSet<>();
    private boolean closed;

    /**
     * @param channel listening and non-blocking; this endpoint owns it and its file from now on
     */
    Endpoint(
            EventLoop loop,
            Path path,
            ServerSocketChannel channel,
            StoreDomain domain,
            Quotas quotas,
            Connector connector)
            throws IOException {
        this.loop = loop;
        this.path = path;
        this.channel = channel;
        this.domain = domain;
        this.connector = connector;
        maxConnections = domain.privileged() ? PRIVILEGED_CONNECTIONS : quotas.connections();
        key = loop.register(channel, SelectionKey.OP_ACCEPT, this);
    }

    Path path() {
        return path;
    }

    List<Connection> connections() {
        return new ArrayList<>(connections);
    }

    void forget(Connection connection) {
        connections.remove(connection);
    }

    @Override
    public void turn() {
        for (int i = 0; i < ACCEPTED_PER_TURN && !closed; i++) {
            try {
                SocketChannel accepted = channel.accept();
                if (accepted == null) {
                    return;
                }
                take(accepted);
            } catch (IOException e) {
                LOG.warn("domain {}: cannot take a connection: {}", domain.domid(), e.toString());
                pause();
                return;
            }
        }
    }

    private void take(SocketChannel accepted) throws IOException {
        if (connections.size() >= maxConnections) {
            if (domain.mayComplain(System.nanoTime())) {
                LOG.warn(
                        "domain {} has {} connections already: more are turned away",
                        domain.domid(),
                        maxConnections);
            }
            accepted.close();
            return;
        }
        try {
            accepted.configureBlocking(false);
            connections.add(connector.connect(accepted, domain, this));
        } catch (IOException e) {
            accepted.close();
            throw e;
        }
    }

    private void pause() {
        if (closed) {
            return;
        }
        key.interestOps(0);
        loop.after(
                PAUSE_NANOS,
                () -> {
                    if (!closed) {
                        key.interestOps(SelectionKey.OP_ACCEPT);
                    }
                });
    }

    @Override
    public void giveUp() {
        pause();
    }

    /** Ends all connections, stops listening and removes the socket's file. */
    void close() {
        if (closed) {
            return;
        }
        closed = true;
        SocketFile.close(channel, path);
        connections().forEach(Connection::close);
    }
}
