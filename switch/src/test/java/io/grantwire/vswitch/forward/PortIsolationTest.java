package io.grantwire.vswitch.forward;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.vswitch.DeviceState;
import io.grantwire.vswitch.count.DropReason;
import io.grantwire.vswitch.ring.RejectReason;
import io.grantwire.vswitch.testkit.Frames;
import io.grantwire.vswitch.testkit.ModelGuest;
import org.junit.jupiter.api.Test;

/** Ports that break the rules, and ports that go. */
class PortIsolationTest extends WorkerBed {
    @Test
    void aBadPortIsQuarantinedAndTheOthersGoOn() {
        start(1, 0, 0, 0);
        guests.get(0).tx.offer(300);
        guests.get(1).send(frame(MAC + 2, 1));
        poll();
        assertEquals(DeviceState.QUARANTINED, devices.get(0).state());
        assertEquals(RejectReason.HEAD_OUT_OF_RANGE, devices.get(0).reject());
        assertTrue(devices.get(0).fault().startsWith("tx ring: "));
        assertEquals(1, guests.get(2).receive().size());
        // Frames for it are dropped, from either side.
        guests.get(1).send(frame(MAC, 1));
        wire.in.add(Frames.tagged(frame(MAC, 1), 1000));
        poll();
        assertEquals(2, devices.get(0).rxCounters().dropped(DropReason.QUARANTINED));
        assertEquals(0, guests.get(0).receive().size());
    }

    @Test
    void aBadReceiveRingIsNoticedWhenItIsNeeded() {
        hold = HOLD;
        start(1, 0, 0);
        for (int i = 0; i < 128; i++) {
            guests.get(0).send(frame(MAC + 1, i));
        }
        poll();
        guests.get(1).rx.availIdx(5000);
        guests.get(0).send(frame(MAC + 1, 1));
        poll();
        assertEquals(RejectReason.AVAIL_IDX_JUMP, devices.get(1).reject());
        assertEquals(1, devices.get(0).txCounters().dropped(DropReason.QUARANTINED));
        assertNull(devices.get(0).fault());
    }

    @Test
    void framesWaitingForADeviceThatLeavesAreDropped() {
        hold = HOLD;
        start(1);
        guests.add(new ModelGuest());
        devices.add(device(guests.get(0), 0, 0));
        Topology with = topology(1);
        workers.get(0).propose(with);
        wire.in.add(Frames.tagged(frame(MAC, 1), 1000));
        poll();
        assertTrue(workers.get(0).hasAdopted(with));
        // Another device takes the same number and address.
        guests.set(0, new ModelGuest().post(0, 10));
        devices.set(0, device(guests.get(0), 0, 0));
        Topology without = topology(1);
        assertFalse(workers.get(0).hasAdopted(without));
        workers.get(0).propose(without);
        poll();
        assertTrue(workers.get(0).hasAdopted(without));
        assertEquals(0, guests.get(0).receive().size(), "a stranger's frame was delivered");
        assertEquals(1, workers.get(0).lost().dropped(DropReason.GONE));
    }
}
