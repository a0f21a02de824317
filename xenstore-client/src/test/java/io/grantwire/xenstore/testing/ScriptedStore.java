package io.grantwire.xenstore.testing;

import io.grantwire.xenstore.XsMessage;
import io.grantwire.xenstore.XsType;
import io.grantwire.xenstore.XsWire;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A store that answers as a test tells it to, however wrong that is. */
public final class ScriptedStore implements StoreUnderTest {
    /** One connection's answers. */
    public interface Script {
        /** Called with each request, in order; writes to the client what it likes, or nothing. */
        void answer(XsMessage request, Client client) throws IOException;
    }

    /** The client's end, for scripts. */
    public static final class Client {
        private final SocketChannel channel;

        private Client(SocketChannel channel) {
            this.channel = channel;
        }

        public void send(byte[] bytes) throws IOException {
            ByteBuffer out = ByteBuffer.wrap(bytes);
            while (out.hasRemaining()) {
                channel.write(out);
            }
        }

        /** A reply of the request's own type. */
        public void reply(XsMessage to, byte[] payload) throws IOException {
            send(XsWire.encode(to.type(), to.reqId(), to.txId(), payload));
        }

        public void ok(XsMessage to) throws IOException {
            reply(to, XsWire.join("OK"));
        }

        public void error(XsMessage to, String name) throws IOException {
            send(XsWire.encode(XsType.ERROR, to.reqId(), to.txId(), XsWire.join(name)));
        }

        public void event(String... strings) throws IOException {
            send(XsWire.encode(XsType.WATCH_EVENT, 0, 0, XsWire.join(strings)));
        }

        public void hangUp() throws IOException {
            channel.close();
        }
    }

    /** Takes requests and says nothing. */
    public static final Script SILENCE = (_, _) -> {};

    private final Path directory;
    private final ServerSocketChannel listener;
    private final Script script;
    private final List<SocketChannel> clients = new CopyOnWriteArrayList<>();
    private final List<XsMessage> requests = new CopyOnWriteArrayList<>();

    public ScriptedStore(Script script) {
        this.script = script;
        try {
            directory = Files.createTempDirectory("gws");
            listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
            listener.bind(UnixDomainSocketAddress.of(socket()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Thread.ofPlatform().daemon().name("scripted-store").start(this::accept);
    }

    private void accept() {
        try {
            while (true) {
                SocketChannel channel = listener.accept();
                clients.add(channel);
                Thread.ofPlatform().daemon().name("scripted-client").start(() -> serve(channel));
            }
        } catch (IOException e) {
            // Closed: the test is over.
        }
    }

    private void serve(SocketChannel channel) {
        Client client = new Client(channel);
        ByteBuffer in = ByteBuffer.allocate(16384);
        try (channel) {
            while (channel.read(in) >= 0) {
                in.flip();
                XsMessage request;
                while ((request = XsWire.decode(in)) != null) {
                    requests.add(request);
                    script.answer(request, client);
                }
                in.compact();
            }
        } catch (IOException e) {
            // The client, or the test, has had enough.
        }
    }

    /** What has been asked so far. */
    public List<XsMessage> requests() {
        return requests;
    }

    @Override
    public Path socket() {
        return directory.resolve("socket");
    }

    @Override
    public Path introduce(int domid) {
        throw new IllegalStateException("a scripted store knows no guests");
    }

    @Override
    public void destroy(int domid) {
        throw new IllegalStateException("a scripted store knows no guests");
    }

    @Override
    public void close() {
        try {
            listener.close();
            for (SocketChannel client : clients) {
                client.close();
            }
        } catch (IOException e) {
            // Gone in any case.
        }
        TestFiles.removeTree(directory);
    }
}
