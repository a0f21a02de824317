package io.grantwire.vswitch.forward;

/**
 * Where a worker gets mbufs from, an uplink's queue or another worker: the frames of the last burst
 * that are not delivered yet, each with its destination's token. The source is asked for more only
 * when there are none.
 */
final class FrameSource {
    /** Frames taken at once from anything. */
    static final int BURST = 32;

    final int[] mbufs;
    final int[] tokens;
    int count;

    /** For a wire that everybody's frames come from, when and how much to take; null for others. */
    final RxCoalescing coalescing;

    /** A source of a burst at a time. */
    FrameSource() {
        this(BURST, null);
    }

    private FrameSource(int room, RxCoalescing coalescing) {
        mbufs = new int[room];
        tokens = new int[room];
        this.coalescing = coalescing;
    }

    /** A wire, which may bring several bursts at once. */
    static FrameSource ofWire(RxCoalescing coalescing) {
        return new FrameSource(RxCoalescing.MAX_BURSTS * BURST, coalescing);
    }

    /** Whether a frame for this destination waits here; later ones may not overtake it. */
    boolean keeps(int token) {
        for (int i = 0; i < count; i++) {
            if (tokens[i] == token) {
                return true;
            }
        }
        return false;
    }

    void keep(int mbuf, int token) {
        mbufs[count] = mbuf;
        tokens[count] = token;
        count++;
    }
}
