package io.grantwire.xenstore;

import java.time.Duration;

/**
 * A registered watch and its queue of events.
 *
 * <p>One consumer: {@link #poll()} and {@link #await} may be called from one thread at a time,
 * which need not be the one that made the watch. The queue is bounded: events for a path that waits
 * already collapse into one, and when too many different paths wait they become a single event for
 * the watched path itself. Nothing is lost that a re-read would not show.
 */
public interface XenstoreWatch extends AutoCloseable {
    /**
     * A change below a watched path.
     *
     * @param path the key that changed (or a special name such as {@code @releaseDomain})
     * @param token the token the watch was registered with
     */
    record Event(String path, String token) {}

    /** The watched path as it was given. */
    String path();

    /**
     * Takes the next event, or null when none is waiting or the watch was closed; never blocks.
     *
     * @throws XenstoreException when the connection was lost and no event is waiting any more
     */
    Event poll();

    /**
     * Waits for the next event.
     *
     * @return the event, or null when the time ran out or the watch was closed
     * @throws XenstoreException when the connection was lost and no event is waiting any more
     */
    Event await(Duration atMost) throws InterruptedException;

    /** Unwatches and wakes a waiting consumer; a second call does nothing. */
    @Override
    void close();
}
