package io.grantwire.tools.bench.peer;

import io.grantwire.pmd.ethdev.AbstractEthDevice;
import io.grantwire.pmd.ethdev.EthDeviceInfo;
import io.grantwire.pmd.ethdev.EthLink;
import io.grantwire.pmd.ethdev.QueueCounters;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.EtherHeader;
import io.grantwire.pmd.net.MacAddress;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.List;

/**
 * An uplink whose wire brings frames for some guests, one for each in turn, tagged with their
 * VLANs: so many in a second, or always some. What is sent to it vanishes.
 */
final class LoadWire extends AbstractEthDevice {
    private static final int MAX_FRAME = 2048;
    private static final long OWN_MAC = 0x0200_0000_0001L;
    private static final int TAG = 4;
    private static final ValueLayout.OfLong BE64 =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final VarHandle HEADERS;

    static {
        try {
            HEADERS = MethodHandles.lookup().findVarHandle(LoadWire.class, "headers", long[].class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final int length;

    /** Frames in a nanosecond; 0 when there are always some. */
    private final double rate;

    /** Frames that wait at most, as in a card's ring: what comes while nobody looks is lost. */
    private int ring;

    private Mempool pool;
    private QueueCounters rxCounters;
    private QueueCounters txCounters;
    private int next;
    private long begun;

    /** Frames up to the last look at the clock, and how many of them wait. */
    private long arrived;

    private long waiting;

    /** The first 16 bytes of each guest's frame, as two words; replaced as a whole. */
    private long[] headers = {};

    /**
     * @param frame bytes that a guest gets, without tag and CRC
     * @param mpps millions of frames in a second; 0 for as many as are taken
     */
    LoadWire(int frame, double mpps) {
        super("net_load0", new MacAddress(OWN_MAC));
        length = frame + TAG;
        rate = mpps / 1e3;
    }

    /** From now on there are frames for these. */
    void send(List<String> macs, List<Integer> vlans) {
        long[] words = new long[2 * macs.size()];
        for (int i = 0; i < macs.size(); i++) {
            long mac = MacAddress.parse(macs.get(i)).value();
            words[2 * i] = mac << 16 | OWN_MAC >>> 32;
            words[2 * i + 1] = OWN_MAC << 32 | (long) EtherHeader.TYPE_VLAN << 16 | vlans.get(i);
        }
        HEADERS.setRelease(this, words);
    }

    @Override
    public EthDeviceInfo info() {
        return new EthDeviceInfo(
                "net_load", 1, 1, 1, 4096, 1, 4096, 1, MAX_FRAME, 68, 1500, 1, true, false);
    }

    @Override
    protected void doRxQueueSetup(int queue, int nbDesc, Mempool pool) {
        this.pool = pool;
        ring = nbDesc;
        rxCounters = rxCounters(queue);
    }

    @Override
    protected void doTxQueueSetup(int queue, int nbDesc) {
        txCounters = txCounters(queue);
    }

    @Override
    protected void doStart() {}

    @Override
    protected void doStop() {}

    @Override
    protected void doClose() {}

    @Override
    public int rxBurst(int queue, int[] mbufs, int offset, int most) {
        long[] headers = (long[]) HEADERS.getAcquire(this);
        if (headers.length == 0) {
            return 0;
        }
        int count = rate == 0 ? most : arrived(most);
        if (count == 0) {
            return 0;
        }
        if (!pool.allocRawBulk(mbufs, offset, count)) {
            rxCounters.addNoMbuf(1);
            return 0;
        }
        int length = this.length;
        int at = next;
        MemorySegment memory = pool.segment();
        for (int i = offset; i < offset + count; i++) {
            int m = mbufs[i];
            Mbuf.init(m, length, Mbuf.NO_PORT);
            long frame = Mbuf.offset(m);
            memory.set(BE64, frame, headers[at]);
            memory.set(BE64, frame + 8, headers[at + 1]);
            at = at + 2 == headers.length ? 0 : at + 2;
        }
        next = at;
        rxCounters.add(count, (long) count * length);
        return count;
    }

    /**
     * Bursts, as generators send them. Frame by frame every round would find one, and cost the same
     * however many guests there are.
     */
    private int arrived(int most) {
        if (waiting < most) {
            look();
        }
        if (waiting < most) {
            return 0;
        }
        waiting -= most;
        return most;
    }

    /** What has come up to now; not for each burst, since a card has no clock to be asked. */
    private void look() {
        long now = System.nanoTime();
        if (begun == 0) {
            begun = now;
        }
        long all = (long) ((now - begun) * rate);
        waiting += all - arrived;
        arrived = all;
        if (waiting > ring) {
            rxCounters.addMissed((int) (waiting - ring));
            waiting = ring;
        }
    }

    @Override
    public int txBurst(int queue, int[] mbufs, int offset, int count) {
        Mempool.freeBulk(mbufs, offset, count);
        txCounters.add(count, 0);
        return count;
    }

    @Override
    public EthLink link() {
        return new EthLink(started(), 10_000, true);
    }
}
