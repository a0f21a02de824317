package io.grantwire.tools.demo;

import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.lcore.PollLoop;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.EtherHeader;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.HdrHistogram.Histogram;

/**
 * Sends stamped frames and takes them back, on one polling thread. No more than a window of frames
 * is on its way at once, so that no ring along the way has to drop any; a frame that does not come
 * back while later ones do is lost, and so are all that are out when nothing comes back for {@link
 * #PATIENCE_NANOS}.
 *
 * <p>The counters are written by the polling thread and may be read by any.
 */
final class TrafficLoop implements PollLoop {
    /** Frames of a burst. */
    static final int BURST = 32;

    /** How long nothing may come back before what is out is given up. */
    static final long PATIENCE_NANOS = 12_000_000_000L;

    /** Longest time the histogram tells apart from longer ones. */
    private static final long MAX_LATENCY_NANOS = 60_000_000_000L;

    private static final VarHandle COUNTERS = MethodHandles.arrayElementVarHandle(long[].class);

    // The counters' places in the array: one cache line apart from everything else would be
    // wasted on a thread that writes them once per burst.
    private static final int SENT = 0;
    private static final int RECEIVED = 1;
    private static final int LOST = 2;
    private static final int CORRUPT = 3;
    private static final int DISORDERED = 4;
    private static final int FOREIGN = 5;
    private static final int COUNT = 6;

    private final EthDevice device;
    private final Mempool pool;
    private final TrafficPlan plan;
    private final StampedFrame frame;
    private final int[] mbufs = new int[BURST];
    private final int[] back = new int[BURST];
    private final long[] counters = new long[COUNT];
    private final Histogram latency = new Histogram(1, MAX_LATENCY_NANOS, 3);

    private long nextSequence;
    private long expected;
    private long startNanos;
    private long firstBackNanos;
    private long lastBackNanos;
    private volatile boolean stopSending;
    private volatile boolean finished;

    TrafficLoop(EthDevice device, Mempool pool, TrafficPlan plan) {
        this.device = device;
        this.pool = pool;
        this.plan = plan;
        this.frame = new StampedFrame(plan.length(), plan.dst(), plan.src(), plan.vlan());
    }

    @Override
    public int poll() {
        long now = System.nanoTime();
        if (startNanos == 0) {
            startNanos = now;
            lastBackNanos = now;
        }
        return receive(now) + send(now);
    }

    private int send(long now) {
        long out = nextSequence - expected;
        if (done(now)) {
            if (out == 0) {
                finished = true;
            } else if (now - lastBackNanos > PATIENCE_NANOS) {
                giveUp();
                finished = true;
            }
            return 0;
        }
        if (out > 0 && now - lastBackNanos > PATIENCE_NANOS) {
            giveUp();
            lastBackNanos = now;
            return 0;
        }
        // One frame finds out whether the way is open, before a whole window sets off.
        long room = (expected == 0 ? 1 : plan.window()) - out;
        if (plan.frames() > 0) {
            room = Math.min(room, plan.frames() - nextSequence);
        }
        int n = make((int) Math.min(room, BURST), now);
        if (n == 0) {
            return 0;
        }
        int sent = device.txBurst(0, mbufs, 0, n);
        if (sent < n) {
            Mempool.freeBulk(mbufs, sent, n - sent);
        }
        nextSequence += sent;
        add(SENT, sent);
        return sent;
    }

    private boolean done(long now) {
        return stopSending
                || plan.frames() > 0 && nextSequence >= plan.frames()
                || plan.nanos() > 0 && now - startNanos >= plan.nanos();
    }

    /** Fills {@link #mbufs} with the next frames; those not sent are made again. */
    private int make(int wanted, long now) {
        int n = 0;
        while (n < wanted) {
            int m = pool.alloc();
            if (m == 0) {
                break;
            }
            if (!Mbuf.append(m, plan.length())) {
                Mbuf.free(m);
                break;
            }
            frame.write(Mbuf.segment(m), Mbuf.offset(m), nextSequence + n, now);
            mbufs[n++] = m;
        }
        return n;
    }

    private int receive(long now) {
        int n = device.rxBurst(0, back, 0, BURST);
        if (n == 0) {
            return 0;
        }
        int good = 0;
        for (int i = 0; i < n; i++) {
            int m = back[i];
            if (take(Mbuf.segment(m), Mbuf.offset(m), Mbuf.pktLen(m), now)) {
                good++;
            }
        }
        Mempool.freeBulk(back, 0, n);
        if (good > 0) {
            lastBackNanos = now;
            add(RECEIVED, good);
        }
        return n;
    }

    private boolean take(MemorySegment memory, long at, int length, long now) {
        if (length != plan.length()
                || EtherHeader.dst(memory, at) != plan.expectDst()
                || EtherHeader.src(memory, at) != plan.expectSrc()
                || StampedFrame.vlan(memory, at) != plan.expectVlan()) {
            add(FOREIGN, 1);
            return false;
        }
        if (!frame.sameContent(memory, at)) {
            add(CORRUPT, 1);
            return false;
        }
        long sequence = StampedFrame.sequence(memory, at);
        if (sequence < expected || sequence >= nextSequence) {
            add(DISORDERED, 1);
            return false;
        }
        if (sequence > expected) {
            add(LOST, sequence - expected);
        }
        if (expected > 0) {
            // The first one found nobody awake yet: its time is the set-up's.
            long nanos = now - StampedFrame.nanos(memory, at);
            latency.recordValue(Math.max(1, Math.min(nanos, MAX_LATENCY_NANOS)));
        } else {
            firstBackNanos = now;
        }
        expected = sequence + 1;
        return true;
    }

    private void giveUp() {
        add(LOST, nextSequence - expected);
        expected = nextSequence;
    }

    private void add(int counter, long n) {
        // One writer; opaque so that readers see it soon and never torn.
        COUNTERS.setOpaque(counters, counter, counters[counter] + n);
    }

    private long get(int counter) {
        return (long) COUNTERS.getOpaque(counters, counter);
    }

    /** Ends the sending; what is out may still come back. */
    void stopSending() {
        stopSending = true;
    }

    /** Whether nothing more will be sent or is awaited. */
    boolean finished() {
        return finished;
    }

    /** Frames the port took. */
    long sent() {
        return get(SENT);
    }

    /** Frames that came back as they should. */
    long received() {
        return get(RECEIVED);
    }

    /** Frames that did not come back. */
    long lost() {
        return get(LOST);
    }

    /** Frames that came back with other content. */
    long corrupt() {
        return get(CORRUPT);
    }

    /** Frames that came back twice, or behind a later one. */
    long disordered() {
        return get(DISORDERED);
    }

    /** Frames that are none of ours, or have other addresses or another VLAN than expected. */
    long foreign() {
        return get(FOREIGN);
    }

    /** Seconds from the first frame back to the last; after the polling thread has ended. */
    double seconds() {
        return firstBackNanos == 0 ? 0 : (lastBackNanos - firstBackNanos) / 1e9;
    }

    /** Times from sending to coming back, in nanoseconds; after the polling thread has ended. */
    Histogram latency() {
        return latency;
    }
}
