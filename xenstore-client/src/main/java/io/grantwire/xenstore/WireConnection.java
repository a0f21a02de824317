package io.grantwire.xenstore;

import io.grantwire.bindings.Errno;
import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.gen.libc.LibC;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * A connection that speaks the wire protocol itself.
 *
 * <p>Callers send from their own threads, each message under a lock, and wait; one reader thread
 * hands replies to whoever waits for that request id, and watch events to the listener. On a {@link
 * XsStream#serial} stream the lock is kept until the reply is there, and whatever comes is the
 * reply to the only request.
 *
 * <p>The reader thread never waits for anything but the stream, so replies and events keep flowing
 * whatever the callers do. When it ends, for whatever reason, every waiting caller is told why.
 */
final class WireConnection implements XsConnection {
    /** Longest complete list of children that is put together from parts. */
    private static final int DIRECTORY_MAX = 2 << 20;

    /** How often a list is begun again because it changed between two parts. */
    private static final int DIRECTORY_ATTEMPTS = 50;

    private static final int RECEIVE_BUFFER = 16 << 10;

    /** A request that was sent, or is about to be. */
    private static final class Pending {
        final XsType type;
        final CountDownLatch done = new CountDownLatch(1);
        // Written before done is counted down, read after it was.
        XsMessage reply;
        XsFailure failure;

        Pending(XsType type) {
            this.type = type;
        }

        synchronized void complete(XsMessage message) {
            if (failure == null) {
                reply = message;
                done.countDown();
            }
        }

        synchronized void fail(XsFailure why) {
            if (reply == null) {
                failure = why;
                done.countDown();
            }
        }
    }

    private final XsStream stream;
    private final Duration timeout;
    private final ReentrantLock sending = new ReentrantLock();
    private final Map<Integer, Pending> pending = new ConcurrentHashMap<>();
    private final AtomicInteger requestIds = new AtomicInteger();
    private final AtomicBoolean closed = new AtomicBoolean();
    // Set once; the first reason is the one that counts.
    private volatile XsFailure over;
    private volatile Listener listener;
    private Thread reader;

    /**
     * @param stream owned by the connection from now on
     * @param timeout how long a reply may take before the connection is given up
     */
    WireConnection(XsStream stream, Duration timeout) {
        this.stream = stream;
        this.timeout = timeout;
    }

    @Override
    public void start(Listener eventListener) {
        listener = eventListener;
        reader =
                Thread.ofPlatform()
                        .daemon()
                        .name("xenstore-reader " + stream.description())
                        .unstarted(this::readUntilOver);
        reader.start();
    }

    @Override
    public String description() {
        return stream.description();
    }

    @Override
    public int payloadMax() {
        return stream.payloadMax();
    }

    // Operations

    @Override
    public byte[] read(int tx, String path) {
        return request(XsType.READ, tx, XsWire.join(path));
    }

    @Override
    public void write(int tx, String path, byte[] value) {
        request(XsType.WRITE, tx, XsWire.joinRaw(path, value));
    }

    @Override
    public void mkdir(int tx, String path) {
        request(XsType.MKDIR, tx, XsWire.join(path));
    }

    @Override
    public void rm(int tx, String path) {
        request(XsType.RM, tx, XsWire.join(path));
    }

    @Override
    public List<String> directory(int tx, String path) {
        byte[] names;
        try {
            names = request(XsType.DIRECTORY, tx, XsWire.join(path));
        } catch (XsFailure e) {
            if (e.errno() != LibC.E2BIG()) {
                throw e;
            }
            names = directoryInParts(tx, path);
        }
        byte[] all = names;
        return parse(() -> XsWire.split(all));
    }

    /**
     * A list longer than one message: parts from growing offsets, each with the directory's
     * generation in front; another generation means that the list has changed and is begun again.
     * An empty name ends it.
     */
    private byte[] directoryInParts(int tx, String path) {
        ByteArrayOutputStream names = new ByteArrayOutputStream();
        String generation = null;
        int attempts = 0;
        while (true) {
            byte[] part;
            try {
                part =
                        request(
                                XsType.DIRECTORY_PART,
                                tx,
                                XsWire.join(path, Integer.toString(names.size())));
            } catch (XsFailure e) {
                // A store that does not know the request: what it said at first holds.
                throw e.errno() == LibC.ENOSYS() ? XsFailure.refused(LibC.E2BIG(), null) : e;
            }
            String partGeneration = parse(() -> XsWire.first(part));
            if (generation != null && !generation.equals(partGeneration)) {
                if (++attempts >= DIRECTORY_ATTEMPTS) {
                    throw XsFailure.refused(
                            LibC.EAGAIN(), "the list kept changing while it was being read");
                }
                names.reset();
                generation = null;
                continue;
            }
            generation = partGeneration;
            byte[] chunk = XsWire.afterFirst(part);
            if (chunk.length == 0 || names.size() + chunk.length > DIRECTORY_MAX) {
                throw malformed(
                        chunk.length == 0
                                ? "a part of a directory is empty"
                                : "a directory is over " + DIRECTORY_MAX + " bytes");
            }
            // Every name has its NUL, so an empty name at the end is a chunk of one NUL or ends in
            // two.
            boolean last =
                    chunk[chunk.length - 1] == 0
                            && (chunk.length == 1 || chunk[chunk.length - 2] == 0);
            names.write(chunk, 0, last ? chunk.length - 1 : chunk.length);
            if (last) {
                return names.toByteArray();
            }
        }
    }

    @Override
    public List<XenstorePermission> permissions(int tx, String path) {
        byte[] payload = request(XsType.GET_PERMS, tx, XsWire.join(path));
        List<XenstorePermission> permissions = new ArrayList<>();
        for (String entry : parse(() -> XsWire.split(payload))) {
            try {
                permissions.add(XenstorePermission.parse(entry));
            } catch (IllegalArgumentException e) {
                throw malformed("an entry of a permission list is not understood");
            }
        }
        return List.copyOf(permissions);
    }

    @Override
    public void setPermissions(int tx, String path, List<XenstorePermission> permissions) {
        List<String> strings = new ArrayList<>();
        strings.add(path);
        permissions.forEach(p -> strings.add(p.toString()));
        request(XsType.SET_PERMS, tx, XsWire.join(strings));
    }

    @Override
    public String domainPath(int domid) {
        byte[] payload = request(XsType.GET_DOMAIN_PATH, 0, XsWire.join(Integer.toString(domid)));
        return parse(() -> XsWire.first(payload));
    }

    @Override
    public int startTransaction() {
        byte[] payload = request(XsType.TRANSACTION_START, 0, XsWire.join(""));
        int tx = parse(() -> XsWire.number(XsWire.first(payload)));
        if (tx == 0) {
            throw malformed("a transaction has the id 0");
        }
        return tx;
    }

    @Override
    public void endTransaction(int tx, boolean commit) {
        request(XsType.TRANSACTION_END, tx, XsWire.join(commit ? "T" : "F"));
    }

    @Override
    public void watch(String path, String token) {
        request(XsType.WATCH, 0, XsWire.join(path, token));
    }

    @Override
    public void unwatch(String path, String token) {
        request(XsType.UNWATCH, 0, XsWire.join(path, token));
    }

    /** One reply's content, or a failure that concerns only this request. */
    private static <T> T parse(Supplier<T> parser) {
        try {
            return parser.get();
        } catch (XsProtocolException e) {
            throw malformed(e.getMessage());
        }
    }

    private static XsFailure malformed(String what) {
        return XsFailure.refused(LibC.EPROTO(), "the store's reply is malformed: " + what);
    }

    // Requests and replies

    private byte[] request(XsType type, int tx, byte[] payload) {
        Pending request = new Pending(type);
        sending.lock();
        boolean locked = true;
        int id = requestIds.incrementAndGet();
        try {
            pending.put(id, request);
            // Checked after the request can be found: whoever sets it fails what it finds.
            XsFailure why = over;
            if (why != null) {
                throw why;
            }
            send(XsWire.encode(type, id, tx, payload));
            if (!stream.serial()) {
                sending.unlock();
                locked = false;
            }
            awaitReply(request);
        } finally {
            pending.remove(id);
            if (locked) {
                sending.unlock();
            }
        }
        if (request.failure != null) {
            throw request.failure;
        }
        return content(request);
    }

    private void send(byte[] message) {
        try {
            stream.write(message);
        } catch (NativeException e) {
            if (stream.writeFailureIsReply()) {
                throw XsFailure.refused(e.errno(), null);
            }
            throw end(XsFailure.over(e.errno(), "connection lost: " + e.getMessage()));
        }
    }

    /** Waits through interrupts: a request that was sent has its effect, whoever waits or not. */
    private void awaitReply(Pending request) {
        boolean interrupted = false;
        try {
            long end = System.nanoTime() + timeout.toNanos();
            while (true) {
                try {
                    if (request.done.await(end - System.nanoTime(), TimeUnit.NANOSECONDS)) {
                        return;
                    }
                    // A later reply would belong to nobody, so the connection has to go.
                    throw end(
                            XsFailure.over(
                                    LibC.ETIMEDOUT(),
                                    "no reply to "
                                            + request.type
                                            + " within "
                                            + timeout.toSeconds()
                                            + " s; connection given up"));
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static byte[] content(Pending request) {
        XsMessage reply = request.reply;
        if (!reply.is(XsType.ERROR)) {
            return reply.payload();
        }
        String name = parse(() -> XsWire.first(reply.payload()));
        int errno = name.equals("EQUOTA") ? LibC.EDQUOT() : Errno.numberOf(name);
        if (errno <= 0) {
            String shown = name.length() > 40 ? name.substring(0, 40) : name;
            throw XsFailure.refused(
                    LibC.EINVAL(), "the store's own word is " + shown.replaceAll("[^!-~]", "?"));
        }
        throw XsFailure.refused(errno, null);
    }

    // The reader thread

    private void readUntilOver() {
        try {
            ByteBuffer in = ByteBuffer.allocateDirect(RECEIVE_BUFFER);
            while (stream.read(in)) {
                in.flip();
                XsMessage message;
                while ((message = XsWire.decode(in)) != null) {
                    dispatch(message);
                }
                in.compact();
            }
            end(XsFailure.over(LibC.ECONNRESET(), "connection lost: the store closed it"));
        } catch (XsProtocolException e) {
            end(XsFailure.over(LibC.EPROTO(), "connection given up: " + e.getMessage()));
        } catch (NativeException e) {
            end(XsFailure.over(e.errno(), "connection lost: " + e.getMessage()));
        } catch (RuntimeException e) {
            end(XsFailure.over(LibC.EIO(), "connection given up: " + e));
        } finally {
            finish();
        }
    }

    private void dispatch(XsMessage message) {
        if (message.is(XsType.WATCH_EVENT)) {
            List<String> strings = XsWire.split(message.payload());
            // More strings are allowed for; a store may say more than we ask for.
            if (strings.size() < 2) {
                throw new XsProtocolException("a watch event has no token");
            }
            listener.event(strings.get(0), strings.get(1));
            return;
        }
        Integer id = stream.serial() ? onlyPending() : Integer.valueOf(message.reqId());
        Pending request = id == null ? null : pending.get(id);
        if (request == null) {
            throw new XsProtocolException("a reply to no request: " + message);
        }
        if (!message.is(request.type) && !message.is(XsType.ERROR)) {
            throw new XsProtocolException(
                    "a reply to " + request.type + " of another type: " + message);
        }
        // Gone before it is complete, so that a second reply to it stands out.
        pending.remove(id);
        request.complete(message);
    }

    private Integer onlyPending() {
        Iterator<Integer> ids = pending.keySet().iterator();
        return ids.hasNext() ? ids.next() : null;
    }

    /**
     * Ends the connection: no more requests, and those that wait fail.
     *
     * @return the failure that counts, which is the first one
     */
    private XsFailure end(XsFailure why) {
        // Under the lock, so that the stream is still there to be woken.
        synchronized (this) {
            if (over == null) {
                over = why;
                stream.wake();
            }
        }
        pending.values().forEach(p -> p.fail(over));
        return over;
    }

    private void finish() {
        // Nobody may be inside a write when the descriptor goes; the wake-up has made those fail.
        sending.lock();
        try {
            synchronized (this) {
                stream.close();
            }
        } finally {
            sending.unlock();
        }
        listener.over(over);
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            end(XsFailure.over(LibC.EBADF(), "this connection was closed"));
        }
        // Also for a second caller: after close, the descriptors are given back.
        boolean interrupted = false;
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
        long left;
        while (reader.isAlive() && (left = end - System.nanoTime()) > 0) {
            try {
                reader.join(Duration.ofNanos(left));
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
