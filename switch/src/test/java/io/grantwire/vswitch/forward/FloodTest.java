package io.grantwire.vswitch.forward;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.grantwire.vswitch.count.DropReason;
import io.grantwire.vswitch.testkit.Frames;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Frames to group addresses. */
class FloodTest extends WorkerBed {
    @Test
    void groupAddressesGoToTheWireOnly() {
        start(1, 0, 0);
        guests.get(0).send(frame(BROADCAST, 1));
        poll();
        assertEquals(0, guests.get(1).receive().size());
        assertFrames(List.of(Frames.tagged(frame(BROADCAST, 1), 1000)), sent());
    }

    @Test
    void withFloodingTheyReachEveryoneElse() {
        flood = true;
        start(2, 0, 0, 1);
        guests.get(0).send(frame(BROADCAST, 1));
        poll();
        assertEquals(0, guests.get(0).receive().size());
        assertFrames(List.of(frame(BROADCAST, 1)), guests.get(1).receive());
        assertFrames(List.of(frame(BROADCAST, 1)), guests.get(2).receive());
        assertFrames(List.of(Frames.tagged(frame(BROADCAST, 1), 1000)), sent());
    }

    @Test
    void oneTooLongForAGuestIsLostThereAndNotAtItsSender() {
        flood = true;
        start(1, 0, 0);
        guests.get(0).send(Frames.frame(BROADCAST, MAC, 2100, 1));
        poll();
        assertEquals(1, devices.get(1).rxCounters().dropped(DropReason.BUFFER_TOO_SMALL));
        assertEquals(1, devices.get(0).txCounters().frames());
        assertEquals(0, devices.get(0).txCounters().dropped(), "it was sent, to the wire");
    }

    @Test
    void fromTheWireTheyReachTheGuestInTheVlan() {
        flood = true;
        start(1, 0, 0);
        wire.in.add(Frames.tagged(frame(BROADCAST, 1), 1001));
        wire.in.add(Frames.tagged(frame(BROADCAST, 1), 1002));
        wire.in.add(Frames.tagged(frame(BROADCAST, 1), 5));
        poll();
        assertEquals(0, guests.get(0).receive().size());
        assertFrames(List.of(frame(BROADCAST, 1)), guests.get(1).receive());
        assertEquals(2, uplink.fromWire().dropped(DropReason.MULTICAST));
    }
}
