package io.grantwire.vswitch.forward;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** When a wire is looked at and how much is taken, by a clock that is set by hand. */
class RxCoalescingTest {
    private static final long LONGEST = 100_000;
    private static final int GUESTS = 64;
    private static final int RING = 4096;

    /** A time that a test sets, and that counts who wants to know it. */
    private static final class SetClock extends WorkerClock {
        private final long now;
        private int asked;

        SetClock(long now) {
            this.now = now;
        }

        @Override
        long now() {
            asked++;
            return now;
        }
    }

    private final RxCoalescing coalescing = coalescing(LONGEST, RING);

    /** One that has begun to count at the time 1. */
    private static RxCoalescing coalescing(long longest, int ring) {
        RxCoalescing c = new RxCoalescing(longest, ring);
        c.devices(GUESTS, GUESTS);
        for (int g = 0; g < RxCoalescing.FEWEST_GUESTS; g++) {
            c.gave(g, 1);
        }
        looked(c, 1, RxCoalescing.FEWEST_GUESTS);
        return c;
    }

    private static void looked(RxCoalescing c, long now, int n) {
        c.looked(new SetClock(now), n);
    }

    /** Up to then some guests got so many each, and now the wire has no more. */
    private static void looked(RxCoalescing c, long now, int guests, int each) {
        for (int g = 0; g < guests; g++) {
            c.gave(g, each);
        }
        looked(c, now - 1, guests * each);
        looked(c, now, 0);
    }

    private void looked(long now, int guests, int each) {
        looked(coalescing, now, guests, each);
    }

    private static void assertNextLook(RxCoalescing c, long at) {
        assertTrue(c.waiting());
        assertFalse(c.over(at - 1));
        assertTrue(c.over(at));
    }

    @Test
    void aQuietWireIsLookedAtInEveryRound() {
        for (long now = 1000; now < 10 * LONGEST; now += 1000) {
            // 100 frames in the longest time; two for each guest would be 128.
            coalescing.gave((int) (now / 1000) % GUESTS, 1);
            looked(coalescing, now, 1);
            assertFalse(coalescing.waiting());
        }
    }

    @Test
    void aBusyOneIsLeftAloneForNoLongerThanTheLongestTime() {
        looked(LONGEST + 1, GUESTS, 2);
        assertNextLook(coalescing, 2 * LONGEST + 1);
        looked(2 * LONGEST + 1, GUESTS, 2);
        assertNextLook(coalescing, 3 * LONGEST + 1);
        looked(3 * LONGEST + 1, GUESTS, 1);
        assertFalse(coalescing.waiting());
    }

    @Test
    void frameByFrameItIsKnownToBeBusyToo() {
        for (int i = 1; i <= 200; i++) {
            assertFalse(coalescing.waiting());
            coalescing.gave(i % GUESTS, 1);
            looked(coalescing, 1 + i * LONGEST / 200, 1);
        }
        assertTrue(coalescing.waiting());
    }

    @Test
    void theMoreComeTheShorterIsTheWait() {
        // A frame every 50 ns: after 51.2 microseconds there are sixteen for each guest.
        looked(LONGEST + 1, GUESTS, 31);
        assertNextLook(coalescing, LONGEST + 1 + LONGEST * 16 / 31);
    }

    @Test
    void theGuestThatGetsMostDoesNotGetMoreThanIsEnough() {
        coalescing.gave(7, 1600);
        looked(LONGEST + 1, GUESTS, 2);
        assertNextLook(coalescing, LONGEST + 1 + LONGEST * 16 / 1602);
    }

    @Test
    void noMoreIsWaitedForThanHalfTheRing() {
        RxCoalescing small = coalescing(LONGEST, 256);
        looked(small, LONGEST + 1, GUESTS, 10);
        assertNextLook(small, LONGEST + 1 + LONGEST * 128 / 640);
    }

    @Test
    void withFewGuestsThatGetAnyNoneWaits() {
        for (int i = 1; i < 10; i++) {
            looked(i * LONGEST + 1, RxCoalescing.FEWEST_GUESTS - 1, 16);
            assertFalse(coalescing.waiting());
        }
        looked(10 * LONGEST + 1, RxCoalescing.FEWEST_GUESTS, 16);
        looked(11 * LONGEST + 1, RxCoalescing.FEWEST_GUESTS, 16);
        assertTrue(coalescing.waiting());
    }

    @Test
    void fewGuestsNeedTwoBurstsToMakeItBusy() {
        looked(LONGEST + 1, 9, 7);
        assertFalse(coalescing.waiting());
        looked(2 * LONGEST + 1, 8, 8);
        assertTrue(coalescing.waiting());
    }

    @Test
    void theMoreGuestsGetAnyTheMoreBurstsAreTakenAtOnce() {
        assertEquals(1, coalescing.bursts());
        looked(LONGEST + 1, GUESTS, 4);
        assertEquals(32, coalescing.bursts(), "sixteen frames for each of 64");
        looked(2 * LONGEST + 1, 10, 40);
        assertEquals(6, coalescing.bursts());
        looked(3 * LONGEST + 1, 1, 400);
        assertEquals(1, coalescing.bursts());
    }

    @Test
    void aGuestThatGoesAndComesAgainCountsOnceInAPeriod() {
        for (int i = 0; i < 10; i++) {
            looked(i + 2, 7, 10);
        }
        looked(LONGEST + 1, 7, 10);
        assertFalse(coalescing.waiting(), "seven guests, not 77");
    }

    @Test
    void afterAPauseNothingWaitsUntilItIsKnownAgainHowManyCome() {
        looked(LONGEST + 1, GUESTS, 4);
        // For ten milliseconds the worker did not run, and what a full ring had no room for is
        // lost.
        long now = 10_000_000;
        looked(now, GUESTS, 16);
        assertFalse(coalescing.waiting());
        looked(now + LONGEST, GUESTS, 4);
        assertTrue(coalescing.waiting());
    }

    @Test
    void whatIsLeftThereIsTakenAtOnce() {
        looked(LONGEST + 1, GUESTS, 4);
        coalescing.gave(0, 32 * FrameSource.BURST);
        looked(coalescing, LONGEST + 2, 32 * FrameSource.BURST);
        assertFalse(coalescing.waiting());
        looked(coalescing, LONGEST + 3, 100);
        assertTrue(coalescing.waiting());
    }

    @Test
    void withoutAPeriodNothingWaits() {
        RxCoalescing none = coalescing(0, RING);
        for (long now = 1; now < 1000; now++) {
            looked(none, now, GUESTS, 8);
            assertFalse(none.waiting());
            looked(none, now, 0);
            assertFalse(none.waiting());
        }
    }

    @Test
    void whenDevicesComeOrGoAllBeginsAnew() {
        looked(LONGEST + 1, GUESTS, 4);
        assertTrue(coalescing.waiting());
        coalescing.devices(3 * GUESTS, GUESTS + 1);
        assertFalse(coalescing.waiting());
        assertEquals(1, coalescing.bursts());
        // The first look begins to count, up to the highest number.
        for (int g = 2 * GUESTS; g < 3 * GUESTS; g++) {
            coalescing.gave(g, 1);
        }
        looked(coalescing, LONGEST + 2, GUESTS);
        looked(2 * LONGEST + 2, GUESTS, 4);
        assertTrue(coalescing.waiting());
    }

    @Test
    void aWorkerWithFewGuestsDoesNotCount() {
        coalescing.devices(GUESTS, RxCoalescing.FEWEST_GUESTS - 1);
        assertFalse(coalescing.active());
        coalescing.devices(GUESTS, RxCoalescing.FEWEST_GUESTS);
        assertTrue(coalescing.active());
    }

    @Test
    void framesForFewGuestsDoNotPayForALookAtTheClock() {
        SetClock clock = new SetClock(LONGEST);
        coalescing.devices(GUESTS, GUESTS);
        for (int i = 0; i < 1000; i++) {
            coalescing.gave(i % (RxCoalescing.FEWEST_GUESTS - 1), FrameSource.BURST);
            coalescing.looked(clock, FrameSource.BURST);
        }
        assertEquals(0, clock.asked);
        coalescing.looked(clock, 0);
        for (int g = 0; g < RxCoalescing.FEWEST_GUESTS; g++) {
            coalescing.gave(g, 1);
        }
        coalescing.looked(clock, RxCoalescing.FEWEST_GUESTS);
        assertEquals(1, clock.asked);
    }

    @Test
    void guestsThatGetAFrameNowAndThenDoNotMakeAWireBusyThatIsOneGuests() {
        long now = 1;
        for (int i = 0; i < 10_000; i++) {
            now += 4000;
            coalescing.gave(0, FrameSource.BURST - 1);
            // In the longest time 25 bursts come; somebody else is in every twentieth.
            if (i % 20 == 0) {
                coalescing.gave(i / 20 % (GUESTS - 1) + 1, 1);
            }
            looked(coalescing, now, FrameSource.BURST);
            assertFalse(coalescing.waiting(), "look " + i);
            assertEquals(1, coalescing.bursts());
        }
    }

    @Test
    void onceTheOthersHaveGoneTheLastOneGetsABurstAtATimeAgain() {
        looked(LONGEST + 1, GUESTS, 4);
        assertEquals(32, coalescing.bursts());
        long now = LONGEST + 1;
        for (int i = 0; i < 100; i++) {
            now += 4000;
            coalescing.gave(0, FrameSource.BURST);
            looked(coalescing, now, FrameSource.BURST);
        }
        assertEquals(1, coalescing.bursts());
        assertFalse(coalescing.waiting());
    }
}
