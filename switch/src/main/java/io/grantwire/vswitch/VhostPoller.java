package io.grantwire.vswitch;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Where the thread that polls one direction of a {@link VhostDevice} is: which attachment it saw
 * when it last began a burst. A later burst of the same thread, in either direction, means that
 * earlier ones are over.
 *
 * <p>A thread that polls for the first time announces itself with a volatile store before it looks
 * for the attachment; the monitor replaces the attachment, also volatile, before it looks for
 * threads. So one of them sees the other.
 */
final class VhostPoller {
    private static final VarHandle PASSED;

    static {
        try {
            PASSED = MethodHandles.lookup().findVarHandle(VhostPoller.class, "passed", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    // The polling thread's own copy of thread, for a plain look at every burst.
    private Thread self;
    private long passed = -1;
    private volatile Thread thread;

    boolean isOther(Thread current) {
        return current != self;
    }

    /** The current thread polls from now on. */
    void claim() {
        Thread current = Thread.currentThread();
        self = current;
        PASSED.setRelease(this, -1L);
        thread = current;
    }

    /** The thread begins a burst, having seen this epoch. */
    void pass(long epoch) {
        if (epoch != passed) {
            // Pairs with the acquire in hasPassed: bursts before this one are over.
            PASSED.setRelease(this, epoch);
        }
    }

    /** Monitor: whether no burst that saw an earlier epoch can be going on. */
    boolean hasPassed(long epoch, VhostPoller other) {
        Thread t = thread;
        if (t == null || !t.isAlive() || (long) PASSED.getAcquire(this) >= epoch) {
            return true;
        }
        return other.thread == t && (long) PASSED.getAcquire(other) >= epoch;
    }
}
