package io.grantwire.vswitch.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import org.junit.jupiter.api.Test;

class LogBudgetTest {
    private static final long SECOND = 1_000_000_000L;

    @Test
    void aFewLinesAtOnceThenOnePerSecond() {
        LogBudget budget = new LogBudget();
        for (int i = 0; i < 20; i++) {
            assertEquals("", budget.ask(1, 5 * SECOND));
        }
        assertNull(budget.ask(1, 5 * SECOND));
        assertNull(budget.ask(1, 5 * SECOND + SECOND / 2));
        assertEquals(" (and 2 lines about this guest left out)", budget.ask(1, 6 * SECOND + 1));
        assertNull(budget.ask(1, 6 * SECOND + 2));
    }

    @Test
    void guestsDoNotShareIt() {
        LogBudget budget = new LogBudget();
        for (int i = 0; i < 100; i++) {
            budget.ask(1, SECOND);
        }
        assertEquals("", budget.ask(2, SECOND));
    }

    @Test
    void itDoesNotGrowBeyondItsSize() {
        LogBudget budget = new LogBudget();
        budget.ask(1, SECOND);
        for (int i = 0; i < 20; i++) {
            assertEquals("", budget.ask(1, 1000 * SECOND));
        }
        assertNull(budget.ask(1, 1000 * SECOND));
    }
}
