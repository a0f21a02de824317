package io.grantwire.vswitch.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class StartBudgetTest {
    private static final long SECOND = 1_000_000_000L;

    private final StartBudget budget = new StartBudget();

    private int startAll(int domid, long now) {
        int n = 0;
        while (budget.has(domid, now)) {
            budget.spend(domid);
            n++;
        }
        return n;
    }

    @Test
    void aGuestMayStartAllItsDevicesAtOnceAndThenFivePerSecond() {
        assertEquals(StartBudget.BURST, startAll(1, SECOND));
        assertEquals(0, startAll(1, SECOND));
        assertEquals(5, startAll(1, 2 * SECOND));
        assertEquals(StartBudget.BURST, startAll(1, 1000 * SECOND));
    }

    @Test
    void oneGuestsStartsCostAnotherNothing() {
        startAll(1, SECOND);
        assertFalse(budget.has(1, SECOND));
        assertTrue(budget.has(2, SECOND));
    }
}
