package io.grantwire.xenstore;

import io.grantwire.bindings.Errno;
import io.grantwire.bindings.gen.libc.LibC;
import io.grantwire.xenstore.KeptWatches.Kept;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection that is opened again when it is lost, as when xenstored is started anew with its
 * contents: several connections, one after the other, that look like one.
 *
 * <ul>
 *   <li>Requests without effect (reads, the start of a transaction, watches) that the loss hits are
 *       made again, once. Others fail with ECONNRESET, unless it is certain that they never left.
 *   <li>A transaction ends with EAGAIN, for its usual retry. Only a commit that the loss hits fails
 *       with ECONNRESET: nobody can tell whether it was done.
 *   <li>Watches are registered again under their tokens before anybody may use the new connection.
 *       By the protocol each then fires once, so that its owner looks at everything again ({@code
 *       docs/misc/xenstore.txt} of the Xen tree, WATCH).
 *   <li>While there is no connection, calls wait for it for a while and then fail with ECONNRESET.
 * </ul>
 *
 * <p>As long as nothing is lost there is no thread and no lock more than without this class: a call
 * reads one field. A new connection counts once the store has answered on it and has all watches.
 */
final class ReconnectingConnection implements XsConnection {
    private static final Logger LOG = LoggerFactory.getLogger("XENSTORE");
    private static final Duration CLOSE_TIME = Duration.ofSeconds(1);

    /** One of the connections that follow each other. */
    private final class Link implements Listener {
        final XsConnection connection;
        // Set once, when it is found to be over.
        volatile XsFailure over;
        // Written when it takes over, under the lock.
        long since;

        Link(XsConnection connection) {
            this.connection = connection;
        }

        @Override
        public void event(String path, String token) {
            listener.event(path, token);
        }

        @Override
        public void over(XsFailure why) {
            lost(this, why);
        }
    }

    /** A transaction: each connection numbers its own from the start. */
    private record Tx(Link link, int id) {}

    private interface Operation<T> {
        T on(XsConnection connection, int tx);
    }

    private final Supplier<XsConnection> opener;
    private final Reconnection policy;
    private final String description;
    private final int payloadMax;
    private final XsConnection first;
    private final Map<Integer, Tx> transactions = new ConcurrentHashMap<>();
    private final AtomicInteger transactionNumbers = new AtomicInteger();
    private Listener listener;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private volatile Link current;
    private volatile boolean closed;
    // Guarded by lock.
    private final KeptWatches watches = new KeptWatches();
    private Link candidate;
    private Thread worker;
    private XsFailure lossReason;
    private long lostAt;
    private long pauseNanos;

    /**
     * @param first not started yet; owned from now on
     * @param opener opens the next one, not started; what fails is an exception, whose message is
     *     for people
     */
    ReconnectingConnection(XsConnection first, Supplier<XsConnection> opener, Reconnection policy) {
        this.first = first;
        this.opener = opener;
        this.policy = policy;
        this.description = first.description();
        this.payloadMax = first.payloadMax();
    }

    @Override
    public void start(Listener eventListener) {
        listener = eventListener;
        Link link = new Link(first);
        lock.lock();
        try {
            // Before it begins to read: it may be lost at once.
            link.since = System.nanoTime();
            pauseNanos = policy.shortest().toNanos();
            current = link;
        } finally {
            lock.unlock();
        }
        first.start(link);
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
    public boolean connected() {
        return current != null;
    }

    // Operations

    @Override
    public byte[] read(int tx, String path) {
        return call(tx, true, (c, id) -> c.read(id, path));
    }

    @Override
    public void write(int tx, String path, byte[] value) {
        run(tx, (c, id) -> c.write(id, path, value));
    }

    @Override
    public void mkdir(int tx, String path) {
        run(tx, (c, id) -> c.mkdir(id, path));
    }

    @Override
    public void rm(int tx, String path) {
        run(tx, (c, id) -> c.rm(id, path));
    }

    @Override
    public List<String> directory(int tx, String path) {
        return call(tx, true, (c, id) -> c.directory(id, path));
    }

    @Override
    public List<XenstorePermission> permissions(int tx, String path) {
        return call(tx, true, (c, id) -> c.permissions(id, path));
    }

    @Override
    public void setPermissions(int tx, String path, List<XenstorePermission> permissions) {
        run(tx, (c, id) -> c.setPermissions(id, path, permissions));
    }

    @Override
    public String domainPath(int domid) {
        return outside(true, link -> link.connection.domainPath(domid));
    }

    private interface Effect {
        void on(XsConnection connection, int tx);
    }

    private void run(int tx, Effect effect) {
        call(
                tx,
                false,
                (c, id) -> {
                    effect.on(c, id);
                    return null;
                });
    }

    private <T> T call(int tx, boolean repeatable, Operation<T> operation) {
        return tx == 0
                ? outside(repeatable, link -> operation.on(link.connection, 0))
                : inside(tx, operation);
    }

    /** Does what belongs to no transaction. */
    private <T> T outside(boolean repeatable, Function<Link, T> request) {
        for (boolean again = false; ; again = true) {
            Link link = awaitLink();
            try {
                return request.apply(link);
            } catch (XsFailure e) {
                if (!isLoss(link, e)) {
                    throw e;
                }
                if (again || !repeatable && e.sent()) {
                    throw failed(
                            e,
                            repeatable
                                    ? "it was lost again when the request was repeated"
                                    : "whether the store has done it is not known");
                }
            }
        }
    }

    /**
     * Whether a failure says that the connection is lost, which is then seen to. A store that does
     * not answer in time is a lost one, too, but the request is not made again: its caller has
     * waited long enough.
     */
    private boolean isLoss(Link link, XsFailure e) {
        if (!e.connectionOver()) {
            return false;
        }
        lost(link, e);
        return !closed && e.errno() != LibC.ETIMEDOUT();
    }

    private XsFailure failed(XsFailure loss, String what) {
        return XsFailure.refused(
                LibC.ECONNRESET(), description + ": " + reason(loss) + "; " + what);
    }

    /** The connection that there is, after a wait if need be. */
    private Link awaitLink() {
        Link link = current;
        return link != null ? link : awaitLink(System.nanoTime() + policy.patience().toNanos());
    }

    /** Waits through interrupts, as for a reply: the wait is short. */
    private Link awaitLink(long end) {
        boolean interrupted = false;
        lock.lock();
        try {
            while (true) {
                if (closed) {
                    throw closedFailure();
                }
                if (current != null) {
                    return current;
                }
                long left = end - System.nanoTime();
                if (left <= 0) {
                    throw failed(lossReason, "not back yet, still trying");
                }
                try {
                    changed.awaitNanos(left);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            lock.unlock();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    // Transactions

    @Override
    public int startTransaction() {
        return outside(
                true,
                link -> {
                    Tx tx = new Tx(link, link.connection.startTransaction());
                    int id;
                    do {
                        id = transactionNumbers.incrementAndGet();
                    } while (id == 0 || transactions.putIfAbsent(id, tx) != null);
                    return id;
                });
    }

    private <T> T inside(int tx, Operation<T> operation) {
        Tx real = transactions.get(tx);
        if (real == null || real.link != current) {
            throw transactionGone();
        }
        try {
            return operation.on(real.link.connection, real.id);
        } catch (XsFailure e) {
            throw isLoss(real.link, e) ? transactionGone() : e;
        }
    }

    private XsFailure transactionGone() {
        return closed
                ? closedFailure()
                : XsFailure.refused(
                        LibC.EAGAIN(),
                        description + ": the connection was lost during the transaction");
    }

    @Override
    public boolean transactionLost(int tx) {
        Tx real = transactions.get(tx);
        return !closed && real != null && real.link != current;
    }

    @Override
    public void endTransaction(int tx, boolean commit) {
        Tx real = transactions.remove(tx);
        if (real == null || real.link != current) {
            // The store has dropped it with its connection, as it does for an abort.
            if (commit) {
                throw transactionGone();
            }
            return;
        }
        try {
            real.link.connection.endTransaction(real.id, commit);
        } catch (XsFailure e) {
            if (!isLoss(real.link, e)) {
                throw e;
            }
            if (commit) {
                throw e.sent()
                        ? failed(e, "whether the transaction was committed is not known")
                        : transactionGone();
            }
        }
    }

    // Watches

    @Override
    public void watch(String path, String token) {
        long end = System.nanoTime() + policy.patience().toNanos();
        Kept watch;
        lock.lock();
        try {
            watch = watches.add(token, path);
        } finally {
            lock.unlock();
        }
        try {
            // Whoever comes first registers it: this caller, or the worker with all others.
            while (true) {
                Link link = awaitLink(end);
                if (isThere(watch, link) || register(watch, link)) {
                    return;
                }
                if (System.nanoTime() > end) {
                    throw failed(link.over, "it was lost again when the request was repeated");
                }
            }
        } catch (XsFailure e) {
            if (forget(watch)) {
                return;
            }
            throw e;
        }
    }

    private boolean isThere(Kept watch, Link link) {
        lock.lock();
        try {
            if (watch.refused() != null) {
                throw watch.refused();
            }
            return watch.isOn(link);
        } finally {
            lock.unlock();
        }
    }

    /** Returns whether the store has it; false when the connection was lost. */
    private boolean register(Kept watch, Link link) {
        try {
            link.connection.watch(watch.path(), watch.token());
        } catch (XsFailure e) {
            if (isLoss(link, e)) {
                return false;
            }
            throw e;
        }
        lock.lock();
        try {
            if (current != link) {
                return false;
            }
            watch.put(link);
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Gives a watch up, unless the worker has registered it at the last moment. */
    private boolean forget(Kept watch) {
        lock.lock();
        try {
            if (watch.isOn(current)) {
                return true;
            }
            watches.remove(watch.token());
            return false;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void unwatch(String path, String token) {
        Link link;
        lock.lock();
        try {
            Kept watch = watches.remove(token);
            link = current;
            if (watch == null || !watch.isOn(link)) {
                // It went with its connection, or the worker takes it back.
                return;
            }
        } finally {
            lock.unlock();
        }
        try {
            link.connection.unwatch(path, token);
        } catch (XsFailure e) {
            if (!isLoss(link, e)) {
                throw e;
            }
        }
    }

    // The loss and the way back

    /** Called by whoever notices first: a caller, or the connection's own thread. */
    private void lost(Link link, XsFailure why) {
        lock.lock();
        try {
            if (link.over == null) {
                link.over = why;
            }
            if (closed || link != current) {
                return;
            }
            current = null;
            lossReason = why;
            lostAt = System.nanoTime();
            if (lostAt - link.since > policy.longest().toNanos()) {
                pauseNanos = policy.shortest().toNanos();
            }
            worker =
                    Thread.ofPlatform()
                            .daemon()
                            .name("xenstore-reconnect " + description)
                            .unstarted(() -> reconnect(link));
            LOG.warn("{}: {}; trying to get it back", description, reason(why));
            worker.start();
        } finally {
            lock.unlock();
        }
    }

    private void reconnect(Link old) {
        // Not by the thread that noticed, which may be the one that this waits for.
        old.connection.close();
        while (pause()) {
            try {
                open();
                return;
            } catch (XsFailure e) {
                attemptFailed(reason(e));
            } catch (RuntimeException e) {
                attemptFailed(e.getMessage());
            }
        }
    }

    private void attemptFailed(String why) {
        Link failed;
        lock.lock();
        try {
            failed = candidate;
            candidate = null;
        } finally {
            lock.unlock();
        }
        LOG.debug("{}: an attempt to get it back failed: {}", description, why);
        if (failed != null) {
            failed.connection.close();
        }
    }

    /** Waits before an attempt, the longer the more there were; false when it was closed. */
    private boolean pause() {
        lock.lock();
        try {
            long end = System.nanoTime() + pauseNanos;
            pauseNanos = Math.min(2 * pauseNanos, policy.longest().toNanos());
            long left;
            while (!closed && (left = end - System.nanoTime()) > 0) {
                changed.awaitNanos(left);
            }
            return !closed;
        } catch (InterruptedException e) {
            // Nobody interrupts this thread but to end it.
            return false;
        } finally {
            lock.unlock();
        }
    }

    /** One attempt; returns when it has succeeded or this was closed. */
    private void open() {
        Link link = new Link(opener.get());
        link.connection.start(link);
        lock.lock();
        try {
            // Not before it is started; whoever closes this from now on closes it as well.
            candidate = link;
        } finally {
            lock.unlock();
        }
        if (closed) {
            link.connection.close();
            return;
        }
        // A store that lets us in but does not answer is none.
        link.connection.domainPath(0);
        List<Kept> done = new ArrayList<>();
        while (true) {
            Kept next;
            Kept unwanted = null;
            lock.lock();
            try {
                next = watches.missingOn(link);
                if (next == null) {
                    unwanted = done.stream().filter(w -> !watches.has(w)).findFirst().orElse(null);
                }
                if (next == null && unwanted == null) {
                    takeOver(link);
                    return;
                }
            } finally {
                lock.unlock();
            }
            if (next == null) {
                done.remove(unwanted);
                link.connection.unwatch(unwanted.path(), unwanted.token());
            } else if (restore(next, link)) {
                done.add(next);
            }
        }
    }

    /** Registers a watch on a connection that is not in use yet; false when it is not to be. */
    private boolean restore(Kept watch, Link link) {
        XsFailure refused = null;
        try {
            link.connection.watch(watch.path(), watch.token());
        } catch (XsFailure e) {
            if (e.connectionOver()) {
                throw e;
            }
            refused = e;
        }
        lock.lock();
        try {
            if (refused == null) {
                watch.put(link);
                return true;
            }
            if (watch.fresh()) {
                watches.refuse(watch, refused);
                return false;
            }
            // A watch that stays silent for ever would mislead its owner: rather no store.
            throw XsFailure.refused(
                    refused.errno(),
                    "the watch on " + watch.path() + " was refused: " + reason(refused));
        } finally {
            lock.unlock();
        }
    }

    /** Under the lock. */
    private void takeOver(Link link) {
        if (link.over != null) {
            throw link.over;
        }
        if (closed) {
            return;
        }
        candidate = null;
        worker = null;
        long now = System.nanoTime();
        link.since = now;
        current = link;
        changed.signalAll();
        LOG.info(
                "{}: the connection is back after {} ms; watches registered again: {}",
                description,
                (now - lostAt) / 1_000_000,
                watches.count());
    }

    private static String reason(XsFailure e) {
        return e.detail() != null ? e.detail() : Errno.nameOf(e.errno());
    }

    private static XsFailure closedFailure() {
        return XsFailure.over(LibC.EBADF(), "this connection was closed");
    }

    @Override
    public void close() {
        Link used;
        Link opening;
        Thread thread;
        boolean firstTime;
        lock.lock();
        try {
            firstTime = !closed;
            closed = true;
            used = current;
            current = null;
            opening = candidate;
            thread = worker;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        if (firstTime) {
            listener.over(closedFailure());
        }
        if (used != null) {
            used.connection.close();
        }
        if (opening != null) {
            opening.connection.close();
        }
        if (thread != null) {
            join(thread);
        }
    }

    /** Not for ever: it may be inside a connect that nobody accepts, and ends with that. */
    private static void join(Thread thread) {
        boolean interrupted = false;
        long end = System.nanoTime() + CLOSE_TIME.toNanos();
        long left;
        while (thread.isAlive() && (left = end - System.nanoTime()) > 0) {
            try {
                thread.join(Duration.ofNanos(left));
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
