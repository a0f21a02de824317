package io.grantwire.tools.cli;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A request to end, made once and seen by everyone. Thread-safe. */
public final class StopRequest {
    private final CountDownLatch latch = new CountDownLatch(1);
    private volatile String reason = "";
    private volatile boolean interrupted;

    /**
     * Asks for the end; later calls change nothing.
     *
     * @param why for people, for instance {@code SIGINT}
     * @param bySignal whether a person or the system cut the run short
     */
    public synchronized void request(String why, boolean bySignal) {
        if (latch.getCount() > 0) {
            reason = why;
            interrupted = bySignal;
            latch.countDown();
        }
    }

    /** Whether the end was asked for. */
    public boolean requested() {
        return latch.getCount() == 0;
    }

    /** Whether a signal asked for it. */
    public boolean interrupted() {
        return interrupted;
    }

    /** Why, or an empty string before the request. */
    public String reason() {
        return reason;
    }

    /**
     * Waits for the request.
     *
     * @return whether it was made within that time
     */
    public boolean await(Duration atMost) throws InterruptedException {
        return latch.await(atMost.toNanos(), TimeUnit.NANOSECONDS);
    }

    /** Waits for the request, however long it takes. */
    public void await() throws InterruptedException {
        latch.await();
    }
}
