package io.grantwire.xenstore;

import io.grantwire.bindings.Errno;
import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.gen.libc.LibC;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Requests and their replies on one stream.
 *
 * <p>Callers send from their own threads, each message under a lock, and wait; one reader thread
 * hands replies to whoever waits for that request id, and watch events to the listener. On a {@link
 * XsStream#serial} stream the lock is kept until the reply is there, and whatever comes is the
 * reply to the only request.
 *
 * <p>The reader thread never waits for anything but the stream, so replies and events keep flowing
 * whatever the callers do. When it ends, for whatever reason, every waiting caller is told why.
 */
final class WireRequests implements AutoCloseable {
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
    private final XsConnection.Listener listener;
    private final ReentrantLock sending = new ReentrantLock();
    private final Map<Integer, Pending> pending = new ConcurrentHashMap<>();
    private final AtomicInteger requestIds = new AtomicInteger();
    private final AtomicBoolean closed = new AtomicBoolean();
    private final Thread reader;
    // Set once; the first reason is the one that counts.
    private volatile XsFailure over;

    /**
     * Begins to read.
     *
     * @param stream owned from now on
     * @param timeout how long a reply may take before the connection is given up
     * @param listener is told of watch events, and of the end
     */
    WireRequests(XsStream stream, Duration timeout, XsConnection.Listener listener) {
        this.stream = stream;
        this.timeout = timeout;
        this.listener = listener;
        this.reader =
                Thread.ofPlatform()
                        .daemon()
                        .name("xenstore-reader " + stream.description())
                        .unstarted(this::readUntilOver);
        reader.start();
    }

    /**
     * Sends a request and waits for its reply, through interrupts.
     *
     * @param payload at most what the stream lets through
     * @return the reply's payload
     * @throws XsFailure when the store refuses, or the connection is over
     */
    byte[] request(XsType type, int tx, byte[] payload) {
        Pending request = new Pending(type);
        sending.lock();
        boolean locked = true;
        int id = requestIds.incrementAndGet();
        try {
            pending.put(id, request);
            // Checked after the request can be found: whoever sets it fails what it finds.
            XsFailure why = over;
            if (why != null) {
                throw why.unsent();
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
            // What is not there as a whole is no request.
            throw end(XsFailure.over(e.errno(), "connection lost: " + e.getMessage())).unsent();
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
        String name;
        try {
            name = XsWire.first(reply.payload());
        } catch (XsProtocolException e) {
            throw malformed(e.getMessage());
        }
        int errno = name.equals("EQUOTA") ? LibC.EDQUOT() : Errno.numberOf(name);
        if (errno <= 0) {
            String shown = name.length() > 40 ? name.substring(0, 40) : name;
            throw XsFailure.refused(
                    LibC.EINVAL(), "the store's own word is " + shown.replaceAll("[^!-~]", "?"));
        }
        throw XsFailure.refused(errno, null);
    }

    /** A reply whose payload does not follow the protocol: it spoils only its request. */
    static XsFailure malformed(String what) {
        return XsFailure.refused(LibC.EPROTO(), "the store's reply is malformed: " + what);
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

    /** Ends the connection; returns when its descriptors are given back. */
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
