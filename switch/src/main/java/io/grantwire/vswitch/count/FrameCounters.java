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
    private static final VarHandle FRAMES;
    private static final VarHandle BYTES;
    private static final VarHandle DROP = MethodHandles.arrayElementVarHandle(long[].class);
    private static final DropReason[] REASONS = DropReason.values();
    private static final int PAD = 16;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            FRAMES = lookup.findVarHandle(FrameCounters.class, "frames", long.class);
            BYTES = lookup.findVarHandle(FrameCounters.class, "bytes", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    // What is counted in every burst is in the object itself, one line instead of two; fields of
    // one size are laid out in this order.
    @SuppressWarnings("unused")
    private long before1, before2, before3, before4, before5, before6, before7;

    private long frames;
    private long bytes;

    @SuppressWarnings("unused")
    private long after1, after2, after3, after4, after5, after6, after7;

    private final long[] drops = new long[PAD + REASONS.length + PAD];

    /** All zero. */
    public FrameCounters() {}

    /** Counts good frames; once per burst. */
    public void count(int frames, long bytes) {
        FRAMES.setOpaque(this, this.frames + frames);
        BYTES.setOpaque(this, this.bytes + bytes);
    }

    /** Counts lost frames. */
    public void drop(DropReason reason, int frames) {
        int at = PAD + reason.ordinal();
        DROP.setOpaque(drops, at, drops[at] + frames);
    }

    /** Good frames. */
    public long frames() {
        return (long) FRAMES.getOpaque(this);
    }

    /** Bytes of the good frames, without CRC. */
    public long bytes() {
        return (long) BYTES.getOpaque(this);
    }

    /** Frames lost for one reason. */
    public long dropped(DropReason reason) {
        return (long) DROP.getOpaque(drops, PAD + reason.ordinal());
    }

    /** Frames lost for all reasons. */
    public long dropped() {
        long sum = 0;
        for (DropReason reason : REASONS) {
            sum += dropped(reason);
        }
        return sum;
    }
}
