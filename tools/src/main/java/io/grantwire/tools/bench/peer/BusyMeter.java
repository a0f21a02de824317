package io.grantwire.tools.bench.peer;

import io.grantwire.pmd.lcore.IdleStrategy;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Spins, and adds up the time of the rounds that found work: what a polling thread that is always
 * running does for its frames, as DPDK's testpmd counts it with {@code record-core-cycles}. For one
 * thread.
 */
final class BusyMeter implements IdleStrategy {
    private static final VarHandle BUSY;

    static {
        try {
            BUSY = MethodHandles.lookup().findVarHandle(BusyMeter.class, "busy", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private long last = System.nanoTime();

    @SuppressWarnings("unused") // through BUSY
    private long busy;

    @Override
    public void idle(int work) {
        if (work != 0) {
            long now = System.nanoTime();
            BUSY.setOpaque(this, (long) BUSY.getOpaque(this) + now - last);
            last = now;
        } else {
            Thread.onSpinWait();
            last = System.nanoTime();
        }
    }

    /** Nanoseconds up to now; any thread. */
    long nanos() {
        return (long) BUSY.getOpaque(this);
    }
}
