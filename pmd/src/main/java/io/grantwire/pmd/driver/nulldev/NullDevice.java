package io.grantwire.pmd.driver.nulldev;

import io.grantwire.pmd.ethdev.AbstractEthDevice;
import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDeviceInfo;
import io.grantwire.pmd.ethdev.EthLink;
import io.grantwire.pmd.ethdev.QueueCounters;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.MacAddress;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** The device of {@link NullDriver}. */
public final class NullDevice extends AbstractEthDevice {
    static final int MAX_FRAME = 65_535;
    private static final int MAX_QUEUES = 16;

    private final int size;
    private final boolean copy;
    private final boolean noRx;
    private final EthDeviceInfo info;
    private final MemorySegment dummy;
    private RxQueue[] rx = new RxQueue[0];
    private TxQueue[] tx = new TxQueue[0];

    private record RxQueue(Mempool pool, int port, QueueCounters counters) {}

    private record TxQueue(MemorySegment sink, QueueCounters counters) {}

    NullDevice(String name, int size, boolean copy, boolean noRx) {
        super(name, MacAddress.random());
        this.size = size;
        this.copy = copy;
        this.noRx = noRx;
        this.dummy = Arena.ofAuto().allocate(MAX_FRAME);
        this.info =
                new EthDeviceInfo(
                        "net_null",
                        MAX_QUEUES,
                        MAX_QUEUES,
                        0,
                        65_535,
                        0,
                        65_535,
                        1,
                        MAX_FRAME,
                        0,
                        MAX_FRAME - 14,
                        1,
                        true,
                        false);
    }

    @Override
    public EthDeviceInfo info() {
        return info;
    }

    @Override
    protected void doConfigure(EthConfig config) {
        rx = new RxQueue[config.rxQueues()];
        tx = new TxQueue[config.txQueues()];
    }

    @Override
    protected void doRxQueueSetup(int queue, int nbDesc, Mempool pool) {
        if (size > pool.dataRoom()) {
            throw failure(
                    "set up receive queue " + queue,
                    "EINVAL",
                    "frames of " + size + " bytes do not fit mbufs of " + pool.dataRoom());
        }
        rx[queue] = new RxQueue(pool, Mbuf.NO_PORT, rxCounters(queue));
    }

    @Override
    protected void doTxQueueSetup(int queue, int nbDesc) {
        tx[queue] = new TxQueue(Arena.ofAuto().allocate(MAX_FRAME), txCounters(queue));
    }

    @Override
    protected void doStart() {}

    @Override
    protected void doStop() {}

    @Override
    protected void doClose() {}

    @Override
    protected void doSetPromiscuous(boolean on) {}

    @Override
    protected void doSetAllMulticast(boolean on) {}

    @Override
    public int rxBurst(int queue, int[] mbufs, int offset, int count) {
        RxQueue q = rx[queue];
        if (noRx || !started() || count <= 0) {
            return 0;
        }
        QueueCounters counters = q.counters;
        if (!q.pool.allocRawBulk(mbufs, offset, count)) {
            counters.addNoMbuf(1);
            return 0;
        }
        int len = size;
        int port = q.port;
        for (int i = offset; i < offset + count; i++) {
            Mbuf.init(mbufs[i], len, port);
        }
        if (copy) {
            MemorySegment from = dummy;
            MemorySegment to = q.pool.segment();
            for (int i = offset; i < offset + count; i++) {
                MemorySegment.copy(from, 0, to, Mbuf.offset(mbufs[i]), len);
            }
        }
        counters.add(count, (long) count * len);
        return count;
    }

    @Override
    public int txBurst(int queue, int[] mbufs, int offset, int count) {
        TxQueue q = tx[queue];
        if (!started() || count <= 0) {
            return 0;
        }
        long bytes = 0;
        for (int i = offset; i < offset + count; i++) {
            bytes += Mbuf.pktLen(mbufs[i]);
        }
        if (copy) {
            MemorySegment sink = q.sink;
            for (int i = offset; i < offset + count; i++) {
                for (int s = mbufs[i]; s != 0; s = Mbuf.next(s)) {
                    MemorySegment.copy(Mbuf.segment(s), Mbuf.offset(s), sink, 0, Mbuf.dataLen(s));
                }
            }
        }
        Mempool.freeBulk(mbufs, offset, count);
        q.counters.add(count, bytes);
        return count;
    }

    @Override
    public EthLink link() {
        return new EthLink(started(), 10_000, true);
    }
}
