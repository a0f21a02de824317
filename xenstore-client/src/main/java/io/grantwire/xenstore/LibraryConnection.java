package io.grantwire.xenstore;

import io.grantwire.bindings.Epoll;
import io.grantwire.bindings.EventFd;
import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.XsHandle;
import io.grantwire.bindings.gen.libc.LibC;
import io.grantwire.bindings.gen.xenstore.LibXenstore;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * A connection through libxenstore.
 *
 * <p>The library sends one request at a time, so callers wait for each other inside it. From the
 * first watch on a thread of ours polls the library's descriptor and hands events on. Losing the
 * connection does not make that descriptor readable: the thread therefore asks four times a second,
 * which costs a function call and no message.
 *
 * <p>The library cannot be told to give up a call that waits for a store that does not answer;
 * closing returns at once, and the last call to return frees the handle.
 */
final class LibraryConnection implements XsConnection {
    private static final int READ = LibXenstore.XS_PERM_READ();
    private static final int WRITE = LibXenstore.XS_PERM_WRITE();

    private static final Duration LIVENESS_CHECK = Duration.ofMillis(250);

    private final XsHandle library;
    private final String description;
    private final int payloadMax;
    private volatile Listener listener;

    // Guarded by this.
    private int callsUnderWay;
    private boolean closed;
    private XsFailure over;
    private Thread pump;
    private EventFd wake;

    /**
     * @param library owned by the connection from now on
     * @param payloadMax what the way that the library found lets through
     */
    LibraryConnection(XsHandle library, String description, int payloadMax) {
        this.library = library;
        this.description = description;
        this.payloadMax = payloadMax;
    }

    @Override
    public void start(Listener eventListener) {
        listener = eventListener;
    }

    @Override
    public String description() {
        return description;
    }

    @Override
    public int payloadMax() {
        return payloadMax;
    }

    @Override
    public byte[] read(int tx, String path) {
        return call(() -> library.read(tx, path));
    }

    @Override
    public void write(int tx, String path, byte[] value) {
        run(() -> library.write(tx, path, value));
    }

    @Override
    public void mkdir(int tx, String path) {
        run(() -> library.mkdir(tx, path));
    }

    @Override
    public void rm(int tx, String path) {
        run(() -> library.rm(tx, path));
    }

    @Override
    public List<String> directory(int tx, String path) {
        return call(() -> library.directory(tx, path));
    }

    @Override
    public List<XenstorePermission> permissions(int tx, String path) {
        return call(() ->
                library.permissions(tx, path).stream()
                        .map(p ->
                                new XenstorePermission(
                                        p.domid(), (p.bits() & READ) != 0, (p.bits() & WRITE) != 0))
                        .toList());
    }

    @Override
    public void setPermissions(int tx, String path, List<XenstorePermission> permissions) {
        List<XsHandle.Permission> list =
                permissions.stream()
                        .map(p ->
                                new XsHandle.Permission(
                                        p.domid(), (p.read() ? READ : 0) | (p.write() ? WRITE : 0)))
                        .toList();
        run(() -> library.setPermissions(tx, path, list));
    }

    @Override
    public String domainPath(int domid) {
        return call(() -> library.domainPath(domid));
    }

    @Override
    public int startTransaction() {
        return call(library::transactionStart);
    }

    @Override
    public void endTransaction(int tx, boolean commit) {
        run(() -> library.transactionEnd(tx, !commit));
    }

    @Override
    public void watch(String path, String token) {
        run(() -> {
            startPump();
            library.watch(path, token);
        });
    }

    @Override
    public void unwatch(String path, String token) {
        run(() -> library.unwatch(path, token));
    }

    // Calls

    private void run(Runnable operation) {
        call(() -> {
            operation.run();
            return null;
        });
    }

    private <T> T call(Supplier<T> operation) {
        enter();
        try {
            return operation.get();
        } catch (NativeException e) {
            throw failure(e);
        } catch (IllegalArgumentException e) {
            throw XsFailure.refused(
                    LibC.EPROTO(), "the store's reply is malformed: " + e.getMessage());
        } finally {
            leave();
        }
    }

    private synchronized void enter() {
        if (over != null) {
            throw over.unsent();
        }
        callsUnderWay++;
    }

    private synchronized void leave() {
        callsUnderWay--;
        freeIfUnused();
    }

    private void freeIfUnused() {
        if (closed && callsUnderWay == 0) {
            library.close();
        }
    }

    /**
     * The library reports a lost connection with whatever errno it met, among them EINVAL, which a
     * store says as well. Only its own state tells them apart.
     */
    private XsFailure failure(NativeException e) {
        int errno = e.errno();
        boolean perhapsLost =
                errno == LibC.EINVAL()
                        || errno == LibC.EBADF()
                        || errno == LibC.EPIPE()
                        || errno == LibC.ECONNRESET()
                        || errno == LibC.EIO();
        if (perhapsLost) {
            XsFailure lost = takeEvents();
            if (lost != null) {
                return end(lost);
            }
        }
        return XsFailure.refused(errno, null);
    }

    /** Hands on the events that wait; returns why the connection is lost, or null if it is not. */
    private XsFailure takeEvents() {
        try {
            XsHandle.WatchEvent event;
            while ((event = library.checkWatch()) != null) {
                listener.event(event.path(), event.token());
            }
            return null;
        } catch (NativeException e) {
            return XsFailure.over(LibC.ECONNRESET(), "connection lost: the store closed it");
        }
    }

    private XsFailure end(XsFailure why) {
        synchronized (this) {
            if (over != null) {
                return over;
            }
            over = why;
            if (wake != null) {
                wake.signal();
            }
        }
        listener.over(why);
        return why;
    }

    // Events

    /** Called inside {@link #call}, so the handle is there. */
    private synchronized void startPump() {
        if (pump != null || over != null) {
            return;
        }
        int fd = library.watchDescriptor();
        EventFd wakeUp = EventFd.create();
        Epoll epoll = Epoll.create();
        epoll.add(fd, LibC.EPOLLIN(), 0);
        epoll.add(wakeUp.fd().value(), LibC.EPOLLIN(), 1);
        wake = wakeUp;
        // Counts as a call under way: the handle stays until the pump has let go of it.
        callsUnderWay++;
        pump =
                Thread.ofPlatform()
                        .daemon()
                        .name("xenstore-events " + description)
                        .start(() -> pumpUntilOver(epoll, wakeUp));
    }

    private void pumpUntilOver(Epoll epoll, EventFd wakeUp) {
        long[] ready = new long[2];
        try {
            while (!isOver()) {
                epoll.await(ready, ready.length, LIVENESS_CHECK);
                XsFailure lost = isOver() ? null : takeEvents();
                if (lost != null) {
                    end(lost);
                }
            }
        } catch (NativeException e) {
            end(XsFailure.over(e.errno(), "connection given up: " + e.getMessage()));
        } finally {
            synchronized (this) {
                wake = null;
            }
            epoll.close();
            wakeUp.close();
            leave();
        }
    }

    private synchronized boolean isOver() {
        return over != null;
    }

    @Override
    public void close() {
        end(XsFailure.over(LibC.EBADF(), "this connection was closed"));
        Thread toJoin;
        synchronized (this) {
            if (!closed) {
                closed = true;
                freeIfUnused();
            }
            toJoin = pump;
        }
        if (toJoin == null) {
            return;
        }
        boolean interrupted = false;
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
        long left;
        while (toJoin.isAlive() && (left = end - System.nanoTime()) > 0) {
            try {
                toJoin.join(Duration.ofNanos(left));
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
