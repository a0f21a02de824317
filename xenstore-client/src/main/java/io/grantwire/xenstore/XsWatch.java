package io.grantwire.xenstore;

import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * A watch's queue: the connection's thread puts paths in, one consumer takes events out.
 *
 * <p>A path that waits already is not queued again. When {@link #LIMIT} different paths wait, they
 * all become one event for the watched path itself, which means "look at everything again", exactly
 * as the first event of a watch does. So a peer that writes faster than the consumer reads costs a
 * bounded amount of memory and hides nothing.
 */
final class XsWatch implements XenstoreWatch {
    /** Most different paths that wait in one queue. */
    static final int LIMIT = 1024;

    private final String path;
    private final String token;
    private final String description;
    private final Consumer<XsWatch> unwatch;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    // Guarded by lock.
    private final LinkedHashSet<String> waiting = new LinkedHashSet<>();
    private XsFailure over;
    private boolean closed;

    /**
     * @param description of the connection, for messages
     * @param unwatch tells the store that the watch is no longer wanted; called once at most
     */
    XsWatch(String path, String token, String description, Consumer<XsWatch> unwatch) {
        this.path = path;
        this.token = token;
        this.description = description;
        this.unwatch = unwatch;
    }

    /** Queues an event; never blocks for longer than a consumer takes one out. */
    void add(String changedPath) {
        lock.lock();
        try {
            if (closed) {
                return;
            }
            if (waiting.size() >= LIMIT && !waiting.contains(changedPath)) {
                waiting.clear();
                waiting.add(path);
            } else {
                waiting.add(changedPath);
            }
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** The connection is over: events that wait are still handed out, then the failure. */
    void fail(XsFailure why) {
        lock.lock();
        try {
            if (over == null) {
                over = why;
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Ends the queue without telling the store; true the first time. */
    boolean end() {
        lock.lock();
        try {
            if (closed) {
                return false;
            }
            closed = true;
            waiting.clear();
            changed.signalAll();
            return true;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public String path() {
        return path;
    }

    @Override
    public Event poll() {
        lock.lock();
        try {
            return take();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public Event await(Duration atMost) throws InterruptedException {
        long left = TimeUnit.NANOSECONDS.convert(atMost);
        lock.lockInterruptibly();
        try {
            while (true) {
                Event event = take();
                if (event != null || closed || left <= 0) {
                    return event;
                }
                left = changed.awaitNanos(left);
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        if (end()) {
            unwatch.accept(this);
        }
    }

    private Event take() {
        if (closed) {
            return null;
        }
        Iterator<String> first = waiting.iterator();
        if (first.hasNext()) {
            Event event = new Event(first.next(), token);
            first.remove();
            return event;
        }
        if (over != null) {
            throw XenstoreHints.exception("watch", path, over, description);
        }
        return null;
    }
}
