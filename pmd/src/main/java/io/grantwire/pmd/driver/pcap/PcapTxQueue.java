package io.grantwire.pmd.driver.pcap;

import io.grantwire.pmd.ethdev.QueueCounters;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A transmit queue into one capture file, or into nothing. One thread transmits; {@link #error} is
 * for any.
 */
final class PcapTxQueue {
    /** Frames wait in the buffer no longer than this while others follow, in nanoseconds. */
    private static final long FLUSH_NANOS = 500_000_000L;

    private static final VarHandle ERROR;

    static {
        try {
            ERROR = MethodHandles.lookup().findVarHandle(PcapTxQueue.class, "error", String.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final PcapWriter writer;
    private QueueCounters counters;
    private long lastFlush;

    // Written by the polling thread, with release; read by any, with acquire.
    private String error;

    PcapTxQueue(PcapWriter writer) {
        this.writer = writer;
    }

    void setUp(QueueCounters newCounters) {
        counters = newCounters;
    }

    String error() {
        return (String) ERROR.getAcquire(this);
    }

    int transmit(int[] mbufs, int offset, int count) {
        PcapWriter writer = this.writer;
        long now = writer == null ? 0 : writer.now();
        long bytes = 0;
        int tooLong = 0;
        int n = 0;
        while (n < count) {
            int m = mbufs[offset + n];
            int length = Mbuf.pktLen(m);
            if (length > PcapWriter.MAX_FRAME) {
                tooLong++;
            } else if (writer == null || writer.write(m, now)) {
                bytes += length;
            } else {
                noteError();
                break;
            }
            n++;
        }
        if (n > 0) {
            Mempool.freeBulk(mbufs, offset, n);
            counters.add(n - tooLong, bytes);
            if (writer != null && now - lastFlush > FLUSH_NANOS) {
                lastFlush = now;
                flush();
            }
        }
        if (tooLong > 0) {
            counters.addErrors(tooLong);
        }
        return n;
    }

    boolean flush() {
        if (writer == null || writer.flush()) {
            return true;
        }
        noteError();
        return false;
    }

    private void noteError() {
        if (error == null) {
            if (counters != null) {
                // Counted as good when they were accepted.
                counters.addErrors((int) writer.framesLost());
            }
            ERROR.setRelease(this, writer.error());
        }
    }

    void close() {
        if (writer != null) {
            writer.close();
            if (writer.error() != null) {
                noteError();
            }
        }
    }
}
