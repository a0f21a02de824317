package io.grantwire.bed.outside;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * The far end of a card's wire: QEMU's netdev "stream" over a Unix socket, where each frame has its length in four bytes, big endian,
 * before it. What the card sends is kept in order until it is taken.
 */
final class NetPort {
    /** More than any frame: QEMU's own limit is 69632. */
    private static final int MOST = 1 << 17;

    private final String name;
    private final ServerSocketChannel server;
    private final BlockingQueue<byte[]> captured = new LinkedBlockingQueue<>();
    private volatile UnixSocketStream wire;

    NetPort(String name, Path socket) throws IOException {
        this.name = name;
        server = UnixSocketStream.listen(socket);
        Thread.ofPlatform().daemon().name("wire of " + name).start(this::serve);
    }

    String name() {
        return name;
    }

    private void serve() {
        try (UnixSocketStream connected = UnixSocketStream.accept(server)) {
            wire = connected;
            DataInputStream in = new DataInputStream(connected.in());
            while (true) {
                int length = in.readInt();
                if (length < 0 || length > MOST) {
                    throw new IOException("a frame of " + length + " bytes");
                }
                byte[] frame = new byte[length];
                in.readFully(frame);
                captured.add(frame);
            }
        } catch (EOFException end) {
            wire = null;
        } catch (IOException e) {
            wire = null;
            System.err.println("wire of " + name + ": " + e);
        }
    }

    /** Puts a frame on the wire towards the card. */
    void send(byte[] frame) throws IOException {
        UnixSocketStream now = wire;
        if (now == null) {
            throw new IOException("the wire of " + name + " is not connected");
        }
        now.write(ByteBuffer.allocate(Integer.BYTES + frame.length).putInt(frame.length).put(frame).array());
    }

    /** The next frame that the card has sent; null when none comes in time. */
    byte[] take(long millis) throws InterruptedException {
        return captured.poll(millis, TimeUnit.MILLISECONDS);
    }

    /** Throws away what has been captured; returns how many. */
    int drain() {
        int count = 0;
        while (captured.poll() != null) {
            count++;
        }
        return count;
    }
}
