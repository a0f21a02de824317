package io.grantwire.pmd.lcore;

import io.grantwire.bindings.CpuAffinity;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running lcore: a polling thread with an id of its own, usually pinned to a CPU. Made by {@link
 * Lcores#launch}. All methods may be called by any thread.
 */
public final class Lcore {
    /** Ids are below this. */
    public static final int MAX = 128;

    private static final Logger LOG = LoggerFactory.getLogger(Lcore.class);

    private final int[] cpus;
    private final PollLoop loop;
    private final IdleStrategy idle;
    private final LcoreThread thread;
    private final Lcores owner;
    // Read once per round, not per packet.
    private volatile boolean stop;
    private volatile Throwable failure;

    Lcore(Lcores owner, int id, int[] cpus, String name, PollLoop loop, IdleStrategy idle) {
        this.owner = owner;
        this.cpus = cpus;
        this.loop = loop;
        this.idle = idle;
        this.thread = new LcoreThread(id, name, this::run);
    }

    /** The id of the lcore that the calling thread is, or -1 for any other thread. */
    public static int currentId() {
        return Thread.currentThread() instanceof LcoreThread t ? t.lcoreId : -1;
    }

    void start() {
        thread.start();
    }

    private void run() {
        try {
            if (cpus.length > 0) {
                CpuAffinity.restrictCurrentThread(cpus);
            }
            PollLoop loop = this.loop;
            IdleStrategy idle = this.idle;
            while (!stop) {
                try {
                    while (!stop) {
                        idle.idle(loop.poll());
                    }
                } catch (InternalError fault) {
                    if (!loop.survives(fault)) {
                        throw fault;
                    }
                }
            }
        } catch (Throwable e) {
            failure = e;
            LOG.error("lcore {} ({}) ended: {}", id(), thread.getName(), e.toString());
            LOG.debug("lcore {} ended", id(), e);
        } finally {
            owner.ended(this);
        }
    }

    /** Its id. */
    public int id() {
        return thread.lcoreId;
    }

    /** The name of its thread. */
    public String name() {
        return thread.getName();
    }

    /** The CPUs it may run on; empty when it may run on any. */
    public int[] cpus() {
        return cpus.clone();
    }

    /** Asks it to end after the current round; returns at once. */
    public void stop() {
        stop = true;
    }

    /** Whether its thread has not ended yet. */
    public boolean isRunning() {
        return thread.isAlive();
    }

    /**
     * Waits for its end; afterwards everything it did is visible to the caller.
     *
     * @return whether it ended in time
     */
    public boolean join(Duration atMost) throws InterruptedException {
        return thread.join(atMost);
    }

    /** What {@link PollLoop#poll} or the pinning threw; null while all is well. */
    public Throwable failure() {
        return failure;
    }

    @Override
    public String toString() {
        return "lcore " + id() + " (" + name() + ")";
    }
}
