package io.grantwire.vswitch.testkit;

import io.grantwire.pmd.ethdev.AbstractEthDevice;
import io.grantwire.pmd.ethdev.EthCapabilities;
import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDeviceException;
import io.grantwire.pmd.ethdev.EthDeviceInfo;
import io.grantwire.pmd.ethdev.EthLink;
import io.grantwire.pmd.ethdev.EthOffload;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.EtherHeader;
import io.grantwire.pmd.net.MacAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/** A network card with VMDq pools, as {@code EthDevice.vmdqAssign} describes it. */
public final class PooledWire extends AbstractEthDevice {
    private record Key(long mac, int vlan) {}

    private final int pools;
    private final ConcurrentHashMap<Key, Integer> assigned = new ConcurrentHashMap<>();
    private final List<Queue<byte[]>> queues = new ArrayList<>();
    private Mempool pool;

    /** What the switch has sent, tags inserted. */
    public final Queue<byte[]> out = new ConcurrentLinkedQueue<>();

    /** Frames that asked for a tag to be inserted. */
    public volatile int inserted;

    /** What was called, in order. */
    public final Queue<String> calls = new ConcurrentLinkedQueue<>();

    /** VLANs that are listed. */
    public final Set<Integer> listed = ConcurrentHashMap.newKeySet();

    /** Set when the card has no filter left. */
    public volatile boolean full;

    /** Set when the card is pulled out: registers fault. */
    public volatile boolean pulledOut;

    private volatile boolean gone;

    /** A card. */
    public PooledWire(int pools) {
        super("pooled0", new MacAddress(0x0200_0000_00fdL));
        this.pools = pools;
        for (int i = 0; i < pools; i++) {
            queues.add(new ConcurrentLinkedQueue<>());
        }
    }

    /** A frame arrives: into the pool that has its address and VLAN, else into pool 0. */
    public void arrive(byte[] frame) {
        int pool = 0;
        if (frame.length >= 18 && frame[12] == (byte) 0x81 && frame[13] == 0) {
            long mac = 0;
            for (int i = 0; i < 6; i++) {
                mac = mac << 8 | frame[i] & 0xff;
            }
            int vlan = (frame[14] & 0xf) << 8 | frame[15] & 0xff;
            pool = assigned.getOrDefault(new Key(mac, vlan), 0);
        }
        queues.get(pool).add(frame);
    }

    /** A frame arrives in a pool, whoever has it now. */
    public void arriveIn(int pool, byte[] frame) {
        queues.get(pool).add(frame);
    }

    /** Which pool gets frames of an address in a VLAN; 0 for the default one. */
    public int poolOf(long mac, int vlan) {
        return assigned.getOrDefault(new Key(mac, vlan), 0);
    }

    @Override
    public EthDeviceInfo info() {
        return new EthDeviceInfo(
                "net_pooled", pools, 2, 1, 512, 1, 512, 1, 9216, 68, 9000, 1, true, false);
    }

    @Override
    public EthCapabilities capabilities() {
        return new EthCapabilities(
                Set.of(EthOffload.TX_VLAN_INSERT, EthOffload.TX_MULTI_SEGS),
                Set.of(),
                0,
                0,
                pools,
                64);
    }

    @Override
    protected void doConfigure(EthConfig config) {
        calls.add("configure " + config.vmdqPools() + " pools");
    }

    @Override
    protected void doRxQueueSetup(int queue, int nbDesc, Mempool mempool) {
        pool = mempool;
    }

    @Override
    protected void doTxQueueSetup(int queue, int nbDesc) {}

    @Override
    protected void doStart() {}

    @Override
    protected void doStop() {}

    @Override
    protected void doClose() {}

    @Override
    protected void doSetPromiscuous(boolean on) {
        calls.add("promiscuous " + on);
    }

    @Override
    public void vmdqAssign(int p, MacAddress address, int vlan) {
        if (full) {
            throw new EthDeviceException("device pooled0: VMDq pool " + p + ": ENOSPC (full)");
        }
        if (assigned.containsValue(p)) {
            throw new AssertionError("pool " + p + " is assigned already");
        }
        calls.add("assign " + p + " " + address + " " + vlan);
        assigned.put(new Key(address.value(), vlan), p);
    }

    @Override
    public void vmdqRelease(int p) {
        calls.add("release " + p);
        assigned.values().removeIf(v -> v == p);
    }

    @Override
    public void setVlanFilter(int vlan, boolean on) {
        if (on) {
            listed.add(vlan);
        } else {
            listed.remove(vlan);
        }
    }

    @Override
    public int rxBurst(int queue, int[] mbufs, int offset, int count) {
        if (gone) {
            return 0;
        }
        if (pulledOut) {
            throw new InternalError("a fault occurred in an unsafe memory access operation");
        }
        Queue<byte[]> in = queues.get(queue);
        int n = 0;
        while (n < count && !in.isEmpty()) {
            byte[] f = in.poll();
            int m;
            if (queue > 0) {
                byte[] bare = new byte[f.length - 4];
                System.arraycopy(f, 0, bare, 0, 12);
                System.arraycopy(f, 16, bare, 12, f.length - 16);
                m = Frames.mbuf(pool, bare);
                Mbuf.setVlanTci(m, (f[14] & 0xff) << 8 | f[15] & 0xff);
                Mbuf.setOlFlags(m, Mbuf.RX_VLAN | Mbuf.RX_VLAN_STRIPPED);
            } else {
                m = Frames.mbuf(pool, f);
            }
            mbufs[offset + n++] = m;
        }
        return n;
    }

    @Override
    public int txBurst(int queue, int[] mbufs, int offset, int count) {
        if (gone) {
            return 0;
        }
        for (int i = offset; i < offset + count; i++) {
            byte[] f = Frames.bytes(mbufs[i]);
            if ((Mbuf.olFlags(mbufs[i]) & Mbuf.TX_VLAN) != 0) {
                f = Frames.tagged(f, Mbuf.vlanTci(mbufs[i]));
                inserted++;
            }
            if (f.length < EtherHeader.LENGTH) {
                throw new AssertionError("no frame");
            }
            out.add(f);
            Mbuf.free(mbufs[i]);
        }
        return count;
    }

    @Override
    public EthLink link() {
        gone |= pulledOut;
        return new EthLink(!gone, 1000, true);
    }

    @Override
    public boolean isGone() {
        return gone;
    }
}
