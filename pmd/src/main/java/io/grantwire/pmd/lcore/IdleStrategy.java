package io.grantwire.pmd.lcore;

import java.util.concurrent.locks.LockSupport;

/**
 * What a polling thread does when a round found no work. One instance per thread: it keeps count of
 * the empty rounds.
 */
public interface IdleStrategy {
    /**
     * Called after every round.
     *
     * @param work what {@link PollLoop#poll} returned
     */
    void idle(int work);

    /** Spins: lowest latency, a whole CPU. */
    final class BusySpin implements IdleStrategy {
        /** Has no state. */
        public BusySpin() {}

        @Override
        public void idle(int work) {
            if (work == 0) {
                Thread.onSpinWait();
            }
        }
    }

    /**
     * Spins for some rounds, then yields the CPU for some, then parks for short and growing times,
     * so that more polling threads than CPUs all make progress. Any work starts it over.
     */
    final class Backoff implements IdleStrategy {
        /** Rounds that spin. */
        public static final int SPINS = 1000;

        /** Rounds after those that yield. */
        public static final int YIELDS = 100;

        /** First park, in nanoseconds. */
        public static final long MIN_PARK_NANOS = 2_000;

        /** Longest park, in nanoseconds. */
        public static final long MAX_PARK_NANOS = 50_000;

        private int empty;
        private long park;

        /** For one thread. */
        public Backoff() {}

        @Override
        public void idle(int work) {
            if (work != 0) {
                empty = 0;
                return;
            }
            int n = empty;
            if (n < SPINS) {
                empty = n + 1;
                Thread.onSpinWait();
            } else if (n < SPINS + YIELDS) {
                empty = n + 1;
                park = MIN_PARK_NANOS;
                Thread.yield();
            } else {
                LockSupport.parkNanos(park);
                park = Math.min(park * 2, MAX_PARK_NANOS);
            }
        }
    }
}
