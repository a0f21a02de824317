package io.grantwire.xenstore.testing;

import io.grantwire.xenstore.XsMessage;
import io.grantwire.xenstore.XsType;
import io.grantwire.xenstore.XsWire;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A guest's kernel, as far as xenstored is concerned: passes the bytes between a unix socket and
 * the two rings in the page that the guest shares with xenstored, so that a test can be a client in
 * that guest. One client at a time; what a client leaves behind is reset before the next.
 *
 * <p>Layout: {@code struct xenstore_domain_interface} of {@code xen/include/public/io/xs_wire.h}.
 */
final class GuestRing implements AutoCloseable {
    private static final int RING = 1024;
    private static final int REQUESTS = 0;
    private static final int REPLIES = RING;
    private static final long REQUEST_CONSUMER = 2L * RING;
    private static final long REQUEST_PRODUCER = REQUEST_CONSUMER + 4;
    private static final long REPLY_CONSUMER = REQUEST_CONSUMER + 8;
    private static final long REPLY_PRODUCER = REQUEST_CONSUMER + 12;
    private static final int PAGE = 4096;
    private static final int BUFFER = 4 * PAGE;

    private static final VarHandle INDEX = ValueLayout.JAVA_INT.varHandle();

    private static final int RESET_ID = 0x7e5e7;
    private static final long PAUSE_NANOS = TimeUnit.MICROSECONDS.toNanos(300);

    private final MemorySegment page;
    private final FileChannel doorbell;
    private final int port;
    private final ServerSocketChannel listener;
    private final Path socket;
    private final Thread thread;

    /** What came from xenstored and was not passed on yet; only the thread uses it. */
    private final ByteBuffer replies = ByteBuffer.allocate(BUFFER);

    /** What did not fit into the ring yet; only the thread uses it. */
    private ByteBuffer request = ByteBuffer.allocate(0);

    private volatile boolean closed;

    /**
     * @param pageFile the shared page; made here, all zero
     * @param doorbell the shim's FIFO
     * @param port the event channel to ring
     * @param socket where clients connect
     */
    GuestRing(Path pageFile, Path doorbell, int port, Path socket) throws IOException {
        try (FileChannel file =
                FileChannel.open(
                        pageFile,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE)) {
            file.write(ByteBuffer.allocate(PAGE));
            page = file.map(FileChannel.MapMode.READ_WRITE, 0, PAGE, Arena.ofAuto());
        }
        this.doorbell = FileChannel.open(doorbell, StandardOpenOption.WRITE);
        this.port = port;
        this.socket = socket;
        listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        listener.bind(UnixDomainSocketAddress.of(socket));
        thread = Thread.ofPlatform().daemon().name("guest-ring-" + port).start(this::serve);
    }

    private void serve() {
        while (!closed) {
            try (SocketChannel client = listener.accept()) {
                client.configureBlocking(false);
                pass(client);
            } catch (IOException e) {
                // That client is gone, or this ring is.
            }
            try {
                reset();
            } catch (IOException e) {
                return;
            }
        }
    }

    /** Whole messages both ways, so that one client's halves never get into the next one's. */
    private void pass(SocketChannel client) throws IOException {
        ByteBuffer in = ByteBuffer.allocate(BUFFER);
        ByteBuffer reply = ByteBuffer.allocate(0);
        while (!closed) {
            boolean moved = false;
            if (request.hasRemaining()) {
                moved = putRequest(request);
            } else {
                if (client.read(in) < 0) {
                    return;
                }
                request = next(in, request);
            }
            if (reply.hasRemaining()) {
                moved |= client.write(reply) > 0;
            } else {
                moved |= takeReplies();
                reply = next(replies, reply);
            }
            if (!moved && !request.hasRemaining()) {
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        }
    }

    /**
     * The next whole message of a buffer that is being filled, or what was given if it has none.
     */
    private static ByteBuffer next(ByteBuffer filling, ByteBuffer none) {
        XsMessage message = XsWire.decode(filling.flip());
        filling.compact();
        return message == null ? none : ByteBuffer.wrap(XsWire.encode(message));
    }

    /** Ends the client's watches and transactions, and throws away what was still under way. */
    private void reset() throws IOException {
        boolean asked = false;
        while (!closed) {
            // Only now: a request that the client's end has cut off is finished first.
            if (!asked && !request.hasRemaining()) {
                request =
                        ByteBuffer.wrap(
                                XsWire.encode(XsType.RESET_WATCHES, RESET_ID, 0, XsWire.join("")));
                asked = true;
            }
            boolean moved = request.hasRemaining() && putRequest(request);
            moved |= takeReplies();
            XsMessage message = XsWire.decode(replies.flip());
            replies.compact();
            if (message != null && message.reqId() == RESET_ID) {
                return;
            }
            if (!moved && message == null) {
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        }
    }

    private boolean putRequest(ByteBuffer from) throws IOException {
        int consumer = (int) INDEX.getAcquire(page, REQUEST_CONSUMER);
        int producer = page.get(ValueLayout.JAVA_INT, REQUEST_PRODUCER);
        int count = Math.min(from.remaining(), RING - (producer - consumer));
        for (int i = 0; i < count; i++) {
            page.set(ValueLayout.JAVA_BYTE, REQUESTS + ((producer + i) & (RING - 1)), from.get());
        }
        return moved(count, REQUEST_PRODUCER, producer);
    }

    private boolean takeReplies() throws IOException {
        ByteBuffer to = replies;
        int producer = (int) INDEX.getAcquire(page, REPLY_PRODUCER);
        int consumer = page.get(ValueLayout.JAVA_INT, REPLY_CONSUMER);
        int count = Math.min(to.remaining(), producer - consumer);
        for (int i = 0; i < count; i++) {
            to.put(page.get(ValueLayout.JAVA_BYTE, REPLIES + ((consumer + i) & (RING - 1))));
        }
        return moved(count, REPLY_CONSUMER, consumer);
    }

    private boolean moved(int count, long index, int before) throws IOException {
        if (count > 0) {
            INDEX.setRelease(page, index, before + count);
            ring(doorbell, port);
        }
        return count > 0;
    }

    /** Rings an event channel of xenstored's. */
    static void ring(FileChannel doorbell, int port) throws IOException {
        ByteBuffer number = ByteBuffer.allocate(4).order(ByteOrder.nativeOrder());
        doorbell.write(number.putInt(port).flip());
    }

    @Override
    public void close() {
        closed = true;
        try {
            listener.close();
            thread.join();
            doorbell.close();
            java.nio.file.Files.deleteIfExists(socket);
        } catch (IOException e) {
            // It was a temporary file's.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
