package io.grantwire.vswitch.forward;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.vswitch.testkit.Frames;
import io.grantwire.vswitch.testkit.ModelGuest;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A worker with so many guests that idle ones are not looked at in every round. */
class ManyGuestsTest extends WorkerBed {
    private static final int GUESTS = 64;
    private static final int LONGEST_SKIP = 8;

    @Test
    void anIdleGuestIsServedSoonAndABusyOneInEveryRound() {
        hold = HOLD;
        start(1, new int[GUESTS]);
        for (int i = 0; i < 100; i++) {
            workers.get(0).poll();
        }
        for (int g = 0; g < GUESTS; g++) {
            guests.get(g).send(frame(STRANGER, g));
        }
        for (int i = 0; i < LONGEST_SKIP; i++) {
            workers.get(0).poll();
        }
        assertEquals(GUESTS, sent().size());
        for (int i = 0; i < 100; i++) {
            guests.get(7).send(frame(STRANGER, i));
            workers.get(0).poll();
            assertEquals(1, sent().size(), "round " + i);
            guests.get(7).reclaim();
        }
    }

    @Test
    void noGuestIsForgottenHoweverManyThereAre() {
        int most = 150;
        hold = HOLD;
        start(1, new int[most]);
        for (int i = 0; i < 100; i++) {
            workers.get(0).poll();
        }
        for (int round = 0; round < 20; round++) {
            for (int g = round % 3; g < most; g += 3) {
                guests.get(g).send(frame(STRANGER, g));
            }
            for (int i = 0; i < LONGEST_SKIP; i++) {
                workers.get(0).poll();
            }
            assertEquals(most / 3, sent().size(), "round " + round);
            for (int g = round % 3; g < most; g += 3) {
                guests.get(g).reclaim();
            }
        }
    }

    @Test
    void everyGuestGetsItsOwnFrames() {
        hold = HOLD;
        start(1, new int[GUESTS]);
        for (int i = 0; i < 10 * GUESTS; i++) {
            int g = i * 17 % GUESTS;
            wire.in.add(Frames.tagged(frame(MAC + g, i), 1000 + g));
        }
        for (int i = 0; i < 40; i++) {
            workers.get(0).poll();
        }
        for (int g = 0; g < GUESTS; g++) {
            List<byte[]> got = guests.get(g).receive();
            assertEquals(10, got.size());
            int last = -1;
            for (byte[] f : got) {
                assertTrue(Frames.seed(f) > last, "out of order");
                last = Frames.seed(f);
                assertEquals(g, last * 17 % GUESTS);
            }
        }
    }

    @Test
    void aRoundTakesMoreFromTheWireWhenMoreGuestsShareIt() {
        hold = HOLD;
        start(1, new int[GUESTS]);
        for (int i = 0; i < 40 * 32; i++) {
            wire.in.add(Frames.tagged(frame(MAC + i % GUESTS, i), 1000 + i % GUESTS));
        }
        workers.get(0).poll();
        assertEquals(39 * 32, wire.in.size(), "nobody knows yet");
        workers.get(0).poll();
        assertEquals(38 * 32, wire.in.size(), "how many get some");
        workers.get(0).poll();
        assertEquals(21 * 32, wire.in.size(), "32 got one each");
        workers.get(0).poll();
        assertEquals(0, wire.in.size(), "64 got eight or nine each");
        for (int g = 0; g < GUESTS; g++) {
            assertEquals(20, guests.get(g).receive().size());
        }
    }

    @Test
    void anOnlyBusyGuestGetsBurstsAsIfItWereAlone() {
        hold = HOLD;
        coalesce = 100_000;
        start(1, new int[GUESTS]);
        for (int i = 0; i < 4 * 32; i++) {
            wire.in.add(Frames.tagged(frame(MAC + 3, i), 1003));
        }
        for (int i = 1; i <= 4; i++) {
            workers.get(0).poll();
            assertEquals(32, guests.get(3).receive().size(), "round " + i);
        }
    }

    /** A time that a test sets. */
    private static final class SetClock extends WorkerClock {
        private long now = 1_000_000_000;

        @Override
        long now() {
            return now;
        }
    }

    /** A frame from the wire for each guest, and a round. */
    private void oneForEach(SetClock time, long passed) {
        for (int g = 0; g < GUESTS; g++) {
            wire.in.add(Frames.tagged(frame(MAC + g, g), 1000 + g));
        }
        time.now += passed;
        workers.get(0).poll();
    }

    @Test
    void framesFromABusyWireWaitSoThatGuestsGetSeveralAtOnce() {
        SetClock time = new SetClock();
        clock = time;
        hold = HOLD;
        coalesce = 100_000;
        start(1, new int[GUESTS]);
        // A frame for each every 20 microseconds; after 100 it is known that the wire is busy.
        for (int i = 0; i < 20; i++) {
            oneForEach(time, 20_000);
            if (wire.in.isEmpty()) {
                guests.forEach(g -> g.post(0, g.receive().size()));
            }
        }
        while (!wire.in.isEmpty()) {
            oneForEach(time, 20_000);
        }
        guests.forEach(g -> g.post(0, g.receive().size()));
        // The wire's ring has 512: four for each half fill it.
        for (int i = 1; i <= 3; i++) {
            oneForEach(time, 20_000);
            assertEquals(i * GUESTS, wire.in.size(), "they wait");
        }
        oneForEach(time, 20_000);
        assertEquals(0, wire.in.size());
        for (ModelGuest guest : guests) {
            assertEquals(4, guest.receive().size());
        }
        // Nobody sends any more: the last ones wait for no longer than the longest time.
        oneForEach(time, 1);
        assertEquals(GUESTS, wire.in.size());
        time.now += coalesce;
        workers.get(0).poll();
        assertEquals(0, wire.in.size());
    }

    @Test
    void withFewGuestsNoFrameFromTheWireCostsALookAtTheClock() {
        clock =
                new WorkerClock() {
                    @Override
                    long now() {
                        throw new AssertionError("the clock was asked");
                    }
                };
        hold = HOLD;
        coalesce = 100_000;
        start(1, new int[RxCoalescing.FEWEST_GUESTS - 1]);
        for (int i = 0; i < 100; i++) {
            wire.in.add(Frames.tagged(frame(MAC + i % 7, i), 1000 + i % 7));
            workers.get(0).poll();
            assertEquals(1, guests.get(i % 7).receive().size());
        }
    }

    @Test
    void framesFromAQuietWireDoNotWait() {
        SetClock time = new SetClock();
        clock = time;
        hold = HOLD;
        coalesce = 100_000;
        start(1, new int[GUESTS]);
        for (int i = 0; i < 100; i++) {
            // Less than two for each in the longest time.
            oneForEach(time, coalesce);
            if (i < 3) {
                // It is not known yet that this many guests get some: a burst at a time.
                workers.get(0).poll();
                workers.get(0).poll();
            }
            assertEquals(0, wire.in.size(), "round " + i);
            guests.forEach(g -> assertEquals(1, g.receive().size()));
            guests.forEach(g -> g.post(0, 1));
        }
    }

    @Test
    void framesKeepTheirOrderWhenOneGuestGetsManyBurstsAndHasNoRoom() {
        hold = HOLD;
        start(1, new int[GUESTS]);
        // All guests get some, so that many bursts are taken; then 160 come for one in one round,
        // which has posted 128 buffers and used up two.
        for (int i = 0; i < 2 * GUESTS; i++) {
            wire.in.add(Frames.tagged(frame(MAC + i % GUESTS, i), 1000 + i % GUESTS));
        }
        for (int i = 0; i < 4; i++) {
            workers.get(0).poll();
        }
        assertEquals(2, guests.get(3).receive().size());
        for (int i = 0; i < 160; i++) {
            wire.in.add(Frames.tagged(frame(MAC + 3, i), 1003));
        }
        workers.get(0).poll();
        List<byte[]> got = new ArrayList<>(guests.get(3).receive());
        assertEquals(126, got.size());
        guests.get(3).post(0, 128);
        workers.get(0).poll();
        got.addAll(guests.get(3).receive());
        assertEquals(160, got.size());
        for (int i = 0; i < 160; i++) {
            assertEquals(i, Frames.seed(got.get(i)));
        }
    }
}
