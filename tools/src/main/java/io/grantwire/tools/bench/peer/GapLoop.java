package io.grantwire.tools.bench.peer;

import io.grantwire.pmd.lcore.PollLoop;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A polling loop that looks at the clock in every round and keeps the longest time between two
 * looks: what a frame may have had to wait while a garbage collection or the system held the
 * thread.
 */
final class GapLoop implements PollLoop {
    private static final VarHandle WORST;

    static {
        try {
            WORST = MethodHandles.lookup().findVarHandle(GapLoop.class, "worst", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final PollLoop loop;
    private long last;

    // Raised by the polling thread, set back by a reader: one round's race may lose a gap, never
    // make one up.
    private long worst;

    GapLoop(PollLoop loop) {
        this.loop = loop;
    }

    @Override
    public int poll() {
        long now = System.nanoTime();
        long gap = now - last;
        if (last != 0 && gap > (long) WORST.getOpaque(this)) {
            WORST.setOpaque(this, gap);
        }
        last = now;
        return loop.poll();
    }

    /** The worst gap since the last call; another thread. */
    long take() {
        return (long) WORST.getAndSet(this, 0L);
    }
}
