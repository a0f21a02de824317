package io.grantwire.pmd.driver.tap;

import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.NetInterface;
import io.grantwire.bindings.gen.uapi.Uapi;
import io.grantwire.pmd.driver.FrameCopy;
import io.grantwire.pmd.ethdev.AbstractEthDevice;
import io.grantwire.pmd.ethdev.EthDeviceException;
import io.grantwire.pmd.ethdev.EthDeviceInfo;
import io.grantwire.pmd.ethdev.EthLink;
import io.grantwire.pmd.ethdev.QueueCounters;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.EtherHeader;
import io.grantwire.pmd.net.MacAddress;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The device of {@link TapDriver}. The interface is up while the device is started, and its address
 * and MTU are the device's.
 *
 * <p>A TAP descriptor gives and takes one frame per system call: this is the one driver whose
 * packet path makes a downcall for every frame. Each direction goes through a buffer of its own,
 * which also joins segments and inserts VLAN tags; the copy is small beside the call.
 *
 * <p>Source: Linux {@code Documentation/networking/tuntap.rst}, {@code linux/if_tun.h}.
 */
final class TapDevice extends AbstractEthDevice {
    static final int MAX_FRAME = 65_535;
    private static final int LINK_MBPS = 10_000;

    private final NetInterface.Tap tap;
    private final EthDeviceInfo info;
    private final MemorySegment rxBuffer = Arena.ofAuto().allocate(MAX_FRAME, 64);
    private final MemorySegment txBuffer = Arena.ofAuto().allocate(MAX_FRAME, 64);

    private Mempool pool;
    private QueueCounters rxCounters;
    private QueueCounters txCounters;

    private TapDevice(String name, NetInterface.Tap tap, MacAddress mac, int mtu) {
        super(name, mac);
        this.tap = tap;
        noteMtu(mtu);
        this.info =
                new EthDeviceInfo(
                        "net_tap",
                        1,
                        1,
                        1,
                        MAX_FRAME,
                        1,
                        MAX_FRAME,
                        1,
                        MAX_FRAME,
                        68,
                        MAX_FRAME - EtherHeader.LENGTH - FrameCopy.TAG,
                        1,
                        true,
                        false);
    }

    /**
     * Makes the interface.
     *
     * @param mac its address, null for one the kernel chooses
     * @param mtu its MTU, 0 for the kernel's default
     * @throws EthDeviceException naming the interface, the reason and what to do
     */
    static TapDevice open(String name, String iface, MacAddress mac, int mtu) {
        NetInterface.Tap tap = null;
        try {
            tap = NetInterface.tap(iface, Uapi.IFF_NO_PI());
            tap.fd().setNonBlocking(true);
            if (mac != null) {
                NetInterface.setMacAddress(tap.name(), mac.bytes());
            }
            if (mtu > 0) {
                NetInterface.setMtu(tap.name(), mtu);
            }
            return new TapDevice(
                    name,
                    tap,
                    MacAddress.of(NetInterface.macAddress(tap.name())),
                    NetInterface.mtu(tap.name()));
        } catch (NativeException | IllegalArgumentException e) {
            if (tap != null) {
                tap.fd().close();
            }
            throw new EthDeviceException("device " + name + ": " + e.getMessage(), e);
        }
    }

    @Override
    public EthDeviceInfo info() {
        return info;
    }

    @Override
    protected void doRxQueueSetup(int queue, int nbDesc, Mempool pool) {
        this.pool = pool;
        rxCounters = rxCounters(queue);
    }

    @Override
    protected void doTxQueueSetup(int queue, int nbDesc) {
        txCounters = txCounters(queue);
    }

    @Override
    protected void doStart() {
        setUp(true);
    }

    @Override
    protected void doStop() {
        setUp(false);
    }

    private void setUp(boolean up) {
        try {
            NetInterface.setUp(tap.name(), up);
        } catch (NativeException e) {
            throw new EthDeviceException("device " + name() + ": " + e.getMessage(), e);
        }
    }

    @Override
    protected void doClose() {
        tap.fd().close();
    }

    @Override
    protected void doSetPromiscuous(boolean on) {
        // A TAP delivers whatever the kernel sends into it.
    }

    @Override
    protected void doSetAllMulticast(boolean on) {
        // As above.
    }

    @Override
    public int rxBurst(int queue, int[] mbufs, int offset, int count) {
        if (!started()) {
            return 0;
        }
        QueueCounters counters = rxCounters;
        MemorySegment buffer = rxBuffer;
        Mempool pool = this.pool;
        int room = pool.dataRoom();
        int good = 0;
        long bytes = 0;
        // Bad frames count as well: a flood of them must not keep the thread here.
        for (int looked = 0; looked < count; looked++) {
            int m = pool.alloc();
            if (m == 0) {
                counters.addNoMbuf(1);
                break;
            }
            int len = read(buffer);
            if (len < EtherHeader.LENGTH || len > room) {
                Mbuf.free(m);
                if (len < 0) {
                    break;
                }
                counters.addErrors(1);
                continue;
            }
            MemorySegment.copy(buffer, 0, Mbuf.segment(m), Mbuf.offset(m), len);
            Mbuf.init(m, len, Mbuf.NO_PORT);
            mbufs[offset + good++] = m;
            bytes += len;
        }
        if (good > 0) {
            counters.add(good, bytes);
        }
        return good;
    }

    /** One frame's length, or -1 when there is none, or the interface went down under us. */
    private int read(MemorySegment buffer) {
        try {
            return tap.fd().read(buffer);
        } catch (NativeException e) {
            return -1;
        }
    }

    @Override
    public int txBurst(int queue, int[] mbufs, int offset, int count) {
        if (!started()) {
            return 0;
        }
        QueueCounters counters = txCounters;
        MemorySegment buffer = txBuffer;
        int accepted = 0;
        int good = 0;
        int bad = 0;
        long bytes = 0;
        while (accepted < count) {
            int m = mbufs[offset + accepted];
            int len = FrameCopy.length(m);
            if (Mbuf.pktLen(m) < EtherHeader.LENGTH || len > MAX_FRAME) {
                bad++;
            } else {
                FrameCopy.copy(m, buffer, 0);
                int sent = write(buffer, len);
                if (sent < 0) {
                    break;
                }
                if (sent == len) {
                    good++;
                    bytes += len;
                } else {
                    bad++;
                }
            }
            Mbuf.free(m);
            accepted++;
        }
        if (good > 0) {
            counters.add(good, bytes);
        }
        if (bad > 0) {
            counters.addErrors(bad);
        }
        return accepted;
    }

    /** Bytes written, -1 when the kernel has no room now, 0 when it refuses the frame. */
    private int write(MemorySegment buffer, int len) {
        try {
            return tap.fd().write(buffer, 0, len);
        } catch (NativeException e) {
            return 0;
        }
    }

    @Override
    public EthLink link() {
        try {
            return new EthLink(started() && NetInterface.isRunning(tap.name()), LINK_MBPS, true);
        } catch (NativeException e) {
            return new EthLink(false, 0, true);
        }
    }
}
