package io.grantwire.pmd.driver.igb;

import java.util.concurrent.locks.LockSupport;

/** Waiting for hardware; not on the packet path. */
final class Pause {
    private Pause() {}

    /** Waits at least that long. */
    static void micros(long micros) {
        long end = System.nanoTime() + micros * 1000;
        for (long left = micros * 1000; left > 0; left = end - System.nanoTime()) {
            if (Thread.currentThread().isInterrupted()) {
                // Parking would return at once.
                Thread.onSpinWait();
            } else {
                LockSupport.parkNanos(left);
            }
        }
    }
}
