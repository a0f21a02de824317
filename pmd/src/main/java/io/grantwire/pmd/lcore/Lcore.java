package io.grantwire.pmd.lcore;

import io.grantwire.bindings.CpuAffinity;
import java.time.Duration;

/**
 * A running lcore: a polling thread with an id of its own, usually pinned to a CPU. Made by {@link
 * Lcores#launch}.
 */
public final class Lcore {
    /** Ids are below this. */
    public static final int MAX = 128;

    private final int cpu;
    private final PollLoop loop;
    private final IdleStrategy idle;
    private final LcoreThread thread;
    private final Lcores owner;
    // Written by any thread, read once per round, not per packet.
    private volatile boolean stop;
    private volatile Throwable failure;

    Lcore(Lcores owner, int id, int cpu, String name, PollLoop loop, IdleStrategy idle) {
        this.owner = owner;
        this.cpu = cpu;
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
            if (cpu >= 0) {
                CpuAffinity.pinCurrentThread(cpu);
            }
            while (!stop) {
                idle.idle(loop.poll());
            }
        } catch (Throwable e) {
            failure = e;
        } finally {
            owner.ended(this);
        }
    }

    /** Its id. */
    public int id() {
        return thread.lcoreId;
    }

    /** The CPU it is pinned to, or -1. */
    public int cpu() {
        return cpu;
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
     * Waits for its end.
     *
     * @return whether it ended in time
     */
    public boolean join(Duration atMost) throws InterruptedException {
        return thread.join(atMost);
    }

    /** What {@link PollLoop#poll} or the pinning threw, or null while all is well. */
    public Throwable failure() {
        return failure;
    }
}
