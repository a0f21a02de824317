package io.grantwire.xenstore.server;

import io.grantwire.xenstore.XsMessage;
import io.grantwire.xenstore.XsType;
import io.grantwire.xenstore.XsWire;
import java.io.EOFException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;

/** A client that sends any bytes it is told to and takes frames as they come. */
final class RawClient implements AutoCloseable {
    private final SocketChannel channel;
    private final ByteBuffer in = ByteBuffer.allocate(1 << 16).flip();
    private final Deque<String> events = new ArrayDeque<>();
    private int reqId;

    RawClient(Path socket) throws IOException {
        channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        channel.connect(UnixDomainSocketAddress.of(socket));
    }

    void send(byte[] bytes) throws IOException {
        ByteBuffer b = ByteBuffer.wrap(bytes);
        while (b.hasRemaining()) {
            channel.write(b);
        }
    }

    /** Sends as much as the socket takes without waiting; the number of bytes that were taken. */
    int sendWithoutWaiting(byte[] bytes) throws IOException {
        channel.configureBlocking(false);
        try {
            return channel.write(ByteBuffer.wrap(bytes));
        } finally {
            channel.configureBlocking(true);
        }
    }

    /** The next frame; EOFException when the server hung up. */
    XsMessage receive() throws IOException {
        while (true) {
            XsMessage message = XsWire.decode(in);
            if (message != null) {
                return message;
            }
            in.compact();
            int n;
            try {
                n = channel.read(in);
            } catch (IOException e) {
                throw new EOFException(e.toString());
            } finally {
                in.flip();
            }
            if (n < 0) {
                throw new EOFException();
            }
        }
    }

    /** A request and its reply: the payload with a bar for each NUL, after a ! when an error. */
    String ask(int tx, XsType type, byte[] payload) throws IOException {
        int id = ++reqId;
        send(XsWire.encode(type, id, tx, payload));
        while (true) {
            XsMessage m = receive();
            String text = XsWire.text(m.payload()).replace('\0', '|');
            if (m.is(XsType.WATCH_EVENT)) {
                events.add(text);
                continue;
            }
            if (m.reqId() != id || m.txId() != tx) {
                throw new AssertionError("reply " + m + " to request " + id + " in " + tx);
            }
            if (!m.is(XsType.ERROR) && !m.is(type)) {
                throw new AssertionError("reply " + m + " to " + type);
            }
            return (m.is(XsType.ERROR) ? "!" : "") + text;
        }
    }

    String ask(XsType type, String... words) throws IOException {
        return ask(0, type, XsWire.join(words));
    }

    String write(String path, String value) throws IOException {
        return ask(0, XsType.WRITE, XsWire.joinRaw(path, XsWire.bytes(value)));
    }

    /** The next watch event: path, bar, token, bar. */
    String event() throws IOException {
        String waiting = events.poll();
        if (waiting != null) {
            return waiting;
        }
        XsMessage m = receive();
        if (!m.is(XsType.WATCH_EVENT)) {
            throw new AssertionError("not an event: " + m);
        }
        return XsWire.text(m.payload()).replace('\0', '|');
    }

    /** Whether the server has hung up, waiting for it to do so. */
    boolean awaitHangUp() throws IOException {
        try {
            while (true) {
                receive();
            }
        } catch (EOFException e) {
            return true;
        }
    }

    void finishSending() throws IOException {
        channel.shutdownOutput();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
