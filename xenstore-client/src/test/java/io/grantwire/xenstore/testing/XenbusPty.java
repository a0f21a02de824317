package io.grantwire.xenstore.testing;

import io.grantwire.bindings.Fd;
import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.gen.libc.LibC;
import io.grantwire.xenstore.Xenstore;
import io.grantwire.xenstore.Xenstores;
import io.grantwire.xenstore.XsMessage;
import io.grantwire.xenstore.XsType;
import io.grantwire.xenstore.XsWire;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * A character device with a store behind it: a pseudo terminal in raw mode, joined to the store's
 * socket. Replies to WATCH and UNWATCH lose their request id on the way, as the kernel's xenbus
 * driver makes them up without one; requests that its buffer could not hold end the connection.
 */
final class XenbusPty {
    // ioctl numbers of asm-generic/ioctls.h.
    private static final long TCGETS = 0x5401;
    private static final long TCSETS = 0x5402;
    private static final long TIOCSPTLCK = 0x40045431;
    private static final long TIOCGPTN = 0x80045430;

    /** Where struct termios keeps c_cc; before it are four words of flags and c_line. */
    private static final int CONTROL_CHARACTERS = 17;

    private static final int VTIME = 5;
    private static final int VMIN = 6;

    private static final Duration POLL = Duration.ofMillis(20);

    private static final Path MULTIPLEXER = Path.of("/dev/ptmx");

    private final Fd master;
    private final SocketChannel store;
    private volatile boolean opened;

    private XenbusPty(Fd master, SocketChannel store) {
        this.master = master;
        this.store = store;
    }

    static Optional<String> unavailable() {
        return Files.isReadable(MULTIPLEXER) && Files.isWritable(MULTIPLEXER)
                ? Optional.empty()
                : Optional.of(MULTIPLEXER + " cannot be opened, so there is no device to try");
    }

    /** A client over a new device that leads to the store behind a socket, until it is closed. */
    static Xenstore open(Path socket) {
        Arena arena = Arena.ofAuto();
        Fd master = Fd.open(MULTIPLEXER.toString(), LibC.O_RDWR());
        MemorySegment number = arena.allocate(ValueLayout.JAVA_INT);
        master.ioctl(TIOCSPTLCK, number);
        master.ioctl(TIOCGPTN, number);
        Path slave = Path.of("/dev/pts/" + number.get(ValueLayout.JAVA_INT, 0));
        makeRaw(master, arena);
        try {
            SocketChannel store = SocketChannel.open(UnixDomainSocketAddress.of(socket));
            XenbusPty bridge = new XenbusPty(master, store);
            Thread.ofPlatform().daemon().name("xenbus-requests").start(bridge::forwardRequests);
            Thread.ofPlatform().daemon().name("xenbus-replies").start(bridge::forwardReplies);
            Xenstore client = Xenstores.device(slave);
            bridge.opened = true;
            return client;
        } catch (IOException e) {
            master.close();
            throw new UncheckedIOException(e);
        }
    }

    private static void makeRaw(Fd terminal, Arena arena) {
        MemorySegment termios = arena.allocate(64, 8);
        terminal.ioctl(TCGETS, termios);
        for (long word : new long[] {0, 4, 12}) {
            termios.set(ValueLayout.JAVA_INT, word, 0);
        }
        termios.set(ValueLayout.JAVA_BYTE, CONTROL_CHARACTERS + VTIME, (byte) 0);
        termios.set(ValueLayout.JAVA_BYTE, CONTROL_CHARACTERS + VMIN, (byte) 1);
        terminal.ioctl(TCSETS, termios);
    }

    private void forwardRequests() {
        MemorySegment buffer = Arena.ofAuto().allocate(8192);
        ByteBuffer in = ByteBuffer.allocate(16384);
        try {
            while (store.isOpen()) {
                if (!master.pollReadable(POLL)) {
                    continue;
                }
                int n;
                try {
                    n = master.read(buffer);
                } catch (NativeException e) {
                    // EIO: nobody has the other side open; at first that only means not yet.
                    if (opened || e.errno() != LibC.EIO()) {
                        return;
                    }
                    Thread.sleep(1);
                    continue;
                }
                in.put(buffer.asSlice(0, n).toArray(ValueLayout.JAVA_BYTE)).flip();
                XsMessage request;
                while ((request = XsWire.decode(in)) != null) {
                    if (XsWire.HEADER_SIZE + request.payload().length > 4096) {
                        return;
                    }
                    writeFully(ByteBuffer.wrap(XsWire.encode(request)));
                }
                in.compact();
            }
        } catch (IOException | InterruptedException e) {
            // The store is gone: the client sees it when the master is closed.
        } finally {
            closeStore();
            // Only here: this thread alone reads from it, and the other one's writes are short.
            master.close();
        }
    }

    private void writeFully(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            store.write(bytes);
        }
    }

    private void forwardReplies() {
        MemorySegment buffer = Arena.ofAuto().allocate(XsWire.HEADER_SIZE + XsWire.PAYLOAD_MAX);
        ByteBuffer in = ByteBuffer.allocate(16384);
        try {
            while (store.read(in) >= 0) {
                in.flip();
                XsMessage reply;
                while ((reply = XsWire.decode(in)) != null) {
                    boolean madeUp = reply.is(XsType.WATCH) || reply.is(XsType.UNWATCH);
                    byte[] bytes =
                            XsWire.encode(
                                    reply.type(),
                                    madeUp ? 0 : reply.reqId(),
                                    madeUp ? 0 : reply.txId(),
                                    reply.payload());
                    MemorySegment.copy(bytes, 0, buffer, ValueLayout.JAVA_BYTE, 0, bytes.length);
                    int sent = 0;
                    while (sent < bytes.length) {
                        sent += master.write(buffer.asSlice(sent, bytes.length - sent));
                    }
                }
                in.compact();
            }
        } catch (IOException | NativeException e) {
            // Either side is gone.
        } finally {
            closeStore();
        }
    }

    private void closeStore() {
        try {
            store.close();
        } catch (IOException e) {
            // Gone in any case.
        }
    }
}
