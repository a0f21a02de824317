package io.grantwire.vswitch.monitor;

import java.util.HashMap;
import java.util.Map;

/**
 * Bounds how many log lines one guest can cause: a few at once, then one per second. What is left
 * out is counted and said with the next line.
 */
final class LogBudget {
    private static final int BURST = 20;
    private static final long NANOS_PER_LINE = 1_000_000_000L;

    private static final class Account {
        long lines = BURST;
        long last;
        long suppressed;
    }

    private final Map<Integer, Account> accounts = new HashMap<>();

    /**
     * Asks for a line about a guest.
     *
     * @return what to put behind it, possibly nothing; or null when the line is not to be written
     */
    String ask(int domid, long now) {
        Account a = accounts.computeIfAbsent(domid, d -> new Account());
        if (a.last == 0) {
            a.last = now;
        }
        long earned = (now - a.last) / NANOS_PER_LINE;
        if (earned > 0) {
            a.lines = Math.min(BURST, a.lines + earned);
            a.last += earned * NANOS_PER_LINE;
        }
        if (a.lines == 0) {
            a.suppressed++;
            return null;
        }
        a.lines--;
        long left = a.suppressed;
        a.suppressed = 0;
        return left == 0 ? "" : " (and " + left + " lines about this guest left out)";
    }
}
