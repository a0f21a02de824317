package io.grantwire.vswitch.forward;

/** A worker's time, read from the system at most once per round, and only when asked for. */
class WorkerClock {
    private long now;

    /** A new round. */
    void tick() {
        now = 0;
    }

    /** {@link System#nanoTime} of this round; never 0. */
    long now() {
        long t = now;
        if (t == 0) {
            t = System.nanoTime() | 1;
            now = t;
        }
        return t;
    }
}
