package io.grantwire.vswitch.forward;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class HoldTimerTest {
    @Test
    void framesWaitUntilTheTimeIsOverAndNotAfter() {
        HoldTimer t = new HoldTimer();
        assertTrue(t.mayWait(1000, 100));
        assertTrue(t.mayWait(1099, 100));
        assertFalse(t.mayWait(1100, 100));
        assertFalse(t.mayWait(5000, 100), "it does not begin to wait again by itself");
    }

    @Test
    void progressBeginsTheTimeAnew() {
        HoldTimer t = new HoldTimer();
        assertTrue(t.mayWait(1000, 100));
        assertFalse(t.mayWait(1200, 100));
        t.progressed();
        assertTrue(t.mayWait(1300, 100));
        assertTrue(t.mayWait(1399, 100));
        assertFalse(t.mayWait(1400, 100));
    }

    @Test
    void withoutTimeNothingWaits() {
        assertFalse(new HoldTimer().mayWait(1000, 0));
    }

    @Test
    void aClockThatIsNegativeWorksToo() {
        HoldTimer t = new HoldTimer();
        assertTrue(t.mayWait(-50, 100));
        assertTrue(t.mayWait(49, 100));
        assertFalse(t.mayWait(51, 100));
    }
}
