package io.grantwire.vswitch.forward;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import io.grantwire.pmd.net.MacAddress;
import io.grantwire.vswitch.WireTag;
import io.grantwire.vswitch.count.DropReason;
import io.grantwire.vswitch.testkit.Frames;
import io.grantwire.vswitch.testkit.ModelGuest;
import io.grantwire.vswitch.testkit.PooledWire;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Workers over a card that sorts: two of three guests have a pool. */
class PoolFeedTest {
    private static final long MAC = 0x0000_0000_0011L;
    private static final long STRANGER = 0x0200_0000_0099L;

    private final PooledWire card = new PooledWire(4);
    private final Mempool pool = Mempool.create(MempoolConfig.of("pool-feed-test", 1024));
    private final List<ModelGuest> guests = new ArrayList<>();
    private final List<GuestDevice> devices = new ArrayList<>();
    private final List<SwitchWorker> workers = new ArrayList<>();
    private final List<PoolFeed> feeds = new ArrayList<>();
    private Uplink uplink;
    private boolean strip = true;
    private long hold;
    private long epoch = 1;

    private void start() {
        for (int i = 0; i < 3; i++) {
            ModelGuest guest = new ModelGuest().post(0, 128);
            guests.add(guest);
            devices.add(
                    new GuestDevice(
                            i + 1,
                            0,
                            MAC + i,
                            i,
                            Topology.token(1, i),
                            i % 2,
                            guest.openRx(),
                            guest.openTx()));
        }
        card.configure(new EthConfig(4, 2).withVmdqPools(4));
        for (int q = 0; q < 4; q++) {
            card.rxQueueSetup(q, 0, pool);
        }
        card.txQueueSetup(0, 0);
        card.txQueueSetup(1, 0);
        card.start();
        uplink = new Uplink("card", card, 0, 0, 2, true, new Uplink.Features(4, true));
        assign(2, 0);
        assign(1, 1);
        ForwardingRules rules =
                new ForwardingRules(true, false, strip, WireTag.VLAN, hold, 0, 4096);
        Handoff[][] handoffs = SwitchWorker.handoffs(2);
        for (int w = 0; w < 2; w++) {
            workers.add(new SwitchWorker(w, rules, pool, List.of(uplink), handoffs, topology()));
        }
    }

    private void assign(int p, int device) {
        GuestDevice d = devices.get(device);
        card.vmdqAssign(p, new MacAddress(d.mac()), d.vlan());
        feeds.add(new PoolFeed(uplink, p, d));
    }

    private Topology topology() {
        Map<Long, GuestDevice> owners = new TreeMap<>();
        devices.forEach(d -> owners.put(d.mac(), d));
        return Topology.of(epoch++, 2, devices, owners, feeds, true);
    }

    private void poll() {
        for (int i = 0; i < 4; i++) {
            workers.forEach(SwitchWorker::poll);
        }
    }

    private static byte[] frame(long dst, int seed) {
        return Frames.frame(dst, STRANGER, 60, seed);
    }

    @AfterEach
    void everyMbufComesBack() {
        workers.forEach(SwitchWorker::close);
        card.close();
        assertEquals(0, pool.inUse(), "mbufs leaked");
        pool.close();
    }

    @Test
    void theWorkerOfADeviceTakesItsFramesFromItsPool() {
        start();
        card.arrive(Frames.tagged(frame(MAC, 1), 1000));
        card.arrive(Frames.tagged(frame(MAC + 1, 2), 1001));
        workers.get(0).poll();
        assertEquals(1, Frames.seed(guests.get(0).receive().get(0)));
        assertEquals(0, guests.get(1).receive().size(), "another worker's");
        workers.get(1).poll();
        byte[] got = guests.get(1).receive().get(0);
        assertEquals(60, got.length, "the card took the tag off");
        assertEquals(1, uplink.fromPools(0).frames());
        assertEquals(1, uplink.fromPools(1).frames());
        assertEquals(0, uplink.fromWire().frames());
    }

    @Test
    void whatTheCardDoesNotSortIsSortedInSoftware() {
        start();
        card.arrive(Frames.tagged(frame(MAC + 2, 1), 1002));
        card.arrive(Frames.tagged(frame(MAC, 2), 1001));
        card.arrive(frame(MAC, 3));
        card.arrive(Frames.tagged(frame(STRANGER, 4), 1000));
        poll();
        assertEquals(1, Frames.seed(guests.get(2).receive().get(0)));
        assertEquals(0, guests.get(0).receive().size());
        assertEquals(1, uplink.fromWire().frames());
        assertEquals(1, uplink.fromWire().dropped(DropReason.VLAN_MISMATCH));
        assertEquals(1, uplink.fromWire().dropped(DropReason.UNTAGGED));
        assertEquals(1, uplink.fromWire().dropped(DropReason.UNKNOWN_MAC));
    }

    @Test
    void framesLeftInAPoolByTheOneBeforeGoToTheirOwner() {
        start();
        card.arriveIn(2, Frames.tagged(frame(MAC + 2, 5), 1002));
        card.arriveIn(2, Frames.tagged(frame(STRANGER, 6), 1000));
        card.arriveIn(2, Frames.tagged(frame(MAC, 7), 1002));
        poll();
        assertEquals(0, guests.get(0).receive().size());
        assertEquals(5, Frames.seed(guests.get(2).receive().get(0)));
        assertEquals(1, uplink.fromPools(0).dropped(DropReason.UNKNOWN_MAC));
        assertEquals(1, uplink.fromPools(0).dropped(DropReason.VLAN_MISMATCH));
    }

    @Test
    void tagsAreBackWhereTheyAreToStay() {
        strip = false;
        start();
        byte[] f = Frames.tagged(frame(MAC, 1), 0xa000 | 1000);
        card.arrive(f);
        poll();
        WorkerBed.assertFrames(List.of(f), guests.get(0).receive());
    }

    @Test
    void theCardIsAskedForTheTagsOfFramesForTheWire() {
        start();
        guests.get(0).send(frame(STRANGER, 1));
        guests.get(1).send(frame(STRANGER, 2));
        poll();
        assertEquals(2, card.inserted);
        List<byte[]> out = new ArrayList<>(card.out);
        WorkerBed.assertFrames(
                List.of(
                        Frames.tagged(frame(STRANGER, 1), 1000),
                        Frames.tagged(frame(STRANGER, 2), 1001)),
                out);
        assertEquals(64, uplink.toWire(0).bytes());
    }

    @Test
    void framesThatWaitForADeviceThatLeavesAreGivenUp() {
        hold = 60_000_000_000L;
        start();
        for (int i = 0; i < 200; i++) {
            card.arrive(Frames.tagged(frame(MAC, i), 1000));
        }
        poll();
        poll();
        feeds.remove(0);
        workers.forEach(w -> w.propose(topology()));
        poll();
        assertTrue(workers.get(0).lost().dropped(DropReason.GONE) > 0);
    }

    @Test
    void aCardThatFaultsIsNotUsedAnyMoreAndTheOthersGoOn() {
        start();
        card.pulledOut = true;
        guests.get(0).send(Frames.frame(MAC + 2, MAC, 60, 1));
        poll();
        assertTrue(uplink.failed());
        assertEquals(1, Frames.seed(guests.get(2).receive().get(0)));
    }

    @Test
    void aWorkerSurvivesAFaultThatComesLateWhenACardHasGone() {
        start();
        InternalError fault = new InternalError("a fault occurred");
        assertFalse(workers.get(0).survives(fault), "no card has gone: it is something else");
        card.pulledOut = true;
        assertTrue(workers.get(0).survives(fault));
        assertTrue(uplink.failed());
        guests.get(0).send(Frames.frame(MAC + 2, MAC, 60, 1));
        poll();
        assertEquals(1, guests.get(2).receive().size());
    }
}
