package io.grantwire.tools;

import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDeviceInfo;
import io.grantwire.pmd.ethdev.EthLink;
import io.grantwire.pmd.ethdev.EthStats;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.MacAddress;
import java.util.Map;

/**
 * A device whose frames a test puts in and takes out by hand, or which turns them round. Takes as
 * many frames as {@link #room} says.
 */
public final class QueueDevice implements EthDevice {
    private final MacAddress mac;
    private final int[] in = new int[4096];
    private final int[] out = new int[4096];
    private int inHead;
    private int inTail;
    private int outTail;

    /** Frames that it takes before it is full. */
    public int room = Integer.MAX_VALUE;

    /** Whether what is sent is received again. */
    public boolean loop;

    /** How often it was asked to send. */
    public int sendCalls;

    public QueueDevice(String mac) {
        this.mac = MacAddress.parse(mac);
    }

    /** Puts a frame in to be received. */
    public void deliver(int mbuf) {
        in[inTail++ & in.length - 1] = mbuf;
    }

    /** How many frames were sent. */
    public int sent() {
        return outTail;
    }

    /** A frame that was sent; the caller's. */
    public int sent(int index) {
        return out[index];
    }

    /** Forgets and frees what was sent. */
    public void clearSent() {
        Mempool.freeBulk(out, 0, outTail);
        outTail = 0;
    }

    @Override
    public int rxBurst(int queue, int[] mbufs, int offset, int count) {
        int n = 0;
        while (n < count && inHead != inTail) {
            mbufs[offset + n++] = in[inHead++ & in.length - 1];
        }
        return n;
    }

    @Override
    public int txBurst(int queue, int[] mbufs, int offset, int count) {
        sendCalls++;
        int n = Math.min(count, room);
        for (int i = offset; i < offset + n; i++) {
            if (loop) {
                deliver(mbufs[i]);
            } else {
                out[outTail++] = mbufs[i];
            }
        }
        room -= n;
        return n;
    }

    @Override
    public String name() {
        return "queue0";
    }

    @Override
    public EthDeviceInfo info() {
        return new EthDeviceInfo("queue", 1, 1, 0, 512, 0, 512, 1, 2048, 68, 1500, 1, true, false);
    }

    @Override
    public MacAddress macAddress() {
        return mac;
    }

    @Override
    public void configure(EthConfig config) {}

    @Override
    public int rxDesc(int queue) {
        return in.length;
    }

    @Override
    public void rxQueueSetup(int queue, int nbDesc, Mempool pool) {}

    @Override
    public void txQueueSetup(int queue, int nbDesc) {}

    @Override
    public void start() {}

    @Override
    public void stop() {}

    @Override
    public EthLink link() {
        return new EthLink(true, 10_000, true);
    }

    @Override
    public EthStats stats() {
        return new EthStats(inHead, outTail, 0, 0, 0, 0, 0, 0);
    }

    @Override
    public void resetStats() {}

    @Override
    public Map<String, Long> xstats() {
        return Map.of();
    }

    @Override
    public boolean promiscuous() {
        return false;
    }

    @Override
    public void setPromiscuous(boolean on) {}

    @Override
    public boolean allMulticast() {
        return false;
    }

    @Override
    public void setAllMulticast(boolean on) {}

    @Override
    public int mtu() {
        return 1500;
    }

    @Override
    public void close() {}
}
