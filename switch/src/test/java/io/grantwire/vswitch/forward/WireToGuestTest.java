package io.grantwire.vswitch.forward;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.vswitch.count.DropReason;
import io.grantwire.vswitch.testkit.Frames;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What becomes of frames that come from the wire. */
class WireToGuestTest extends WorkerBed {
    @Test
    void aFrameFromTheWireReachesItsGuestWithoutTheTag() {
        start(1, 0, 0);
        wire.in.add(Frames.tagged(frame(MAC + 1, 4), 1001));
        poll();
        assertFrames(List.of(frame(MAC + 1, 4)), guests.get(1).receive());
        assertEquals(1, uplink.fromWire().frames());
        assertEquals(1, devices.get(1).rxCounters().frames());
        assertEquals(60, devices.get(1).rxCounters().bytes());
    }

    @Test
    void theTagStaysOnRequest() {
        strip = false;
        start(1, 0);
        byte[] f = Frames.tagged(frame(MAC, 4), 0xe000 | 1000);
        wire.in.add(f);
        wire.stripsTags = false;
        poll();
        wire.stripsTags = true;
        wire.in.add(f);
        poll();
        assertFrames(List.of(f, f), guests.get(0).receive());
    }

    @Test
    void aTagThatTheNicTookOffCounts() {
        wire.stripsTags = true;
        start(1, 0);
        wire.in.add(Frames.tagged(frame(MAC, 4), 1000));
        wire.in.add(Frames.tagged(frame(MAC, 4), 1001));
        poll();
        assertFrames(List.of(frame(MAC, 4)), guests.get(0).receive());
        assertEquals(1, uplink.fromWire().dropped(DropReason.VLAN_MISMATCH));
    }

    @Test
    void framesThatMatchNoDeviceReachNoGuest() {
        start(1, 0, 0);
        wire.in.add(Frames.tagged(frame(STRANGER, 1), 1000));
        wire.in.add(Frames.tagged(frame(MAC, 2), 1001));
        wire.in.add(Frames.tagged(frame(MAC, 2), 0));
        wire.in.add(frame(MAC, 3));
        wire.in.add(Frames.tagged(frame(BROADCAST, 4), 1000));
        wire.in.add(new byte[13]);
        poll();
        assertEquals(0, guests.get(0).receive().size());
        assertEquals(0, guests.get(1).receive().size());
        assertEquals(1, uplink.fromWire().dropped(DropReason.UNKNOWN_MAC));
        assertEquals(2, uplink.fromWire().dropped(DropReason.VLAN_MISMATCH));
        assertEquals(1, uplink.fromWire().dropped(DropReason.UNTAGGED));
        assertEquals(1, uplink.fromWire().dropped(DropReason.MULTICAST));
        assertEquals(1, uplink.fromWire().dropped(DropReason.FRAME_TOO_SHORT));
    }

    @Test
    void framesFromTheWireWaitForAFullGuestWhileOthersGoOn() {
        hold = HOLD;
        start(1, 0, 0);
        List<byte[]> first = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            byte[] f = frame(MAC, i);
            first.add(f);
            wire.in.add(Frames.tagged(f, 1000));
        }
        for (int i = 0; i < 10; i++) {
            poll();
        }
        guests.get(1).send(frame(STRANGER, 1));
        poll();
        assertEquals(1, sent().size(), "other sources go on");
        List<byte[]> got = new ArrayList<>();
        int slot = 0;
        while (got.size() < 300) {
            List<byte[]> some = guests.get(0).receive();
            got.addAll(some);
            for (int i = 0; i < some.size(); i++) {
                guests.get(0).post(slot++ % 128, 1);
            }
            poll();
        }
        assertFrames(first, got);
        assertEquals(0, devices.get(0).rxCounters().dropped());
    }

    @Test
    void aFullWireHoldsTheSender() {
        hold = HOLD;
        start(1, 0);
        wire.room = 0;
        List<byte[]> frames = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            byte[] f = frame(STRANGER, i);
            frames.add(Frames.tagged(f, 1000));
            guests.get(0).send(f);
        }
        poll();
        assertTrue(guests.get(0).reclaim() < 100);
        List<byte[]> out = new ArrayList<>();
        while (out.size() < 100) {
            wire.room = 7;
            poll();
            out.addAll(sent());
        }
        assertFrames(frames, out);
    }

    @Test
    void aFullWireLosesFramesWhenNothingMayWait() {
        start(1, 0);
        wire.room = 0;
        for (int i = 0; i < 100; i++) {
            guests.get(0).send(frame(STRANGER, i));
        }
        poll();
        assertEquals(100, guests.get(0).reclaim());
        assertEquals(
                100 - UplinkQueue.ROOM,
                devices.get(0).txCounters().dropped(DropReason.UPLINK_FULL));
    }
}
