package io.grantwire.xenstore;

import io.grantwire.bindings.Epoll;
import io.grantwire.bindings.EventFd;
import io.grantwire.bindings.Fd;
import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.UnixSocket;
import io.grantwire.bindings.gen.libc.LibC;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;

/**
 * A stream over a descriptor: xenstored's unix socket, or the kernel's xenbus device. A thread that
 * waits for bytes waits for the wake-up as well, so that closing never has to interrupt a read.
 *
 * <p>Native descriptors rather than {@link java.nio.channels.SocketChannel}: an interrupt of any
 * thread that happens to call the store would close such a channel.
 */
final class PolledStream implements XsStream {
    /**
     * The xenbus device gathers a request in a buffer of 4096 bytes, header included ({@code
     * drivers/xen/xenbus/xenbus_dev_frontend.c} of Linux).
     */
    static final int DEVICE_PAYLOAD_MAX = XsWire.PAYLOAD_MAX - XsWire.HEADER_SIZE;

    private static final long DATA = 0;
    private static final Duration FOREVER = Duration.ofSeconds(-1);

    private final Fd fd;
    private final UnixSocket socket;
    private final String description;
    private final EventFd wake;
    private final Epoll epoll;
    private final long[] ready = new long[2];
    // One message; guarded by the caller, who serialises writes. Automatic arena: closing a shared
    // one would stop every polling thread of the process for a moment.
    private final MemorySegment out =
            Arena.ofAuto().allocate(XsWire.HEADER_SIZE + XsWire.PAYLOAD_MAX);
    private volatile boolean woken;

    private PolledStream(Fd fd, UnixSocket socket, String description) {
        this.fd = fd;
        this.socket = socket;
        this.description = description;
        EventFd eventFd = null;
        Epoll set = null;
        try {
            eventFd = EventFd.create();
            set = Epoll.create();
            set.add(fd.value(), LibC.EPOLLIN(), DATA);
            set.add(eventFd.fd().value(), LibC.EPOLLIN(), DATA + 1);
        } catch (NativeException e) {
            if (set != null) {
                set.close();
            }
            if (eventFd != null) {
                eventFd.close();
            }
            closeDescriptor();
            throw e;
        }
        wake = eventFd;
        epoll = set;
    }

    /**
     * Connects to xenstored.
     *
     * @throws NativeException when it cannot be reached
     */
    static PolledStream socket(Path path) {
        UnixSocket socket = UnixSocket.connect(path, UnixSocket.Type.STREAM);
        return new PolledStream(socket.fd(), socket, "unix:" + path);
    }

    /**
     * Opens the kernel's way to the store.
     *
     * @param path {@code /dev/xen/xenbus} in any domain
     * @throws NativeException when it cannot be opened
     */
    static PolledStream device(Path path) {
        Fd fd = Fd.open(path.toString(), LibC.O_RDWR());
        return new PolledStream(fd, null, path.toString());
    }

    @Override
    public String description() {
        return description;
    }

    @Override
    public int payloadMax() {
        return socket == null ? DEVICE_PAYLOAD_MAX : XsWire.PAYLOAD_MAX;
    }

    @Override
    public boolean serial() {
        return socket == null;
    }

    @Override
    public boolean writeFailureIsReply() {
        return socket == null;
    }

    @Override
    public boolean read(ByteBuffer to) {
        while (!woken) {
            int n = epoll.await(ready, ready.length, FOREVER);
            for (int i = 0; i < n; i++) {
                if (ready[i] == DATA && !woken) {
                    int got = fd.read(MemorySegment.ofBuffer(to));
                    if (got == 0) {
                        return false;
                    }
                    if (got > 0) {
                        to.position(to.position() + got);
                        return true;
                    }
                }
            }
        }
        return false;
    }

    @Override
    public void write(byte[] message) {
        MemorySegment.copy(message, 0, out, ValueLayout.JAVA_BYTE, 0, message.length);
        MemorySegment whole = out.asSlice(0, message.length);
        if (socket != null) {
            socket.send(whole);
            return;
        }
        // The device takes a message in any number of pieces and acts on it when it is complete.
        int sent = 0;
        while (sent < message.length) {
            sent += Math.max(0, fd.write(whole.asSlice(sent)));
        }
    }

    @Override
    public void wake() {
        woken = true;
        wake.signal();
        if (socket != null) {
            socket.shutdown();
        }
    }

    @Override
    public void close() {
        epoll.close();
        wake.close();
        closeDescriptor();
    }

    private void closeDescriptor() {
        if (socket != null) {
            socket.close();
        } else {
            fd.close();
        }
    }
}
