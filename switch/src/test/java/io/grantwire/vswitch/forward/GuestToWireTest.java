package io.grantwire.vswitch.forward;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.vswitch.DeviceState;
import io.grantwire.vswitch.WireTag;
import io.grantwire.vswitch.count.DropReason;
import io.grantwire.vswitch.testkit.Frames;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What becomes of frames that leave the host. */
class GuestToWireTest extends WorkerBed {
    @Test
    void aFrameForAStrangerLeavesWithTheSendersTag() {
        start(1, 0, 0);
        guests.get(1).send(frame(STRANGER, 1));
        guests.get(1).send(frame(STRANGER, 2));
        poll();
        assertFrames(
                List.of(
                        Frames.tagged(frame(STRANGER, 1), 1001),
                        Frames.tagged(frame(STRANGER, 2), 1001)),
                sent());
        assertEquals(2, guests.get(1).reclaim());
        assertEquals(2, devices.get(1).txCounters().frames());
        assertEquals(120, devices.get(1).txCounters().bytes());
        assertEquals(2, uplink.toWire(0).frames());
        assertEquals(128, uplink.toWire(0).bytes());
    }

    @Test
    void theTagMayBeZeroOrNone() {
        wireTag = WireTag.ZERO;
        start(1, 0);
        guests.get(0).send(frame(STRANGER, 1));
        poll();
        assertFrames(List.of(Frames.tagged(frame(STRANGER, 1), 0)), sent());
    }

    @Test
    void withoutATagTheFrameLeavesAsItIs() {
        wireTag = WireTag.NONE;
        start(1, 0);
        guests.get(0).send(frame(STRANGER, 1));
        poll();
        assertFrames(List.of(frame(STRANGER, 1)), sent());
    }

    @Test
    void aFrameThatTheGuestTaggedGetsTheSendersTagOutside() {
        start(1, 0);
        byte[] own = Frames.tagged(frame(STRANGER, 1), 7);
        guests.get(0).send(own);
        poll();
        assertFrames(List.of(Frames.tagged(own, 1000)), sent());
    }

    @Test
    void aFrameInPiecesLeavesWhole() {
        start(1, 0);
        byte[] big = Frames.frame(STRANGER, MAC, 1500, 5);
        guests.get(0).sendPieces(big, 3, 600, 297, 600);
        byte[] tiny = Frames.frame(STRANGER, MAC, 14, 0);
        guests.get(0).sendPieces(tiny, 1, 1, 12);
        poll();
        assertFrames(List.of(Frames.tagged(big, 1000), Frames.tagged(tiny, 1000)), sent());
    }

    @Test
    void aFrameLongerThanAnMbufLeavesInSeveral() {
        start(1, 0);
        byte[] big = Frames.frame(STRANGER, MAC, 3900, 5);
        guests.get(0).send(big);
        poll();
        assertFrames(List.of(Frames.tagged(big, 1000)), sent());
    }

    @Test
    void framesOfImpossibleLengthAreCounted() {
        start(1, 0);
        guests.get(0).send(new byte[13]);
        guests.get(0).sendPieces(new byte[4097], 700, 700, 700, 700, 700, 597);
        poll();
        assertTrue(sent().isEmpty());
        assertEquals(1, devices.get(0).txCounters().dropped(DropReason.FRAME_TOO_SHORT));
        assertEquals(1, devices.get(0).txCounters().dropped(DropReason.FRAME_TOO_LONG));
        assertEquals(DeviceState.READY, devices.get(0).state());
    }

    @Test
    void withoutVm2vmEvenANeighboursFramesGoToTheWire() {
        vm2vm = false;
        start(1, 0, 0);
        guests.get(0).send(frame(MAC + 1, 1));
        poll();
        assertEquals(1, sent().size());
        assertEquals(0, guests.get(1).receive().size());
    }
}
