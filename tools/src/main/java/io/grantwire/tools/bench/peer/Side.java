package io.grantwire.tools.bench.peer;

/** What a peer process does: set up, poll, count. Used by the process's main thread. */
interface Side extends AutoCloseable {
    /** Which end of the rings. */
    enum Kind {
        host,
        guest
    }

    /** Whether the other side has come, so that frames can move. */
    boolean connected();

    /** Begins polling, on the CPU asked for. */
    void start();

    /** Frames counted at this side up to now. */
    long frames();

    /** When the first frame was received; 0 before that. */
    long firstNanos();

    /** Longest time between two rounds since the last call, in nanoseconds. */
    long takeWorstGap();

    /** Time of the polling thread's rounds that found work; 0 when not looked at. */
    default long busyNanos() {
        return 0;
    }

    /** Why polling has ended, or null while all is well. */
    Throwable failure();

    @Override
    void close();
}
