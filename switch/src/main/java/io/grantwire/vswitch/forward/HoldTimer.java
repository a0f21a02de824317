package io.grantwire.vswitch.forward;

/**
 * How long frames have been waiting for a destination that takes none. They wait while it makes
 * progress now and then, and until the time is over when it makes none; from then on they are
 * dropped at once, until it takes a frame again. This also ends two guests' waiting for each other.
 *
 * <p>One thread, the destination's worker.
 */
final class HoldTimer {
    private long fullSince;

    /** The destination took something. */
    void progressed() {
        fullSince = 0;
    }

    /**
     * The destination is full.
     *
     * @param now a time that is not 0
     * @param holdNanos how long to wait, 0 for not at all
     * @return whether the frame is to wait
     */
    boolean mayWait(long now, long holdNanos) {
        if (fullSince == 0) {
            fullSince = now;
        }
        return now - fullSince < holdNanos;
    }
}
