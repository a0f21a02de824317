package io.grantwire.vswitch.testkit;

import io.grantwire.pmd.ethdev.AbstractEthDevice;
import io.grantwire.pmd.ethdev.EthDeviceInfo;
import io.grantwire.pmd.ethdev.EthLink;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.MacAddress;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** An uplink whose wire is two queues of byte arrays. */
public final class MemoryWire extends AbstractEthDevice {
    private final boolean lossless;
    private final int txQueues;
    private Mempool pool;

    /** What the switch will receive. */
    public final Queue<byte[]> in = new ConcurrentLinkedQueue<>();

    /** What the switch has sent. */
    public final Queue<byte[]> out = new ConcurrentLinkedQueue<>();

    /** How many more frames it takes; negative for any number. */
    public volatile int room = -1;

    /** How many of the next bursts it takes nothing of. */
    public volatile int refusals;

    /** When set, received frames come with the tag already taken off, as from a NIC. */
    public volatile boolean stripsTags;

    /** Whether it was unplugged. */
    public volatile boolean gone;

    /** Whether it has been closed. */
    public volatile boolean closed;

    /** How often it was used after that. */
    public volatile int usedClosed;

    /** A wire. */
    public MemoryWire(boolean lossless, int txQueues) {
        super("memory0", new MacAddress(0x0200_0000_00ffL));
        this.lossless = lossless;
        this.txQueues = txQueues;
    }

    @Override
    public EthDeviceInfo info() {
        return new EthDeviceInfo(
                "memory", 1, txQueues, 1, 512, 1, 512, 1, 9216, 68, 9000, 1, true, lossless);
    }

    @Override
    protected void doRxQueueSetup(int queue, int nbDesc, Mempool pool) {
        this.pool = pool;
    }

    @Override
    protected void doTxQueueSetup(int queue, int nbDesc) {}

    @Override
    protected void doStart() {}

    @Override
    protected void doStop() {}

    @Override
    protected void doClose() {
        closed = true;
    }

    @Override
    public boolean isGone() {
        return gone;
    }

    @Override
    public int rxBurst(int queue, int[] mbufs, int offset, int count) {
        if (closed) {
            usedClosed++;
        }
        int n = 0;
        while (n < count && !in.isEmpty()) {
            byte[] f = in.poll();
            int m;
            if (stripsTags && f[12] == (byte) 0x81 && f[13] == 0) {
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
        if (closed) {
            usedClosed++;
        }
        int n = 0;
        if (refusals > 0) {
            refusals--;
            return 0;
        }
        while (n < count && room != 0) {
            if (room > 0) {
                room--;
            }
            out.add(Frames.bytes(mbufs[offset + n]));
            Mbuf.free(mbufs[offset + n]);
            n++;
        }
        return n;
    }

    @Override
    public EthLink link() {
        return new EthLink(!gone, 10_000, true);
    }
}
