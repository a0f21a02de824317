package io.grantwire.vswitch.forward;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.vswitch.testkit.Frames;
import io.grantwire.vswitch.testkit.MemoryWire;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Frames that cross from one worker to another. */
class TwoWorkersTest extends WorkerBed {
    @Test
    void framesCrossBetweenWorkers() {
        hold = HOLD;
        start(2, 0, 1);
        List<byte[]> expected = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            byte[] f = frame(MAC + 1, i);
            expected.add(f);
            guests.get(0).send(f);
            wire.in.add(Frames.tagged(frame(MAC + 1, 1000 + i), 1001));
            guests.get(1).send(frame(STRANGER, i));
        }
        for (int i = 0; i < 5; i++) {
            poll();
        }
        List<byte[]> got = guests.get(1).receive();
        guests.get(1).post(0, 128);
        poll();
        got.addAll(guests.get(1).receive());
        assertFrames(expected, got.stream().filter(f -> Frames.seed(f) < 1000).toList());
        assertEquals(100, wire.out.size());
        assertEquals(100, uplink.toWire(0).frames(), "the owner transmits for the other");
    }

    @Test
    void aHandoffHoldsWhenTheOtherWorkerStops() {
        hold = HOLD;
        start(2, 0, 1);
        int sent = 0;
        for (int round = 0; round < 400; round++) {
            for (int i = 0; i < 8; i++) {
                if (guests.get(0).send(frame(MAC + 1, sent))) {
                    sent++;
                }
            }
            workers.get(0).poll();
        }
        assertTrue(sent < 400 * 8, "the sender was held back");
        assertEquals(0, devices.get(0).txCounters().dropped());
        int got = 0;
        int slot = 0;
        while (got < sent) {
            poll();
            List<byte[]> some = guests.get(1).receive();
            for (byte[] f : some) {
                assertEquals(got++, Frames.seed(f));
                guests.get(1).post(slot++ % 128, 1);
            }
        }
    }

    @Test
    void workersWithQueuesOfTheirOwnTransmitThemselves() {
        wire = new MemoryWire(true, 2);
        start(2, 0, 1);
        guests.get(1).send(frame(STRANGER, 1));
        poll();
        assertEquals(1, uplink.toWire(1).frames());
        assertEquals(0, uplink.toWire(0).frames());
    }

    @Test
    void noFrameOvertakesOneThatWaitsWhenTheWireTakesFramesAgain() {
        hold = HOLD;
        start(2, 0, 1);
        wire.room = 0;
        List<byte[]> frames = new ArrayList<>();
        for (int i = 0; i < 120; i++) {
            byte[] f = frame(STRANGER, i);
            frames.add(Frames.tagged(f, 1001));
            assertTrue(guests.get(1).send(f));
        }
        for (int i = 0; i < 10; i++) {
            poll();
        }
        // Worker 0 is refused for the first frame that waits and served for the second.
        wire.refusals = 1;
        wire.room = -1;
        for (int i = 0; i < 10; i++) {
            poll();
        }
        assertFrames(frames, sent());
    }
}
