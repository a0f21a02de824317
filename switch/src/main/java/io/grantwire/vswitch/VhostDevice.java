package io.grantwire.vswitch;

import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.ethdev.AbstractEthDevice;
import io.grantwire.pmd.ethdev.EthDeviceInfo;
import io.grantwire.pmd.ethdev.EthLink;
import io.grantwire.pmd.ethdev.QueueCounters;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.MacAddress;
import io.grantwire.vswitch.count.DropReason;
import io.grantwire.vswitch.count.FrameCounters;
import io.grantwire.vswitch.monitor.GuestMonitor;
import io.grantwire.vswitch.monitor.GuestPort;
import io.grantwire.vswitch.monitor.PortException;
import io.grantwire.vswitch.monitor.PortHandler;
import io.grantwire.vswitch.ring.DeviceRing;
import io.grantwire.vswitch.ring.ReceivePath;
import io.grantwire.vswitch.ring.RejectReason;
import io.grantwire.vswitch.ring.TransmitPath;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The device side of one guest's xenvirt device as an Ethernet device, as DPDK's net_vhost is for
 * virtio: what the guest transmits is received here, what is transmitted here the guest receives.
 *
 * <p>The guest may come, go and come again while the device is started; until it is there nothing
 * is received, and nothing is accepted for transmission. A guest that breaks the rules is not
 * served until it starts its device anew. Nothing is ever dropped for lack of room in a ring.
 */
public final class VhostDevice extends AbstractEthDevice {
    private static final Logger LOG = LoggerFactory.getLogger("PORT");
    private static final int MAX_FRAME = 9216;
    private static final int ETHER_HEADER = 14;
    private static final int LINK_MBPS = 10_000;
    private static final VarHandle CURRENT;

    static {
        try {
            CURRENT =
                    MethodHandles.lookup()
                            .findVarHandle(VhostDevice.class, "current", Attachment.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Domain domain;
    private final int domid;
    private final int index;
    private final EthDeviceInfo info;
    private final VhostPoller rxPoller = new VhostPoller();
    private final VhostPoller txPoller = new VhostPoller();
    private final FrameCounters received = new FrameCounters();
    private final FrameCounters transmitted = new FrameCounters();

    private GuestMonitor monitor;
    private volatile boolean polled;
    private Mempool pool;
    private QueueCounters rxQueueCounters;
    private QueueCounters txQueueCounters;

    /** What is polled now; replaced by the monitor, read at the start of each burst. */
    private volatile Attachment current = Attachment.none(0);

    /**
     * What the pollers poll: a guest's rings, or nothing.
     *
     * @param epoch greater than that of the one before
     */
    private record Attachment(long epoch, GuestPort port, DeviceRing rx, DeviceRing tx) {
        static Attachment none(long epoch) {
            return new Attachment(epoch, null, null, null);
        }
    }

    private VhostDevice(Domain domain, int domid, int index) {
        super("vhost" + domid + "_" + index, MacAddress.random());
        this.domain = domain;
        this.domid = domid;
        this.index = index;
        this.info =
                new EthDeviceInfo(
                        "net_vhost_xen",
                        1,
                        1,
                        256,
                        256,
                        256,
                        256,
                        1,
                        MAX_FRAME,
                        68,
                        MAX_FRAME - ETHER_HEADER,
                        1,
                        true,
                        true);
    }

    /**
     * Makes the device; the guest need not be there yet.
     *
     * @param domain the control domain
     * @param domid the guest
     * @param index its device, usually 0
     */
    public static VhostDevice open(Domain domain, int domid, int index) {
        return new VhostDevice(domain, domid, index);
    }

    /** The guest. */
    public int domid() {
        return domid;
    }

    @Override
    public EthDeviceInfo info() {
        return info;
    }

    @Override
    protected int defaultDesc() {
        return info.maxRxDesc();
    }

    @Override
    protected void doRxQueueSetup(int queue, int nbDesc, Mempool pool) {
        this.pool = pool;
        rxQueueCounters = rxCounters(queue);
    }

    @Override
    protected void doTxQueueSetup(int queue, int nbDesc) {
        txQueueCounters = txCounters(queue);
    }

    @Override
    protected void doStart() {
        polled = true;
        monitor =
                GuestMonitor.start(
                        domain,
                        "vhost-monitor-" + domid,
                        new Handler(),
                        GuestMonitor.Options.DEFAULT);
    }

    @Override
    protected void doStop() {
        // By contract nobody polls any more.
        polled = false;
        monitor.close();
        monitor = null;
    }

    @Override
    protected void doClose() {
        // Stopped already, and there is nothing else.
    }

    /** Entered by a poller at the start of a burst. */
    private Attachment enter(VhostPoller poller) {
        if (poller.isOther(Thread.currentThread())) {
            poller.claim();
            Attachment a = current;
            poller.pass(a.epoch());
            return a;
        }
        // Pairs with the monitor's store: the rings are complete.
        Attachment a = (Attachment) CURRENT.getAcquire(this);
        poller.pass(a.epoch());
        return a;
    }

    @Override
    public int rxBurst(int queue, int[] mbufs, int offset, int count) {
        DeviceRing tx = enter(rxPoller).tx();
        if (tx == null) {
            return 0;
        }
        long bytes = received.bytes();
        long bad = badFrames(received);
        int n =
                TransmitPath.dequeue(
                        tx, pool, mbufs, offset, count, MAX_FRAME, Mbuf.NO_PORT, received);
        tx.publish();
        if (n > 0) {
            rxQueueCounters.add(n, received.bytes() - bytes);
        } else if (count > 0 && tx.waiting() > 0 && pool.available() == 0) {
            rxQueueCounters.addNoMbuf(1);
        }
        if (badFrames(received) != bad) {
            rxQueueCounters.addErrors((int) (badFrames(received) - bad));
        }
        return n;
    }

    private static long badFrames(FrameCounters counters) {
        return counters.dropped(DropReason.FRAME_TOO_SHORT)
                + counters.dropped(DropReason.FRAME_TOO_LONG);
    }

    @Override
    public int txBurst(int queue, int[] mbufs, int offset, int count) {
        DeviceRing rx = enter(txPoller).rx();
        if (rx == null) {
            return 0;
        }
        long frames = transmitted.frames();
        long bytes = transmitted.bytes();
        int n = ReceivePath.enqueue(rx, mbufs, offset, count, transmitted);
        rx.publish();
        if (n > 0) {
            Mempool.freeBulk(mbufs, offset, n);
            int good = (int) (transmitted.frames() - frames);
            txQueueCounters.add(good, transmitted.bytes() - bytes);
            if (good < n) {
                txQueueCounters.addErrors(n - good);
            }
        }
        return n;
    }

    /** Whether the guest is there and well. */
    @Override
    public EthLink link() {
        Attachment a = current;
        boolean up = started() && a.port() != null && fault(a) == null;
        return new EthLink(up, up ? LINK_MBPS : 0, true);
    }

    private static String fault(Attachment a) {
        if (a.rx().violation() != null) {
            return "rx ring: " + a.rx().violation().text();
        }
        return a.tx().violation() != null ? "tx ring: " + a.tx().violation().text() : null;
    }

    @Override
    protected void addXstats(Map<String, Long> xstats) {
        count(xstats, "rx", received, DropReason.FRAME_TOO_SHORT);
        count(xstats, "rx", received, DropReason.FRAME_TOO_LONG);
        count(xstats, "tx", transmitted, DropReason.BUFFER_TOO_SMALL);
    }

    private static void count(
            Map<String, Long> xstats, String direction, FrameCounters c, DropReason reason) {
        xstats.put(direction + "_dropped_" + reason.key(), c.dropped(reason));
    }

    /** The monitor's side: attaches the one device, and knows when the pollers have let go. */
    private final class Handler implements PortHandler {
        private boolean faultLogged;

        @Override
        public boolean accepts(int candidate) {
            return candidate == domid;
        }

        @Override
        public void attach(GuestPort port) {
            if (port.index() != index) {
                throw new PortException(
                        RejectReason.TOO_MANY_DEVICES,
                        name()
                                + ": the guest's device "
                                + port.index()
                                + " is not served, only device "
                                + index);
            }
            if (current.port() != null) {
                throw new PortException(
                        RejectReason.TOO_MANY_DEVICES,
                        name() + ": the guest has a device attached already");
            }
            faultLogged = false;
            current =
                    new Attachment(
                            current.epoch() + 1, port, port.openReceive(), port.openTransmit());
            LOG.info("{} attached to device {}", name(), port);
        }

        @Override
        public void detach(GuestPort port) {
            current = Attachment.none(current.epoch() + 1);
            LOG.info("{} detached from device {}", name(), port);
        }

        @Override
        public boolean released(GuestPort port) {
            if (!polled) {
                return true;
            }
            long epoch = current.epoch();
            return rxPoller.hasPassed(epoch, txPoller) && txPoller.hasPassed(epoch, rxPoller);
        }

        @Override
        public void tick() {
            Attachment a = current;
            if (a.port() != null && !faultLogged && fault(a) != null) {
                faultLogged = true;
                LOG.warn("{}: device {} is not served any more, {}", name(), a.port(), fault(a));
            }
        }
    }
}
