package io.grantwire.vswitch.forward;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** When a wire is looked at, by a clock that is set by hand. */
class RxCoalescingTest {
    private static final long LONGEST = 50_000;
    private static final int GUESTS = 64;
    private static final int RING = 4096;

    private final RxCoalescing coalescing = new RxCoalescing(LONGEST, RING);

    RxCoalescingTest() {
        coalescing.guests(GUESTS);
    }

    /** From here on the wire is known to be busy, and empty. */
    private void busyAt(long now) {
        coalescing.looked(now - LONGEST, 0, true);
        coalescing.looked(now, GUESTS, true);
    }

    @Test
    void aQuietWireIsLookedAtInEveryRound() {
        coalescing.looked(LONGEST, 0, true);
        for (long now = LONGEST + 1000; now < 10 * LONGEST; now += 1000) {
            assertTrue(coalescing.mayLook(now));
            // 50 frames in the longest time, and there are 64 guests.
            coalescing.looked(now, 1, true);
        }
    }

    @Test
    void aBusyOneIsLeftAloneForNoLongerThanTheLongestTime() {
        busyAt(LONGEST);
        assertFalse(coalescing.mayLook(LONGEST + 1));
        assertFalse(coalescing.mayLook(2 * LONGEST - 1));
        assertTrue(coalescing.mayLook(2 * LONGEST));
    }

    @Test
    void andGoesOnBeingLeftAloneWhileItStaysBusy() {
        busyAt(LONGEST);
        coalescing.looked(2 * LONGEST, GUESTS, true);
        assertFalse(coalescing.mayLook(3 * LONGEST - 1));
        coalescing.looked(3 * LONGEST, GUESTS - 1, true);
        assertTrue(coalescing.mayLook(3 * LONGEST + 1));
    }

    @Test
    void theMoreComeTheShorterIsTheWait() {
        coalescing.looked(LONGEST, 0, true);
        // A frame every 25 ns: after 12.8 microseconds there are eight for each guest.
        coalescing.looked(2 * LONGEST, 2000, true);
        assertFalse(coalescing.mayLook(2 * LONGEST + 12_799));
        assertTrue(coalescing.mayLook(2 * LONGEST + 12_800));
    }

    @Test
    void noMoreIsWaitedForThanHalfTheRing() {
        RxCoalescing small = new RxCoalescing(LONGEST, 256);
        small.guests(GUESTS);
        small.looked(LONGEST, 0, true);
        small.looked(2 * LONGEST, 2000, true);
        assertFalse(small.mayLook(2 * LONGEST + 3_199));
        assertTrue(small.mayLook(2 * LONGEST + 3_200));
    }

    @Test
    void afterAPauseNothingWaitsUntilItIsKnownAgainHowManyCome() {
        busyAt(LONGEST);
        // For ten milliseconds the worker did not run, and what a full ring had no room for is
        // lost.
        long now = 10_000_000;
        coalescing.looked(now, 512, false);
        coalescing.looked(now + 1, 10, true);
        assertTrue(coalescing.mayLook(now + 2));
        coalescing.looked(now + LONGEST, GUESTS, true);
        assertFalse(coalescing.mayLook(now + LONGEST + 1));
    }

    @Test
    void whatIsLeftThereIsTakenAtOnce() {
        busyAt(LONGEST);
        coalescing.looked(2 * LONGEST, 512, false);
        assertTrue(coalescing.mayLook(2 * LONGEST + 1));
        coalescing.looked(2 * LONGEST + 1, 100, true);
        assertFalse(coalescing.mayLook(2 * LONGEST + 2));
        assertTrue(coalescing.mayLook(3 * LONGEST));
    }

    @Test
    void fewGuestsNeedABurstToMakeItBusy() {
        coalescing.guests(8);
        coalescing.looked(0, 0, true);
        coalescing.looked(LONGEST, FrameSource.BURST - 1, true);
        assertTrue(coalescing.mayLook(LONGEST + 1));
        coalescing.looked(2 * LONGEST, FrameSource.BURST, true);
        assertFalse(coalescing.mayLook(2 * LONGEST + 1));
    }

    @Test
    void withoutAPeriodNothingWaits() {
        RxCoalescing none = new RxCoalescing(0, RING);
        none.guests(GUESTS);
        for (long now = 1; now < 1000; now++) {
            none.looked(now, 512, true);
            assertTrue(none.mayLook(now));
        }
    }
}
