package io.grantwire.vswitch.forward;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import io.grantwire.pmd.testkit.OnLcore;
import io.grantwire.pmd.testkit.ZeroAllocation;
import io.grantwire.vswitch.WireTag;
import io.grantwire.vswitch.testkit.Frames;
import io.grantwire.vswitch.testkit.LoadWire;
import io.grantwire.vswitch.testkit.ModelGuest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** A worker's round allocates nothing: wire to guest, guest to guest, guest to wire, hand-over. */
class WorkerAllocationTest {
    private static final long MAC = 0x0000_0000_0011L;
    private static final int PER_ROUND = 32;

    @Test
    void aCardsPoolAllocatesNothing() throws Exception {
        LoadWire wire = new LoadWire(Frames.frame(MAC, MAC + 9, 60, 1));
        wire.strippedTci = ForwardingRules.FIRST_VLAN;
        Mempool pool = Mempool.create(MempoolConfig.of("pool-allocation-test", 4096));
        wire.configure(new EthConfig(4, 1));
        for (int q = 0; q < 4; q++) {
            wire.rxQueueSetup(q, 0, pool);
        }
        wire.txQueueSetup(0, 0);
        wire.start();
        ModelGuest guest = new ModelGuest().post(0, 256);
        GuestDevice d =
                new GuestDevice(
                        1, 0, MAC, 0, Topology.token(1, 0), 0, guest.openRx(), guest.openTx());
        for (int i = 0; i < PER_ROUND; i++) {
            guest.prepare(i, Frames.frame(0x0200_0000_0099L, MAC, 60, i));
        }
        ForwardingRules rules =
                new ForwardingRules(true, true, true, WireTag.VLAN, 0, 20_000, 2048);
        Uplink uplink = new Uplink("load", wire, 0, 0, 1, true, new Uplink.Features(4, true));
        Topology topology =
                Topology.of(
                        1,
                        1,
                        List.of(d),
                        Map.of(MAC, d),
                        List.of(new PoolFeed(uplink, 3, d)),
                        true);
        SwitchWorker worker =
                new SwitchWorker(
                        0, rules, pool, List.of(uplink), SwitchWorker.handoffs(1), topology);
        OnLcore.run(() ->
                ZeroAllocation.check(
                        "a pool's rounds",
                        () -> {
                            for (int i = 0; i < PER_ROUND; i++) {
                                guest.resend(i);
                            }
                            int work = worker.poll();
                            assertEquals(PER_ROUND, guest.forget());
                            guest.recycle();
                            return work;
                        }));
        assertTrue(uplink.fromPools(0).frames() > 100_000);
        assertEquals(0, uplink.fromPools(0).dropped());
        OnLcore.run(worker::close);
        wire.close();
        assertEquals(0, pool.inUse());
        pool.close();
    }

    @Test
    void noPathAllocates() throws Exception {
        LoadWire wire = new LoadWire(Frames.tagged(Frames.frame(MAC + 1, MAC, 60, 1), 1001));
        Mempool pool = Mempool.create(MempoolConfig.of("allocation-test", 4096));
        wire.configure(EthConfig.SINGLE_QUEUE);
        wire.rxQueueSetup(0, 0, pool);
        wire.txQueueSetup(0, 0);
        wire.start();
        List<ModelGuest> guests = new ArrayList<>();
        List<GuestDevice> devices = new ArrayList<>();
        Map<Long, GuestDevice> owners = new TreeMap<>();
        for (int i = 0; i < 3; i++) {
            ModelGuest guest = new ModelGuest().post(0, 256);
            guests.add(guest);
            GuestDevice d =
                    new GuestDevice(
                            i + 1,
                            0,
                            MAC + i,
                            i,
                            Topology.token(1, i),
                            i / 2,
                            guest.openRx(),
                            guest.openTx());
            devices.add(d);
            owners.put(d.mac(), d);
        }
        for (int i = 0; i < PER_ROUND; i++) {
            // Guest 0: to guest 1 directly, to guest 2 at the other worker, and to the wire.
            long dst = i % 3 == 0 ? MAC + 1 : i % 3 == 1 ? MAC + 2 : 0x0200_0000_0099L;
            guests.get(0).prepare(i, Frames.frame(dst, MAC, 60, i));
            // Guest 2: to the wire through the other worker.
            guests.get(2).prepare(i, Frames.frame(0x0200_0000_0099L, MAC + 2, 60, i));
        }
        ForwardingRules rules =
                new ForwardingRules(true, true, true, WireTag.VLAN, 0, 20_000, 2048);
        Uplink uplink = new Uplink("load", wire, 0, 0, 2, false, Uplink.Features.NONE);
        Handoff[][] handoffs = SwitchWorker.handoffs(2);
        Topology topology = Topology.of(1, 2, devices, owners, List.of(), true);
        SwitchWorker first = new SwitchWorker(0, rules, pool, List.of(uplink), handoffs, topology);
        SwitchWorker second = new SwitchWorker(1, rules, pool, List.of(uplink), handoffs, topology);
        OnLcore.run(() ->
                ZeroAllocation.check(
                        "two workers' rounds",
                        () -> {
                            for (int i = 0; i < PER_ROUND; i++) {
                                guests.get(0).resend(i);
                                guests.get(2).resend(i);
                            }
                            int work = first.poll() + second.poll();
                            assertEquals(PER_ROUND, guests.get(0).forget());
                            assertEquals(PER_ROUND, guests.get(2).forget());
                            guests.get(1).recycle();
                            guests.get(2).recycle();
                            return work;
                        }));
        assertTrue(wire.swallowed > 0);
        for (GuestDevice d : devices) {
            assertTrue(d.txCounters().frames() + d.rxCounters().frames() > 100_000);
            assertEquals(0, d.txCounters().dropped() + d.rxCounters().dropped());
        }
        OnLcore.run(() -> {
            first.close();
            second.close();
        });
        wire.close();
        assertEquals(0, pool.inUse());
        pool.close();
    }
}
