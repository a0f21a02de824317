package io.grantwire.vswitch.testkit;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A socket that leads to another one as long as the test lets it: one client's way to a store. */
public final class StoreRelay implements AutoCloseable {
    private final Path at;
    private final Path to;
    private final List<SocketChannel> channels = new CopyOnWriteArrayList<>();
    private ServerSocketChannel listener;

    /** Listens at one path and leads to the other. */
    public StoreRelay(Path at, Path to) {
        this.at = at;
        this.to = to;
        mend();
    }

    /** Lets clients in again. */
    public void mend() {
        try {
            Files.deleteIfExists(at);
            ServerSocketChannel fresh = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
            fresh.bind(UnixDomainSocketAddress.of(at));
            listener = fresh;
            Thread.ofPlatform().daemon().name("store-relay").start(() -> accept(fresh));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private void accept(ServerSocketChannel from) {
        try {
            while (true) {
                SocketChannel client = from.accept();
                SocketChannel server = SocketChannel.open(UnixDomainSocketAddress.of(to));
                channels.add(client);
                channels.add(server);
                Thread.ofPlatform().daemon().start(() -> pump(client, server));
                Thread.ofPlatform().daemon().start(() -> pump(server, client));
            }
        } catch (IOException e) {
            // Cut.
        }
    }

    private static void pump(SocketChannel from, SocketChannel into) {
        ByteBuffer buffer = ByteBuffer.allocate(8192);
        try (from;
                into) {
            while (from.read(buffer) >= 0) {
                buffer.flip();
                while (buffer.hasRemaining()) {
                    into.write(buffer);
                }
                buffer.clear();
            }
        } catch (IOException e) {
            // One of the ends is gone, and the other one now.
        }
    }

    /** Drops everybody and lets nobody in. */
    public void cut() {
        try {
            listener.close();
            for (SocketChannel channel : channels) {
                channel.close();
            }
            channels.clear();
            Files.deleteIfExists(at);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        cut();
    }
}
