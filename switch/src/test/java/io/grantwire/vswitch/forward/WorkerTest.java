package io.grantwire.vswitch.forward;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import io.grantwire.vswitch.DeviceState;
import io.grantwire.vswitch.WireTag;
import io.grantwire.vswitch.count.DropReason;
import io.grantwire.vswitch.ring.RejectReason;
import io.grantwire.vswitch.testkit.Frames;
import io.grantwire.vswitch.testkit.MemoryWire;
import io.grantwire.vswitch.testkit.ModelGuest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Workers stepped by hand, over guests in plain memory. */
class WorkerTest {
    private static final long MAC = 0x0000_0000_0011L;
    private static final long STRANGER = 0x0200_0000_0099L;
    private static final long BROADCAST = 0xffff_ffff_ffffL;
    private static final long HOLD = 60_000_000_000L;

    private final List<ModelGuest> guests = new ArrayList<>();
    private final List<GuestDevice> devices = new ArrayList<>();
    private final List<SwitchWorker> workers = new ArrayList<>();
    private final Mempool pool = Mempool.create(MempoolConfig.of("worker-test", 2048));
    private MemoryWire wire = new MemoryWire(true, 1);
    private Uplink uplink;
    private long epoch = 1;
    private int serial = 1;

    private boolean vm2vm = true;
    private boolean flood;
    private boolean strip = true;
    private WireTag wireTag = WireTag.VLAN;
    private long hold;

    private void start(int workerCount, int... workerOfGuest) {
        for (int i = 0; i < workerOfGuest.length; i++) {
            ModelGuest guest = new ModelGuest().post(0, 128);
            guests.add(guest);
            devices.add(device(guest, i, workerOfGuest[i]));
        }
        int txQueues = wire.info().maxTxQueues() >= workerCount ? workerCount : 1;
        wire.configure(new EthConfig(1, txQueues));
        wire.rxQueueSetup(0, 0, pool);
        for (int q = 0; q < txQueues; q++) {
            wire.txQueueSetup(q, 0);
        }
        wire.start();
        uplink = new Uplink("wire", wire, 0, 0, workerCount, txQueues == workerCount);
        ForwardingRules rules = new ForwardingRules(vm2vm, flood, strip, wireTag, hold, 4096);
        Handoff[][] handoffs = SwitchWorker.handoffs(workerCount);
        for (int w = 0; w < workerCount; w++) {
            workers.add(
                    new SwitchWorker(
                            w, rules, pool, List.of(uplink), handoffs, topology(workerCount)));
        }
    }

    private GuestDevice device(ModelGuest guest, int number, int worker) {
        return new GuestDevice(
                number + 1,
                0,
                MAC + number,
                number,
                Topology.token(serial++, number),
                worker,
                guest.openRx(),
                guest.openTx());
    }

    private Topology topology(int workerCount) {
        Map<Long, GuestDevice> owners = new TreeMap<>();
        devices.forEach(d -> owners.put(d.mac(), d));
        return Topology.of(epoch++, workerCount, devices, owners, true);
    }

    private int poll() {
        int work = 0;
        for (int i = 0; i < 4; i++) {
            for (SwitchWorker w : workers) {
                work += w.poll();
            }
        }
        return work;
    }

    @AfterEach
    void everyMbufComesBack() {
        workers.forEach(SwitchWorker::close);
        wire.close();
        assertEquals(0, pool.inUse(), "mbufs leaked");
        pool.close();
    }

    private static byte[] frame(long dst, int seed) {
        return Frames.frame(dst, MAC, 60, seed);
    }

    private static void assertFrames(List<byte[]> expected, List<byte[]> actual) {
        assertEquals(expected.size(), actual.size());
        for (int i = 0; i < expected.size(); i++) {
            assertArrayEquals(expected.get(i), actual.get(i), "frame " + i);
        }
    }

    private List<byte[]> sent() {
        List<byte[]> all = new ArrayList<>(wire.out);
        wire.out.clear();
        return all;
    }

    // Guest to wire.

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

    // Guest to guest.

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

    // Wire to guest.

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

    // Flooding.

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

    // Quarantine and removal.

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

    // Two workers.

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
}
