package io.grantwire.pmd.driver.xenvirt;

import io.grantwire.gntalloc.GrantShare;
import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.ethdev.AbstractEthDevice;
import io.grantwire.pmd.ethdev.EthDeviceInfo;
import io.grantwire.pmd.ethdev.EthLink;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.EtherHeader;
import io.grantwire.pmd.net.MacAddress;
import io.grantwire.pmd.virtio.SplitRingDriver;
import io.grantwire.pmd.virtio.SplitRingDriver.Fault;
import io.grantwire.pmd.virtio.SplitRingLayout;
import io.grantwire.pmd.xenvirt.FlagPage;
import io.grantwire.pmd.xenvirt.XenvirtKeys;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A xenvirt front end: an Ethernet device with one receive and one transmit queue over two split
 * rings in granted memory.
 *
 * <p>Queue set-up grants the rings and writes their keys; the first start fills the receive ring,
 * writes the address and the flag page's grant, and last the start key, which is when the back end
 * picks the device up. Stopping only stops polling: keys, rings and posted buffers stay, the back
 * end keeps the device, and a later start goes on with the same rings and flag page. Closing
 * removes the keys, start key first, clears the flag byte, waits until the back end has let go, and
 * then ends the grants.
 *
 * <p>Source: xenvirt protocol (docs/protocol.md).
 */
final class XenvirtDevice extends AbstractEthDevice {
    private static final Logger LOG = LoggerFactory.getLogger("PMD");

    /** How long to wait for one of our back ends to let go of a device. */
    private static final long DETACH_NANOS = 2_000_000_000L;

    /** What an original back end, which does not say, is given: many rounds of its monitor. */
    private static final long GRACE_NANOS = 50_000_000L;

    private static final long POLL_NANOS = 200_000L;
    private static final int LINK_MBPS = 10_000;
    private static final int DEFAULT_MTU = 1500;

    private final Domain domain;
    private final XenvirtContext context;
    private final int number;
    private final EthDeviceInfo info;

    private GrantedRegion rxRegion;
    private GrantedRegion txRegion;
    private SplitRingDriver rxRing;
    private SplitRingDriver txRing;
    private XenvirtRxQueue rx;
    private XenvirtTxQueue tx;
    private GrantShare flag;

    XenvirtDevice(String name, MacAddress mac, Domain domain) {
        super(name, mac);
        this.domain = domain;
        this.context = XenvirtContext.of(domain);
        this.number = context.claimDevice();
        int ring = SplitRingLayout.DEFAULT_SIZE;
        this.info =
                new EthDeviceInfo(
                        "net_xenvirt",
                        1,
                        1,
                        ring,
                        ring,
                        ring,
                        ring,
                        1,
                        XenvirtTxQueue.ORIGINAL_MAX_FRAME,
                        68,
                        XenvirtTxQueue.ORIGINAL_MAX_FRAME - EtherHeader.LENGTH,
                        1,
                        true,
                        false);
        noteMtu(DEFAULT_MTU);
        LOG.info("Creating virtio rings backed ethdev on numa socket 0");
    }

    @Override
    public EthDeviceInfo info() {
        return info;
    }

    @Override
    protected int defaultDesc() {
        return SplitRingLayout.DEFAULT_SIZE;
    }

    @Override
    protected void doTxQueueSetup(int queue, int nbDesc) {
        if (txRegion == null) {
            SplitRingLayout layout = SplitRingLayout.of(nbDesc);
            txRegion = shareRing(layout, XenvirtKeys.txVringGref(number));
            txRing = SplitRingDriver.transmit(txRegion.segment(), layout);
        }
        tx = new XenvirtTxQueue(context, txRing, txCounters(queue));
    }

    @Override
    protected void doRxQueueSetup(int queue, int nbDesc, Mempool pool) {
        if (!context.covers(pool.segment())) {
            throw failure(
                    "set up receive queue " + queue,
                    "EINVAL",
                    "mempool "
                            + pool.name()
                            + " is not granted to domain 0; make it with XenvirtMempools.create");
        }
        if (rxRegion == null) {
            SplitRingLayout layout = SplitRingLayout.of(nbDesc);
            rxRegion = shareRing(layout, XenvirtKeys.rxVringGref(number));
            rxRing = SplitRingDriver.receive(rxRegion.segment(), layout);
        }
        rx = new XenvirtRxQueue(rxRing, pool, rxCounters(queue));
    }

    private GrantedRegion shareRing(SplitRingLayout layout, String key) {
        GrantedRegion region = GrantedRegion.share(domain.sharer(), layout.pages());
        try {
            context.write(domain, key, region.grefList());
            return region;
        } catch (RuntimeException e) {
            region.close();
            throw e;
        }
    }

    @Override
    protected void doStart() {
        refuseFaulty("receive", rxRing);
        refuseFaulty("transmit", txRing);
        rx.refill();
        if (flag == null) {
            announce();
        }
        tx.prepare(rx.pool(), flag.segment());
    }

    private void refuseFaulty(String direction, SplitRingDriver ring) {
        if (ring.fault() != Fault.NONE) {
            throw failure(
                    "start",
                    "EIO",
                    "the back end broke the "
                            + direction
                            + " ring ("
                            + ring.fault()
                            + "); close the device and probe it again");
        }
    }

    /** Tells the back end about the device; the start key last. */
    private void announce() {
        GrantShare page = null;
        try {
            context.write(domain, XenvirtKeys.etherAddr(number), macAddress().toString());
            page = domain.sharer().share(GrantedRegion.BACKEND_DOMID, 1, true);
            page.clearByteOnUnmap(FlagPage.LIVE_OFFSET);
            FlagPage.raise(page.segment());
            context.write(domain, XenvirtKeys.vringFlag(number), Integer.toString(page.gref(0)));
            context.write(domain, XenvirtKeys.start(number), XenvirtKeys.START);
            flag = page;
        } catch (RuntimeException e) {
            context.remove(domain, XenvirtKeys.vringFlag(number));
            if (page != null) {
                page.close();
            }
            throw e;
        }
    }

    @Override
    protected void doStop() {
        // The back end keeps the rings and the posted buffers: see the class comment.
    }

    @Override
    protected void doClose() {
        context.remove(
                domain,
                XenvirtKeys.start(number),
                XenvirtKeys.vringFlag(number),
                XenvirtKeys.etherAddr(number),
                XenvirtKeys.rxVringGref(number),
                XenvirtKeys.txVringGref(number));
        if (flag != null) {
            waitForDetach();
        }
        // Only now are the buffers ours again: until here the back end could still write them.
        release(rxRing, rxRegion);
        release(txRing, txRegion);
        if (flag != null) {
            flag.close();
            flag = null;
        }
        context.releaseDevice(number);
    }

    private void waitForDetach() {
        boolean attached = FlagPage.isAttached(flag.segment());
        FlagPage.clear(flag.segment());
        long start = System.nanoTime();
        long wait = attached ? DETACH_NANOS : GRACE_NANOS;
        while (System.nanoTime() - start < wait) {
            if (attached && !FlagPage.isAttached(flag.segment())) {
                return;
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
        if (attached) {
            LOG.warn(
                    "{}: the back end did not let go of the device in {} ms; closed regardless",
                    name(),
                    DETACH_NANOS / 1_000_000);
        }
    }

    private static void release(SplitRingDriver ring, GrantedRegion region) {
        if (ring != null) {
            int[] left = new int[ring.capacity()];
            Mempool.freeBulk(left, 0, ring.abandon(left));
        }
        if (region != null) {
            region.close();
        }
    }

    @Override
    public int rxBurst(int queue, int[] mbufs, int offset, int count) {
        return started() ? rx.burst(mbufs, offset, count) : 0;
    }

    @Override
    public int txBurst(int queue, int[] mbufs, int offset, int count) {
        return started() ? tx.burst(mbufs, offset, count) : 0;
    }

    /** Up while started, unless the back end broke a ring. */
    @Override
    public EthLink link() {
        boolean up = started() && rxRing.fault() == Fault.NONE && txRing.fault() == Fault.NONE;
        return new EthLink(up, LINK_MBPS, true);
    }

    @Override
    protected void addXstats(Map<String, Long> xstats) {
        XenvirtTxQueue t = tx;
        xstats.put("tx_q0_reclaimed", t == null ? 0 : t.reclaimed());
        xstats.put("tx_q0_copied", t == null ? 0 : t.copied());
        xstats.put("rx_q0_ring_errors", faults(rxRing));
        xstats.put("tx_q0_ring_errors", faults(txRing));
    }

    private static long faults(SplitRingDriver ring) {
        return ring == null || ring.fault() == Fault.NONE ? 0 : 1;
    }
}
