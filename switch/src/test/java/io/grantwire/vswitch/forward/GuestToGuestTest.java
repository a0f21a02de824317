package io.grantwire.vswitch.forward;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.vswitch.count.DropReason;
import io.grantwire.vswitch.testkit.Frames;
import io.grantwire.vswitch.testkit.ModelGuest;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Frames between guests of one worker. */
class GuestToGuestTest extends WorkerBed {
    @Test
    void aNeighbourGetsTheFrameDirectly() {
        start(1, 0, 0);
        List<byte[]> frames = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            byte[] f = Frames.frame(MAC + 1, MAC, 60 + i * 14, i);
            frames.add(f);
            assertTrue(guests.get(0).send(f));
        }
        poll();
        assertFrames(frames, guests.get(1).receive());
        assertTrue(sent().isEmpty());
        assertEquals(0, pool.inUse(), "a direct copy needs no mbuf");
        assertEquals(100, devices.get(0).txCounters().frames());
        assertEquals(100, devices.get(1).rxCounters().frames());
        assertEquals(devices.get(0).txCounters().bytes(), devices.get(1).rxCounters().bytes());
    }

    @Test
    void piecesAreGatheredIntoTheNeighboursBuffer() {
        start(1, 0, 0);
        byte[] f = Frames.frame(MAC + 1, MAC, 1000, 9);
        guests.get(0).sendPieces(f, 2, 5, 493, 500);
        poll();
        assertFrames(List.of(f), guests.get(1).receive());
    }

    @Test
    void aFrameToItsSenderIsDroppedAndCounted() {
        start(1, 0);
        guests.get(0).send(frame(MAC, 1));
        poll();
        assertEquals(1, devices.get(0).txCounters().dropped(DropReason.TO_SELF));
        assertEquals(0, guests.get(0).receive().size());
        assertEquals(1, guests.get(0).reclaim());
    }

    @Test
    void aFrameLargerThanTheBufferIsDroppedAndTheBufferKept() {
        start(1, 0);
        guests.add(new ModelGuest());
        guests.get(1).postSized(0, 100);
        devices.add(device(guests.get(1), 1, 0));
        workers.get(0).propose(topology(1));
        guests.get(0).send(Frames.frame(MAC + 1, MAC, 101, 1));
        guests.get(0).send(Frames.frame(MAC + 1, MAC, 100, 2));
        poll();
        List<byte[]> got = guests.get(1).receive();
        assertEquals(1, got.size());
        assertEquals(100, got.get(0).length);
        assertEquals(1, devices.get(1).rxCounters().dropped(DropReason.BUFFER_TOO_SMALL));
        assertEquals(1, devices.get(0).txCounters().dropped(DropReason.BUFFER_TOO_SMALL));
    }

    @Test
    void aFullNeighbourLosesFramesWhenNothingMayWait() {
        start(1, 0, 0);
        for (int i = 0; i < 128; i++) {
            guests.get(0).send(frame(MAC + 1, i));
        }
        poll();
        for (int i = 0; i < 10; i++) {
            guests.get(0).send(frame(MAC + 1, i));
        }
        poll();
        assertEquals(128, guests.get(1).receive().size());
        assertEquals(10, devices.get(1).rxCounters().dropped(DropReason.RING_FULL));
        assertEquals(10, devices.get(0).txCounters().dropped(DropReason.RING_FULL));
        assertEquals(138, guests.get(0).reclaim() + 128);
    }

    @Test
    void aFullNeighbourHoldsItsSenderAndNobodyElse() {
        hold = HOLD;
        start(1, 0, 0, 0);
        guests.add(new ModelGuest());
        devices.add(device(guests.get(3), 3, 0));
        workers.get(0).propose(topology(1));
        guests.get(0).send(frame(MAC + 3, 1));
        guests.get(0).send(frame(MAC + 2, 2));
        guests.get(1).send(frame(MAC + 2, 3));
        poll();
        assertEquals(0, guests.get(0).reclaim(), "the frame stays in its ring");
        assertFrames(List.of(frame(MAC + 2, 3)), guests.get(2).receive());
        assertEquals(0, poll(), "waiting is no work");
        guests.get(3).post(0, 1);
        poll();
        assertFrames(List.of(frame(MAC + 3, 1)), guests.get(3).receive());
        assertFrames(List.of(frame(MAC + 2, 2)), guests.get(2).receive());
        assertEquals(0, devices.get(0).txCounters().dropped());
    }

    @Test
    void aHeldFrameIsDroppedWhenTheTimeIsOver() throws Exception {
        hold = 20_000_000;
        start(1, 0, 0);
        for (int i = 0; i < 130; i++) {
            if (i == 128) {
                poll();
            }
            guests.get(0).send(frame(MAC + 1, i));
        }
        poll();
        long end = System.nanoTime() + 30_000_000_000L;
        while (devices.get(0).txCounters().dropped(DropReason.RING_FULL) < 2
                && System.nanoTime() < end) {
            workers.get(0).poll();
            Thread.sleep(1);
        }
        assertEquals(2, devices.get(0).txCounters().dropped(DropReason.RING_FULL));
        assertEquals(128, guests.get(1).receive().size());
    }

    @Test
    void mutuallyFullGuestsGoOnAfterTheTime() throws Exception {
        hold = 10_000_000;
        start(1);
        for (int i = 0; i < 2; i++) {
            guests.add(new ModelGuest());
            devices.add(device(guests.get(i), i, 0));
        }
        workers.get(0).propose(topology(1));
        guests.get(0).send(frame(MAC + 1, 1));
        guests.get(1).send(frame(MAC, 2));
        long end = System.nanoTime() + 30_000_000_000L;
        int back = 0;
        while (back < 2 && System.nanoTime() < end) {
            workers.get(0).poll();
            Thread.sleep(1);
            back += guests.get(0).reclaim() + guests.get(1).reclaim();
        }
        assertEquals(2, back);
    }
}
