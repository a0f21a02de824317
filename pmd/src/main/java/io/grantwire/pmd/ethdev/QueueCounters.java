package io.grantwire.pmd.ethdev;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The counters of one direction of one queue. One thread, the queue's, writes; any thread reads.
 * Written opaque: a reader sees each counter whole and soon, but not several of one instant.
 */
public final class QueueCounters extends QueueCountersFields {
    private static final VarHandle PACKETS = handle("packets");
    private static final VarHandle BYTES = handle("bytes");
    private static final VarHandle ERRORS = handle("errors");
    private static final VarHandle MISSED = handle("missed");
    private static final VarHandle NOMBUF = handle("nombuf");

    @SuppressWarnings("unused")
    private long q0, q1, q2, q3, q4, q5, q6, q7, q8, q9, qa, qb, qc, qd, qe, qf;

    /** All zero. */
    public QueueCounters() {}

    private static VarHandle handle(String field) {
        try {
            return MethodHandles.lookup().findVarHandle(QueueCounters.class, field, long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** Counts a burst of good frames; once per burst. */
    public void add(int frames, long bytesInThem) {
        PACKETS.setOpaque(this, packets + frames);
        BYTES.setOpaque(this, bytes + bytesInThem);
    }

    /** Counts bad frames. */
    public void addErrors(int frames) {
        ERRORS.setOpaque(this, errors + frames);
    }

    /** Counts frames lost because the receive ring was full. */
    public void addMissed(int frames) {
        MISSED.setOpaque(this, missed + frames);
    }

    /** Counts receive attempts that found the mempool empty. */
    public void addNoMbuf(int attempts) {
        NOMBUF.setOpaque(this, nombuf + attempts);
    }

    /** Good frames. */
    public long packets() {
        return (long) PACKETS.getOpaque(this);
    }

    /** Bytes in the good frames, without CRC. */
    public long bytes() {
        return (long) BYTES.getOpaque(this);
    }

    /** Bad frames. */
    public long errors() {
        return (long) ERRORS.getOpaque(this);
    }

    /** Frames lost because the receive ring was full. */
    public long missed() {
        return (long) MISSED.getOpaque(this);
    }

    /** Receive attempts that found the mempool empty. */
    public long noMbuf() {
        return (long) NOMBUF.getOpaque(this);
    }
}

@SuppressWarnings("unused")
class QueueCountersFrontPad {
    private long p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, pa, pb, pc, pd, pe, pf;
}

class QueueCountersFields extends QueueCountersFrontPad {
    long packets;
    long bytes;
    long errors;
    long missed;
    long nombuf;
}
