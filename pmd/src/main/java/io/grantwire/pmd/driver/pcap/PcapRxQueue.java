package io.grantwire.pmd.driver.pcap;

import io.grantwire.pmd.ethdev.QueueCounters;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.EtherHeader;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A receive queue fed by one capture file, or by none. One thread receives; the getters are for
 * any.
 */
final class PcapRxQueue {
    /** Packets passed over in one call, at most: a burst must end soon. */
    private static final int MAX_SKIPPED = 256;

    private static final VarHandle FINISHED = handle("finished", boolean.class);
    private static final VarHandle ERROR = handle("error", String.class);
    private static final VarHandle PROBLEM = handle("problem", String.class);
    private static final VarHandle TRUNCATED = handle("truncated", long.class);
    private static final VarHandle FOREIGN = handle("foreign", long.class);
    private static final VarHandle RUNTS = handle("runts", long.class);

    private final PcapReader reader;
    private final boolean infinite;
    private Mempool pool;
    private QueueCounters counters;

    /** The reader's current packet has not found an mbuf yet. */
    private boolean pending;

    /** Frames received since the file's beginning: an endless file without any must end. */
    private long thisRound;

    // Written by the polling thread, with release; read by any, with acquire.
    private boolean finished;
    private String error;
    private String problem;
    private long truncated;
    private long foreign;
    private long runts;

    PcapRxQueue(PcapReader reader, boolean infinite) {
        this.reader = reader;
        this.infinite = infinite;
        this.finished = reader == null;
    }

    private static VarHandle handle(String field, Class<?> type) {
        try {
            return MethodHandles.lookup().findVarHandle(PcapRxQueue.class, field, type);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    void setUp(Mempool newPool, QueueCounters newCounters) {
        pool = newPool;
        counters = newCounters;
    }

    boolean finished() {
        return (boolean) FINISHED.getAcquire(this);
    }

    String error() {
        return (String) ERROR.getAcquire(this);
    }

    String problem() {
        return (String) PROBLEM.getAcquire(this);
    }

    long truncated() {
        return (long) TRUNCATED.getOpaque(this);
    }

    long foreign() {
        return (long) FOREIGN.getOpaque(this);
    }

    long runts() {
        return (long) RUNTS.getOpaque(this);
    }

    int receive(int[] mbufs, int offset, int count) {
        if (finished) {
            return 0;
        }
        PcapReader reader = this.reader;
        Mempool pool = this.pool;
        long bytes = 0;
        int n = 0;
        int skipped = 0;
        while (n < count && skipped < MAX_SKIPPED) {
            if (!pending && !reader.next()) {
                if (atEnd()) {
                    break;
                }
                skipped++;
                continue;
            }
            if (!usable(reader)) {
                pending = false;
                skipped++;
                continue;
            }
            int length = reader.capturedLength();
            int m = pool.allocChain(length);
            if (m == 0) {
                pending = true;
                counters.addNoMbuf(1);
                break;
            }
            pending = false;
            fill(m, reader);
            mbufs[offset + n++] = m;
            bytes += length;
        }
        if (n > 0) {
            thisRound += n;
            counters.add(n, bytes);
        }
        return n;
    }

    private static void fill(int m, PcapReader reader) {
        MemorySegment from = reader.segment();
        long at = reader.offset();
        for (int s = m; s != 0; s = Mbuf.next(s)) {
            int len = Mbuf.dataLen(s);
            MemorySegment.copy(from, at, Mbuf.segment(s), Mbuf.offset(s), len);
            at += len;
        }
    }

    /** Whether the current packet is a whole Ethernet frame; counts it when it is not. */
    private boolean usable(PcapReader reader) {
        if (reader.linkType() == PcapReader.LINKTYPE_ETHERNET
                && !reader.isTruncated()
                && reader.capturedLength() >= EtherHeader.LENGTH) {
            return true;
        }
        counters.addErrors(1);
        if (reader.linkType() != PcapReader.LINKTYPE_ETHERNET) {
            FOREIGN.setOpaque(this, foreign + 1);
        } else if (reader.isTruncated()) {
            TRUNCATED.setOpaque(this, truncated + 1);
        } else {
            RUNTS.setOpaque(this, runts + 1);
        }
        if (problem == null) {
            PROBLEM.setRelease(this, describe(reader));
        }
        return false;
    }

    private static String describe(PcapReader reader) {
        if (reader.linkType() != PcapReader.LINKTYPE_ETHERNET) {
            return reader.describe(
                    "link type " + reader.linkType() + " is not Ethernet (1); passed over");
        }
        if (reader.isTruncated()) {
            return reader.describe(
                    "captured "
                            + reader.capturedLength()
                            + " of "
                            + Integer.toUnsignedString(reader.originalLength())
                            + " bytes; passed over, capture with a larger snaplen (tcpdump -s 0)");
        }
        return reader.describe(
                reader.capturedLength() + " bytes are no Ethernet frame; passed over");
    }

    /** Whether there is nothing more to read; starts over when the file is endless. */
    private boolean atEnd() {
        if (reader.error() == null && infinite && thisRound > 0) {
            thisRound = 0;
            if (reader.rewind()) {
                return false;
            }
        }
        if (reader.error() != null) {
            counters.addErrors(1);
            ERROR.setRelease(this, reader.error());
        }
        FINISHED.setRelease(this, true);
        return true;
    }
}
