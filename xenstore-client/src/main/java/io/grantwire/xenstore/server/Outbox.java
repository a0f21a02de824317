package io.grantwire.xenstore.server;

import io.grantwire.xenstore.XsType;
import io.grantwire.xenstore.XsWire;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;

/**
 * What waits to be sent on one connection, in order. It is bounded on both kinds of message, so
 * that a client that does not read costs a known amount of memory: the caller takes no further
 * requests while {@link #full()}, and events beyond their limit are refused. An event that is
 * waiting already is not queued again, since the client reads the node only after it has the event.
 *
 * <p>Rules against XSA-326. Pure; one thread at a time.
 */
final class Outbox {
    private record Message(byte[] bytes, boolean isEvent, EventKey event) {}

    /** An event by its content. */
    private record EventKey(byte[] payload) {
        @Override
        public boolean equals(Object other) {
            return other instanceof EventKey k && Arrays.equals(payload, k.payload);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(payload);
        }
    }

    /** How an event was taken. */
    enum Taken {
        QUEUED,
        ALREADY_WAITING,
        REFUSED
    }

    private final Deque<Message> queue = new ArrayDeque<>();
    private final Set<EventKey> waiting = new HashSet<>();
    private final int maxReplies;
    private final int maxEvents;
    private int replies;
    private int events;
    private int sentOfFirst;

    /**
     * @param maxReplies from how many waiting replies on no more requests are to be taken
     * @param maxEvents how many events may wait
     */
    Outbox(int maxReplies, int maxEvents) {
        this.maxReplies = maxReplies;
        this.maxEvents = maxEvents;
    }

    boolean isEmpty() {
        return queue.isEmpty();
    }

    /** Whether replies have to be taken before more requests are handled. */
    boolean full() {
        return replies >= maxReplies;
    }

    int replies() {
        return replies;
    }

    int events() {
        return events;
    }

    void reply(int type, int reqId, int txId, byte[] payload) {
        queue.add(new Message(XsWire.encode(type, reqId, txId, payload), false, null));
        replies++;
    }

    /**
     * @param payload path and token, each with its NUL
     * @param special whether it is about a special watch: each of those counts
     */
    Taken event(byte[] payload, boolean special) {
        EventKey key = special ? null : new EventKey(payload);
        if (key != null && waiting.contains(key)) {
            return Taken.ALREADY_WAITING;
        }
        if (events >= maxEvents) {
            return Taken.REFUSED;
        }
        if (key != null) {
            waiting.add(key);
        }
        queue.add(new Message(XsWire.encode(XsType.WATCH_EVENT, 0, 0, payload), true, key));
        events++;
        return Taken.QUEUED;
    }

    /** Puts as many waiting bytes as fit into a buffer, without taking them off the queue. */
    void fill(ByteBuffer to) {
        int skip = sentOfFirst;
        for (Message m : queue) {
            int n = Math.min(to.remaining(), m.bytes.length - skip);
            to.put(m.bytes, skip, n);
            skip = 0;
            if (!to.hasRemaining()) {
                return;
            }
        }
    }

    /** Takes bytes off the queue that have been sent. */
    void sent(int count) {
        int left = count;
        while (left > 0) {
            Message first = queue.getFirst();
            int rest = first.bytes.length - sentOfFirst;
            if (left < rest) {
                sentOfFirst += left;
                return;
            }
            left -= rest;
            sentOfFirst = 0;
            queue.removeFirst();
            if (first.isEvent) {
                events--;
                if (first.event != null) {
                    waiting.remove(first.event);
                }
            } else {
                replies--;
            }
        }
    }

    /** Forgets what has not been begun to be sent. */
    void reset() {
        Message begun = sentOfFirst > 0 ? queue.getFirst() : null;
        queue.clear();
        waiting.clear();
        replies = 0;
        events = 0;
        if (begun != null) {
            queue.add(begun);
            if (begun.isEvent) {
                events++;
                if (begun.event != null) {
                    waiting.add(begun.event);
                }
            } else {
                replies++;
            }
        }
    }
}
