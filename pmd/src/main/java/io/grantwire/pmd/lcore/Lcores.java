package io.grantwire.pmd.lcore;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Supplier;

/** The lcores of this process: hands out ids, each to one thread at a time. Any thread. */
public final class Lcores {
    private static final Lcores PROCESS = new Lcores();

    private final Lcore[] running = new Lcore[Lcore.MAX];

    private Lcores() {}

    /**
     * Starts a polling thread that backs off when idle.
     *
     * @param lcoreId 0 to {@link Lcore#MAX} - 1, or -1 for any free one
     * @param cpu the CPU to pin it to, or -1 for none
     * @param name the thread's name
     * @param loop what it does; an exception ends the lcore and is its {@link Lcore#failure}
     * @throws IllegalStateException when the id is taken
     */
    public static Lcore launch(int lcoreId, int cpu, String name, PollLoop loop) {
        return launch(lcoreId, cpu, name, loop, IdleStrategy.Backoff::new);
    }

    /** The same with another idle strategy. */
    public static Lcore launch(
            int lcoreId, int cpu, String name, PollLoop loop, Supplier<IdleStrategy> idle) {
        int[] cpus = cpu < 0 ? new int[0] : new int[] {cpu};
        return PROCESS.start(lcoreId, cpus, name, loop, idle.get());
    }

    /** The same for an lcore that may run on several CPUs. */
    public static Lcore launch(
            LcoreSet.Entry lcore, String name, PollLoop loop, Supplier<IdleStrategy> idle) {
        int[] cpus = lcore.cpus().stream().mapToInt(Integer::intValue).toArray();
        return PROCESS.start(lcore.id(), cpus, name, loop, idle.get());
    }

    /**
     * Stops lcores and waits for their end.
     *
     * @param atMost how long to wait for all of them together
     * @return those that did not end in time; usually none
     */
    public static List<Lcore> stop(Collection<Lcore> lcores, Duration atMost)
            throws InterruptedException {
        lcores.forEach(Lcore::stop);
        long deadline = System.nanoTime() + atMost.toNanos();
        List<Lcore> left = new ArrayList<>();
        for (Lcore l : lcores) {
            if (!l.join(Duration.ofNanos(Math.max(1, deadline - System.nanoTime())))) {
                left.add(l);
            }
        }
        return left;
    }

    /** The lcores whose threads are running now. */
    public static List<Lcore> running() {
        return PROCESS.list();
    }

    private synchronized List<Lcore> list() {
        List<Lcore> all = new ArrayList<>();
        for (Lcore l : running) {
            if (l != null) {
                all.add(l);
            }
        }
        return all;
    }

    private synchronized Lcore start(
            int wanted, int[] cpus, String name, PollLoop loop, IdleStrategy idle) {
        if (wanted < -1 || wanted >= Lcore.MAX) {
            throw new IllegalArgumentException(
                    "lcore " + wanted + " is not in 0 to " + (Lcore.MAX - 1));
        }
        int id = wanted;
        if (id < 0) {
            id = lastFree();
        } else if (running[id] != null) {
            throw new IllegalStateException(running[id] + " is running already");
        }
        Lcore lcore = new Lcore(this, id, cpus, name, loop, idle);
        running[id] = lcore;
        try {
            lcore.start();
        } catch (Throwable e) {
            running[id] = null;
            throw e;
        }
        return lcore;
    }

    /** From the top, so that the ids people choose stay free. */
    private int lastFree() {
        for (int id = Lcore.MAX - 1; id >= 0; id--) {
            if (running[id] == null) {
                return id;
            }
        }
        throw new IllegalStateException("all " + Lcore.MAX + " lcores are running");
    }

    synchronized void ended(Lcore lcore) {
        running[lcore.id()] = null;
    }
}
