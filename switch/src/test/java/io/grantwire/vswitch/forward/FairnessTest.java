package io.grantwire.vswitch.forward;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.vswitch.count.DropReason;
import io.grantwire.vswitch.testkit.ModelGuest;
import org.junit.jupiter.api.Test;

/** A guest that takes all it can get leaves the others theirs (XSA-392). */
class FairnessTest extends WorkerBed {
    private static final int ROUNDS = 3000;

    /** Keeps a guest's transmit ring full. */
    private static void flood(ModelGuest guest, byte[] frame) {
        while (guest.send(frame)) {
            // Until there is no room.
        }
    }

    private void afterRounds(int honest, int flooder) {
        assertEquals(0, devices.get(honest).txCounters().dropped(), "the honest guest lost frames");
        assertEquals(ROUNDS, devices.get(honest).txCounters().frames());
        assertTrue(devices.get(flooder).txCounters().dropped() > ROUNDS, "the flood lost nothing");
        assertTrue(devices.get(flooder).txCounters().frames() > ROUNDS, "the flood got nothing");
    }

    @Test
    void aSlowWireIsSharedWhoeverComesFirst() {
        start(1, 0, 0, 0);
        for (int round = 0; round < ROUNDS; round++) {
            wire.room = 8;
            flood(guests.get(0), frame(STRANGER, 0));
            guests.get(1).reclaim();
            assertTrue(guests.get(1).send(frame(STRANGER, round)));
            flood(guests.get(2), frame(STRANGER, 0));
            workers.get(0).poll();
            wire.out.clear();
        }
        afterRounds(1, 0);
        assertTrue(devices.get(2).txCounters().frames() > ROUNDS, "the other flood got nothing");
    }

    @Test
    void aSlowWorkerIsSharedWhoeverComesFirst() {
        start(2, 0, 0, 1, 1);
        int slot = 128;
        for (int round = 0; round < ROUNDS; round++) {
            // Guest 3 reads nothing of the flood; guest 2 reads what guest 1 sends.
            flood(guests.get(0), frame(MAC + 3, 0));
            guests.get(1).reclaim();
            assertTrue(guests.get(1).send(frame(MAC + 2, round)));
            workers.get(0).poll();
            workers.get(1).poll();
            for (int i = guests.get(2).receive().size(); i > 0; i--) {
                guests.get(2).post(slot++ % 128, 1);
            }
        }
        assertEquals(0, devices.get(1).txCounters().dropped(), "the honest guest lost frames");
        assertEquals(0, devices.get(2).rxCounters().dropped(), "the honest guest missed frames");
        assertTrue(
                devices.get(0).txCounters().dropped(DropReason.WORKER_FULL) > 0,
                "the flood never filled the way to the other worker");
        for (int i = 0; i < 100; i++) {
            poll();
        }
        assertEquals(ROUNDS, devices.get(2).rxCounters().frames());
    }

    @Test
    void aGuestThatNeverReadsHoldsNoMbufs() {
        start(1, 0, 0, 0);
        int before = pool.inUse();
        for (int round = 0; round < ROUNDS; round++) {
            flood(guests.get(0), frame(MAC + 2, 0));
            guests.get(1).reclaim();
            assertTrue(guests.get(1).send(frame(MAC, round)));
            workers.get(0).poll();
            for (int i = guests.get(0).receive().size(); i > 0; i--) {
                guests.get(0).post(round % 128, 1);
            }
        }
        assertEquals(0, devices.get(1).txCounters().dropped());
        assertEquals(128, devices.get(2).rxCounters().frames(), "what it had room for");
        assertTrue(devices.get(2).rxCounters().dropped(DropReason.RING_FULL) > ROUNDS);
        assertTrue(pool.inUse() - before <= FrameSource.BURST, pool.inUse() + " mbufs in use");
    }
}
