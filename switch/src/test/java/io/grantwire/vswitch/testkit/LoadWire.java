package io.grantwire.vswitch.testkit;

import io.grantwire.pmd.ethdev.AbstractEthDevice;
import io.grantwire.pmd.ethdev.EthDeviceInfo;
import io.grantwire.pmd.ethdev.EthLink;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.MacAddress;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** An uplink that receives the same frames over and over and swallows what it is given. */
public final class LoadWire extends AbstractEthDevice {
    private final MemorySegment frames;
    private final int length;
    private final int count;
    private Mempool pool;
    private int next;

    /** Whether frames come. */
    public boolean on = true;

    /** When set, frames come in the other queues too, without a tag that had this TCI. */
    public int strippedTci;

    /** How many frames were swallowed. */
    public long swallowed;

    /** Frames of one length, received in turn. */
    public LoadWire(byte[]... frames) {
        super("load0", new MacAddress(0x0200_0000_00feL));
        this.length = frames[0].length;
        this.count = frames.length;
        this.frames = Arena.ofAuto().allocate((long) count * length, 64);
        for (int i = 0; i < count; i++) {
            MemorySegment.copy(
                    frames[i], 0, this.frames, ValueLayout.JAVA_BYTE, (long) i * length, length);
        }
    }

    @Override
    public EthDeviceInfo info() {
        return new EthDeviceInfo("load", 8, 1, 1, 512, 1, 512, 1, 9216, 68, 9000, 1, true, false);
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
    protected void doClose() {}

    @Override
    public int rxBurst(int queue, int[] mbufs, int offset, int n) {
        if (!on || !pool.allocBulk(mbufs, offset, n)) {
            return 0;
        }
        for (int i = offset; i < offset + n; i++) {
            int m = mbufs[i];
            MemorySegment.copy(
                    frames, (long) next * length, Mbuf.segment(m), Mbuf.offset(m), (long) length);
            Mbuf.setLen(m, length);
            if (strippedTci != 0) {
                Mbuf.setVlanTci(m, strippedTci);
                Mbuf.setOlFlags(m, Mbuf.RX_VLAN | Mbuf.RX_VLAN_STRIPPED);
            }
            next = next + 1 == count ? 0 : next + 1;
        }
        return n;
    }

    @Override
    public int txBurst(int queue, int[] mbufs, int offset, int n) {
        Mempool.freeBulk(mbufs, offset, n);
        swallowed += n;
        return n;
    }

    @Override
    public EthLink link() {
        return new EthLink(true, 10_000, true);
    }
}
