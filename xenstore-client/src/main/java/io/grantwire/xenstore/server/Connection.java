package io.grantwire.xenstore.server;

import io.grantwire.xenstore.XenstorePath;
import io.grantwire.xenstore.XsMessage;
import io.grantwire.xenstore.XsProtocolException;
import io.grantwire.xenstore.XsType;
import io.grantwire.xenstore.XsWire;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One client's socket: takes frames off it, has them handled, sends what they and the watches
 * produce. A client that sends nonsense is disconnected; one that does not read its replies is not
 * read from; one that floods gets {@value #FRAMES_PER_TURN} requests per turn like all others.
 * Event loop only.
 */
final class Connection implements EventLoop.Handler, Session.Output {
    private static final Logger LOG = LoggerFactory.getLogger(Connection.class);

    private static final int FRAMES_PER_TURN = 32;
    private static final int IN_BYTES = 2 * (XsWire.HEADER_SIZE + XsWire.PAYLOAD_MAX);

    /** Limits for domain 0, which quotas do not bind: only memory has to stay bounded. */
    private static final int PRIVILEGED_REPLIES = 1024;

    private static final int PRIVILEGED_EVENTS = 65536;

    private final EventLoop loop;
    private final SocketChannel channel;
    private final SelectionKey key;
    private final ByteBuffer scratch;
    private final Dispatcher dispatcher;
    private final Consumer<Connection> onClosed;
    private final Session session;
    private final Outbox outbox;
    private final ByteBuffer in = ByteBuffer.allocate(IN_BYTES);
    private boolean ended;
    private boolean lost;
    private boolean waitsForCredit;
    private boolean closed;

    /**
     * @param channel accepted and non-blocking; this connection owns it from now on
     * @param scratch shared by all connections of the loop
     * @param onClosed is told once, after everything else was undone
     */
    Connection(
            EventLoop loop,
            SocketChannel channel,
            long number,
            StoreDomain domain,
            Quotas quotas,
            ByteBuffer scratch,
            Dispatcher dispatcher,
            Consumer<Connection> onClosed)
            throws IOException {
        this.loop = loop;
        this.channel = channel;
        this.scratch = scratch;
        this.dispatcher = dispatcher;
        this.onClosed = onClosed;
        session = new Session(number, domain, this);
        outbox =
                domain.privileged()
                        ? new Outbox(PRIVILEGED_REPLIES, PRIVILEGED_EVENTS)
                        : new Outbox(quotas.outstanding(), quotas.events());
        key = loop.register(channel, SelectionKey.OP_READ, this);
        domain.connectionOpened();
    }

    Session session() {
        return session;
    }

    @Override
    public void reply(XsType type, int reqId, int txId, byte[] payload) {
        outbox.reply(type.code(), reqId, txId, payload);
    }

    @Override
    public void event(String path, String token) {
        if (closed || path.length() + token.length() + 2 > XsWire.PAYLOAD_MAX) {
            return;
        }
        switch (outbox.event(XsWire.join(path, token), XenstorePath.isSpecial(path))) {
            case QUEUED -> loop.wantTurn(this);
            case ALREADY_WAITING -> {
                // The client will see the change when it gets to that event.
            }
            case REFUSED -> refused();
        }
    }

    private void refused() {
        if (session.domain().privileged()) {
            // Leaving events out would mislead a toolstack; a lost connection it notices.
            LOG.warn("a client of domain 0 does not read its watch events: disconnected");
            lost = true;
            loop.wantTurn(this);
        } else {
            complain("it does not read its watch events: some are dropped");
        }
    }

    private void complain(String what) {
        if (session.domain().mayComplain(System.nanoTime())) {
            LOG.warn("domain {}: {}", session.domain().domid(), what);
        }
    }

    /** Forgets everything under way, as after a new INTRODUCE. */
    void reset() {
        outbox.reset();
    }

    @Override
    public void turn() {
        if (closed) {
            return;
        }
        try {
            if (lost) {
                close();
                return;
            }
            if (!ended && key.isReadable()) {
                ended = channel.read(in) < 0;
            }
            boolean more = handleFrames();
            flush();
            if (closed) {
                return; // a request of this client released its own domain
            }
            if (ended && !more && outbox.isEmpty()) {
                close();
                return;
            }
            if (more && !outbox.full() && !waitsForCredit) {
                loop.wantTurn(this);
            }
            key.interestOps(
                    (ended || more || outbox.full() || !in.hasRemaining()
                                    ? 0
                                    : SelectionKey.OP_READ)
                            | (outbox.isEmpty() ? 0 : SelectionKey.OP_WRITE));
        } catch (XsProtocolException e) {
            complain(e.getMessage() + ": disconnected");
            lastReplies();
            close();
        } catch (IOException e) {
            LOG.debug("domain {}: connection lost: {}", session.domain().domid(), e.toString());
            close();
        }
    }

    /**
     * Handles what has arrived, as far as this turn goes.
     *
     * @return whether whole frames are left
     */
    private boolean handleFrames() throws IOException {
        in.flip();
        try {
            for (int i = 0; !closed; i++) {
                int at = in.position();
                XsMessage message = XsWire.decode(in);
                if (message == null) {
                    return false;
                }
                if (i >= FRAMES_PER_TURN || !mayHandle()) {
                    in.position(at);
                    return true;
                }
                dispatcher.handle(session, message);
            }
            return false;
        } finally {
            in.compact();
        }
    }

    private boolean mayHandle() throws IOException {
        if (outbox.full()) {
            flush();
            if (outbox.full()) {
                return false;
            }
        }
        StoreDomain domain = session.domain();
        long wait = domain.privileged() ? 0 : domain.credit().nanosToWait(System.nanoTime());
        if (wait > 0) {
            if (!waitsForCredit) {
                waitsForCredit = true;
                loop.after(
                        wait,
                        () -> {
                            waitsForCredit = false;
                            loop.wantTurn(this);
                        });
            }
            return false;
        }
        return true;
    }

    private void flush() throws IOException {
        while (!closed && !outbox.isEmpty()) {
            scratch.clear();
            outbox.fill(scratch);
            scratch.flip();
            int offered = scratch.remaining();
            int sent = channel.write(scratch);
            outbox.sent(sent);
            if (sent < offered) {
                return;
            }
        }
    }

    /** What was asked before the nonsense still gets its answer, if it can be sent at once. */
    private void lastReplies() {
        try {
            flush();
        } catch (IOException e) {
            LOG.debug("domain {}: connection lost: {}", session.domain().domid(), e.toString());
        }
    }

    @Override
    public void giveUp() {
        close();
    }

    void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            channel.close();
        } catch (IOException e) {
            LOG.debug("closing a connection: {}", e.toString());
        }
        session.domain().connectionClosed();
        onClosed.accept(this);
    }
}
