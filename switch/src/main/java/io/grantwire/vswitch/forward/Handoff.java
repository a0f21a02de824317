package io.grantwire.vswitch.forward;

import io.grantwire.pmd.ring.Ring;

/**
 * Frames on their way from one worker to another: pairs of an mbuf and its destination's token
 * through a ring with one producer and one consumer.
 */
final class Handoff {
    /** Frames the ring holds. */
    static final int CAPACITY = 1024;

    final Ring ring;

    private final int[] pairs = new int[2 * FrameSource.BURST];
    private int filled;

    /** Frames that the ring had room for when it was looked at last. */
    private int free = CAPACITY;

    /** For frames that wait for the other worker. */
    final HoldTimer hold = new HoldTimer();

    Handoff(int from, int to) {
        // Both sides always move whole pairs, so an even capacity never splits one.
        ring =
                Ring.create(
                        "handoff-" + from + "-" + to,
                        2 * CAPACITY,
                        Ring.Sync.SINGLE,
                        Ring.Sync.SINGLE);
    }

    /** Producer: whether {@link #put} would succeed; flushes when it has to. */
    boolean hasRoom() {
        if (filled == pairs.length) {
            flush();
        }
        return filled < pairs.length;
    }

    /** Producer: frames that may still come before it is full, or fewer. */
    int left() {
        return free - (filled >> 1);
    }

    /** Producer: adds a frame. Returns false when there is no room. */
    boolean put(int mbuf, int token) {
        if (!hasRoom()) {
            return false;
        }
        pairs[filled] = mbuf;
        pairs[filled + 1] = token;
        filled += 2;
        return true;
    }

    /** Producer: hands over what was added. */
    void flush() {
        int n = filled;
        if (n == 0) {
            return;
        }
        int moved = ring.enqueueBurst(pairs, 0, n);
        if (moved > 0) {
            hold.progressed();
        }
        if (moved < n) {
            System.arraycopy(pairs, moved, pairs, 0, n - moved);
        }
        filled = n - moved;
        free = ring.freeCount() >> 1;
    }

    /** Consumer: takes up to a burst of frames into a source that has none. */
    int take(int[] scratch, FrameSource source) {
        int n = ring.dequeueBurst(scratch, 0, 2 * FrameSource.BURST);
        for (int i = 0; i < n; i += 2) {
            source.keep(scratch[i], scratch[i + 1]);
        }
        return n >> 1;
    }

    /** After both workers have ended: empties it. Returns the frames, then 0. */
    int drain() {
        if (filled > 0) {
            filled -= 2;
            return pairs[filled];
        }
        int[] pair = new int[2];
        return ring.dequeueBulk(pair, 0, 2) == 2 ? pair[0] : 0;
    }
}
