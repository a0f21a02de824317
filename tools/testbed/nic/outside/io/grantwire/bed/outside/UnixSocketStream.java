package io.grantwire.bed.outside;

import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;

/**
 * A Unix socket that one thread reads while another writes. The streams that {@link java.nio.channels.Channels} makes exclude each
 * other.
 */
final class UnixSocketStream implements Closeable {
    private final SocketChannel channel;
    private final InputStream in;

    private UnixSocketStream(SocketChannel channel) {
        this.channel = channel;
        this.in = new BufferedInputStream(new In(channel), 1 << 16);
    }

    /** Makes a socket to connect to. */
    static ServerSocketChannel listen(Path path) throws IOException {
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(path));
        return server;
    }

    static UnixSocketStream accept(ServerSocketChannel server) throws IOException {
        return new UnixSocketStream(server.accept());
    }

    static UnixSocketStream connect(Path path) throws IOException {
        return new UnixSocketStream(SocketChannel.open(UnixDomainSocketAddress.of(path)));
    }

    InputStream in() {
        return in;
    }

    /** The next line without its end; null when there is no more. */
    String readLine() throws IOException {
        StringBuilder line = new StringBuilder();
        while (true) {
            int c = in.read();
            if (c < 0) {
                return line.isEmpty() ? null : line.toString();
            }
            if (c == '\n') {
                return line.toString().stripTrailing();
            }
            line.append((char) c);
        }
    }

    /** Writes all of it. */
    synchronized void write(byte[] bytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    private static final class In extends InputStream {
        private final SocketChannel channel;

        In(SocketChannel channel) {
            this.channel = channel;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            return channel.read(ByteBuffer.wrap(bytes, offset, length));
        }
    }
}
