package io.grantwire.vswitch.forward;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import io.grantwire.vswitch.WireTag;
import io.grantwire.vswitch.testkit.Frames;
import io.grantwire.vswitch.testkit.MemoryWire;
import io.grantwire.vswitch.testkit.ModelGuest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;

/** Workers stepped by hand, over guests in plain memory, with one wire. */
abstract class WorkerBed {
    static final long MAC = 0x0000_0000_0011L;
    static final long STRANGER = 0x0200_0000_0099L;
    static final long BROADCAST = 0xffff_ffff_ffffL;
    static final long HOLD = 60_000_000_000L;

    final List<ModelGuest> guests = new ArrayList<>();
    final List<GuestDevice> devices = new ArrayList<>();
    final List<SwitchWorker> workers = new ArrayList<>();
    final Mempool pool = Mempool.create(MempoolConfig.of("worker-test", 2048));
    MemoryWire wire = new MemoryWire(true, 1);
    Uplink uplink;
    private long epoch = 1;
    private int serial = 1;

    boolean vm2vm = true;
    boolean flood;
    boolean strip = true;
    WireTag wireTag = WireTag.VLAN;
    long hold;
    long coalesce;

    /** The workers' time. */
    WorkerClock clock = new WorkerClock();

    Uplink.Features features = Uplink.Features.NONE;
    final List<PoolFeed> feeds = new ArrayList<>();

    void start(int workerCount, int... workerOfGuest) {
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
        uplink = new Uplink("wire", wire, 0, 0, workerCount, txQueues == workerCount, features);
        ForwardingRules rules =
                new ForwardingRules(vm2vm, flood, strip, wireTag, hold, coalesce, 4096);
        Handoff[][] handoffs = SwitchWorker.handoffs(workerCount);
        for (int w = 0; w < workerCount; w++) {
            workers.add(
                    new SwitchWorker(
                            w,
                            rules,
                            pool,
                            List.of(uplink),
                            handoffs,
                            topology(workerCount),
                            clock));
        }
    }

    GuestDevice device(ModelGuest guest, int number, int worker) {
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

    Topology topology(int workerCount) {
        Map<Long, GuestDevice> owners = new TreeMap<>();
        devices.forEach(d -> owners.put(d.mac(), d));
        return Topology.of(epoch++, workerCount, devices, owners, feeds, true);
    }

    int poll() {
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

    static byte[] frame(long dst, int seed) {
        return Frames.frame(dst, MAC, 60, seed);
    }

    static void assertFrames(List<byte[]> expected, List<byte[]> actual) {
        assertEquals(expected.size(), actual.size());
        for (int i = 0; i < expected.size(); i++) {
            assertArrayEquals(expected.get(i), actual.get(i), "frame " + i);
        }
    }

    List<byte[]> sent() {
        List<byte[]> all = new ArrayList<>(wire.out);
        wire.out.clear();
        return all;
    }
}
