package io.grantwire.xenstore.server;

/**
 * Slows a guest's writes down while another domain has a transaction open: each such write can make
 * that transaction fail, and a guest that never stops would keep it from ever being committed. A
 * bucket of {@value #BURST} writes refills with {@value #PER_SECOND} per second; in debt, the
 * guest's requests wait. xenstored has the same rule with other numbers (XSA-206).
 *
 * <p>Pure; times are {@link System#nanoTime} values handed in.
 */
final class WriteCredit {
    static final int BURST = 100;
    static final int PER_SECOND = 200;

    private static final long NANOS_PER_WRITE = 1_000_000_000L / PER_SECOND;

    private long nanosOfCredit = BURST * NANOS_PER_WRITE;
    private long updated;
    private boolean started;

    /** Takes one write off. */
    void spend(long now) {
        refill(now);
        nanosOfCredit -= NANOS_PER_WRITE;
    }

    /** How long requests have to wait; 0 when they need not. */
    long nanosToWait(long now) {
        refill(now);
        return Math.max(0, -nanosOfCredit);
    }

    private void refill(long now) {
        if (started) {
            nanosOfCredit =
                    Math.min(BURST * NANOS_PER_WRITE, nanosOfCredit + Math.max(0, now - updated));
        }
        started = true;
        updated = now;
    }
}
