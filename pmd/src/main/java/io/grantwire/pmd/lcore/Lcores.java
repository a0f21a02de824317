package io.grantwire.pmd.lcore;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** The lcores of this process: hands out ids, each to one thread at a time. */
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
     * @throws IllegalStateException when the id is taken
     */
    public static Lcore launch(int lcoreId, int cpu, String name, PollLoop loop) {
        return launch(lcoreId, cpu, name, loop, IdleStrategy.Backoff::new);
    }

    /** The same with another idle strategy. */
    public static Lcore launch(
            int lcoreId, int cpu, String name, PollLoop loop, Supplier<IdleStrategy> idle) {
        return PROCESS.start(lcoreId, cpu, name, loop, idle.get());
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
            int wanted, int cpu, String name, PollLoop loop, IdleStrategy idle) {
        if (wanted < -1 || wanted >= Lcore.MAX) {
            throw new IllegalArgumentException(
                    "lcore " + wanted + " is not in 0 to " + (Lcore.MAX - 1));
        }
        int id = wanted;
        if (id < 0) {
            // From the top, so that ids people choose stay free.
            for (id = Lcore.MAX - 1; id >= 0 && running[id] != null; id--) {}
            if (id < 0) {
                throw new IllegalStateException("all " + Lcore.MAX + " lcores are running");
            }
        } else if (running[id] != null) {
            throw new IllegalStateException("lcore " + id + " is running already");
        }
        Lcore lcore = new Lcore(this, id, cpu, name, loop, idle);
        running[id] = lcore;
        lcore.start();
        return lcore;
    }

    synchronized void ended(Lcore lcore) {
        running[lcore.id()] = null;
    }
}
