package io.grantwire.tools.vswitch;

import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDeviceInfo;
import io.grantwire.pmd.ethdev.EthLink;
import io.grantwire.pmd.ethdev.EthStats;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.EtherHeader;
import io.grantwire.pmd.net.MacAddress;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Map;

/**
 * A device whose received frames are all addressed to one station in one VLAN, so that any capture
 * can be played to a guest: the destination is replaced, and the VLAN tag replaced or put in. What
 * is behind the Ethernet header and the tag stays as it is. Everything else is the device's
 * underneath, which this one owns.
 */
final class RetargetingDevice implements EthDevice {
    private static final int TAG = 4;
    private static final ValueLayout.OfShort BE16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private final EthDevice device;
    private final long mac;
    private final int vlan;

    RetargetingDevice(EthDevice device, long mac, int vlan) {
        this.device = device;
        this.mac = mac;
        this.vlan = vlan;
    }

    @Override
    public int rxBurst(int queue, int[] mbufs, int offset, int count) {
        int n = device.rxBurst(queue, mbufs, offset, count);
        for (int i = offset; i < offset + n; i++) {
            retarget(mbufs[i]);
        }
        return n;
    }

    private void retarget(int m) {
        if (Mbuf.dataLen(m) < EtherHeader.LENGTH) {
            // Too short to be a frame: the switch counts it as such.
            return;
        }
        MemorySegment memory = Mbuf.segment(m);
        long frame = Mbuf.offset(m);
        boolean tagged =
                EtherHeader.type(memory, frame) == EtherHeader.TYPE_VLAN
                        && Mbuf.dataLen(m) >= EtherHeader.LENGTH + TAG;
        if (!tagged) {
            long src = EtherHeader.src(memory, frame);
            if (!Mbuf.prepend(m, TAG)) {
                return;
            }
            frame = Mbuf.offset(m);
            EtherHeader.setSrc(memory, frame, src);
            EtherHeader.setType(memory, frame, EtherHeader.TYPE_VLAN);
        }
        EtherHeader.setDst(memory, frame, mac);
        memory.set(BE16, frame + EtherHeader.LENGTH, (short) vlan);
    }

    @Override
    public String name() {
        return device.name();
    }

    @Override
    public EthDeviceInfo info() {
        return device.info();
    }

    @Override
    public MacAddress macAddress() {
        return device.macAddress();
    }

    @Override
    public void configure(EthConfig config) {
        device.configure(config);
    }

    @Override
    public void rxQueueSetup(int queue, int nbDesc, Mempool pool) {
        device.rxQueueSetup(queue, nbDesc, pool);
    }

    @Override
    public int rxDesc(int queue) {
        return device.rxDesc(queue);
    }

    @Override
    public void txQueueSetup(int queue, int nbDesc) {
        device.txQueueSetup(queue, nbDesc);
    }

    @Override
    public void start() {
        device.start();
    }

    @Override
    public void stop() {
        device.stop();
    }

    @Override
    public int txBurst(int queue, int[] mbufs, int offset, int count) {
        return device.txBurst(queue, mbufs, offset, count);
    }

    @Override
    public EthLink link() {
        return device.link();
    }

    @Override
    public EthStats stats() {
        return device.stats();
    }

    @Override
    public void resetStats() {
        device.resetStats();
    }

    @Override
    public Map<String, Long> xstats() {
        return device.xstats();
    }

    @Override
    public boolean promiscuous() {
        return device.promiscuous();
    }

    @Override
    public void setPromiscuous(boolean on) {
        device.setPromiscuous(on);
    }

    @Override
    public boolean allMulticast() {
        return device.allMulticast();
    }

    @Override
    public void setAllMulticast(boolean on) {
        device.setAllMulticast(on);
    }

    @Override
    public int mtu() {
        return device.mtu();
    }

    @Override
    public void close() {
        device.close();
    }
}
