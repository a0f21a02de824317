package io.grantwire.vswitch.monitor;

import java.util.HashMap;
import java.util.Map;

/**
 * Bounds how often one guest can have a device started: every device of two full sets at once, then
 * a few per second. What is over waits, and nobody else does. Without it a guest that keeps
 * changing its keys would have its pools mapped and unmapped, and log lines written, without end.
 */
final class StartBudget {
    /** Starts at once: all devices of a guest, twice. */
    static final int BURST = 64;

    private static final long NANOS_PER_START = 200_000_000L;

    private static final class Account {
        int starts = BURST;
        long last;
    }

    private final Map<Integer, Account> accounts = new HashMap<>();

    /** Whether the guest may have a device started now. */
    boolean has(int domid, long now) {
        Account a = accounts.get(domid);
        if (a == null) {
            a = new Account();
            a.last = now;
            accounts.put(domid, a);
        }
        long earned = (now - a.last) / NANOS_PER_START;
        if (earned > 0) {
            a.starts = (int) Math.min(BURST, a.starts + earned);
            a.last += earned * NANOS_PER_START;
        }
        return a.starts > 0;
    }

    /** Takes one start off; {@link #has} said that there is one. */
    void spend(int domid) {
        accounts.get(domid).starts--;
    }
}
