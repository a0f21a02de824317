package io.grantwire.vswitch.count;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The counters of one direction of one port: good frames and their bytes, and drops by reason.
 *
 * <p>One thread writes, any thread reads: a reader sees each counter whole and soon, but not
 * several of one instant. No cache line is shared with anything else.
 */
public final class FrameCounters {
    private static final VarHandle LONG = MethodHandles.arrayElementVarHandle(long[].class);
    private static final DropReason[] REASONS = DropReason.values();
    private static final int PAD = 16;
    private static final int FRAMES = PAD;
    private static final int BYTES = PAD + 1;
    private static final int DROPS = PAD + 2;

    private final long[] counters = new long[DROPS + REASONS.length + PAD];

    /** All zero. */
    public FrameCounters() {}

    private void add(int index, long n) {
        LONG.setOpaque(counters, index, counters[index] + n);
    }

    private long get(int index) {
        return (long) LONG.getOpaque(counters, index);
    }

    /** Counts good frames; once per burst. */
    public void count(int frames, long bytes) {
        add(FRAMES, frames);
        add(BYTES, bytes);
    }

    /** Counts lost frames. */
    public void drop(DropReason reason, int frames) {
        add(DROPS + reason.ordinal(), frames);
    }

    /** Good frames. */
    public long frames() {
        return get(FRAMES);
    }

    /** Bytes of the good frames, without CRC. */
    public long bytes() {
        return get(BYTES);
    }

    /** Frames lost for one reason. */
    public long dropped(DropReason reason) {
        return get(DROPS + reason.ordinal());
    }

    /** Frames lost for all reasons. */
    public long dropped() {
        long sum = 0;
        for (int i = 0; i < REASONS.length; i++) {
            sum += get(DROPS + i);
        }
        return sum;
    }
}
