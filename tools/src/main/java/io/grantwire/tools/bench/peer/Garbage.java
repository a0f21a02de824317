package io.grantwire.tools.bench.peer;

/**
 * A thread that allocates at a steady rate, as statistics, logs and a store's watches do, so that
 * there is something to collect. Keeps a part of it for a while.
 */
final class Garbage implements AutoCloseable {
    private static final int PIECE = 1024;
    private static final int KEPT = 8192;
    private static final int TICK_MILLIS = 10;

    private final Thread thread;
    private volatile boolean stop;

    private Garbage(int megabytesPerSecond) {
        int pieces = megabytesPerSecond * 1024 * TICK_MILLIS / 1000;
        thread = new Thread(() -> run(pieces), "garbage");
        thread.setDaemon(true);
    }

    /**
     * Starts it.
     *
     * @param megabytesPerSecond how much; 0 for none
     */
    static Garbage start(int megabytesPerSecond) {
        Garbage garbage = new Garbage(megabytesPerSecond);
        if (megabytesPerSecond > 0) {
            garbage.thread.start();
        }
        return garbage;
    }

    private void run(int pieces) {
        byte[][] kept = new byte[KEPT][];
        int at = 0;
        while (!stop) {
            for (int i = 0; i < pieces; i++) {
                kept[at] = new byte[PIECE];
                at = (at + 1) % KEPT;
            }
            try {
                Thread.sleep(TICK_MILLIS);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    @Override
    public void close() {
        stop = true;
        thread.interrupt();
    }
}
