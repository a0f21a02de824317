package io.grantwire.bindings;

import java.time.Duration;

/** How much of a wait is left, so that a call interrupted by a signal does not start over. */
final class Deadline {
    private static final long FOREVER = -1;

    private final long start;
    private final long nanos;

    private Deadline(long start, long nanos) {
        this.start = start;
        this.nanos = nanos;
    }

    /** From now on; zero is over at once, negative never. */
    static Deadline after(Duration atMost) {
        if (atMost.isNegative()) {
            return new Deadline(0, FOREVER);
        }
        long nanos;
        try {
            nanos = atMost.toNanos();
        } catch (ArithmeticException tooLong) {
            return new Deadline(0, FOREVER);
        }
        return new Deadline(nanos == 0 ? 0 : System.nanoTime(), nanos);
    }

    /** Milliseconds as {@code poll} takes them, rounded up; -1 for no limit. */
    int remainingMillis() {
        if (nanos == FOREVER) {
            return -1;
        }
        long left = remainingNanos();
        return (int) Math.min(Integer.MAX_VALUE, (left + 999_999) / 1_000_000);
    }

    /** Whether nothing is left. */
    boolean over() {
        return nanos != FOREVER && remainingNanos() == 0;
    }

    private long remainingNanos() {
        return nanos == 0 ? 0 : Math.max(0, nanos - (System.nanoTime() - start));
    }
}
