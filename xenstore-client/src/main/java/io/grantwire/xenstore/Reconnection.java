package io.grantwire.xenstore;

import java.time.Duration;

/**
 * How a connection that was lost is opened again; see {@link Xenstores#reconnecting}.
 *
 * <p>Attempts go on until one succeeds or the connection is closed. The pause between two doubles
 * from the shortest to the longest. It begins short again only for a connection that lasted longer
 * than the longest pause, so that a store that lets everybody in and drops them at once is not run
 * down.
 *
 * @param shortest the pause before the first attempt
 * @param longest the pause that it grows to
 * @param patience how long a call waits for the connection to come back before it fails
 */
public record Reconnection(Duration shortest, Duration longest, Duration patience) {
    /** 50 ms, 2 s; a call waits for 2 s, which the usual restart of a xenstored does not take. */
    public static final Reconnection DEFAULT =
            new Reconnection(Duration.ofMillis(50), Duration.ofSeconds(2), Duration.ofSeconds(2));

    /** Checks the parts. */
    public Reconnection {
        if (shortest.isNegative() || shortest.isZero() || longest.compareTo(shortest) < 0) {
            throw new IllegalArgumentException(
                    "pauses from "
                            + shortest
                            + " to "
                            + longest
                            + ": the first has to be"
                            + " positive, the second not shorter");
        }
        if (patience.isNegative()) {
            throw new IllegalArgumentException("the patience is negative: " + patience);
        }
    }
}
