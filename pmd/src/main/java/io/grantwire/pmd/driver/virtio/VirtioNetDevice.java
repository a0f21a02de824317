package io.grantwire.pmd.driver.virtio;

import io.grantwire.pmd.driver.pci.BounceBuffers;
import io.grantwire.pmd.driver.pci.BusAddresses;
import io.grantwire.pmd.driver.pci.DmaPacketMemory;
import io.grantwire.pmd.ethdev.AbstractEthDevice;
import io.grantwire.pmd.ethdev.EthCapabilities;
import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDeviceException;
import io.grantwire.pmd.ethdev.EthDeviceInfo;
import io.grantwire.pmd.ethdev.EthLink;
import io.grantwire.pmd.ethdev.EthOffload;
import io.grantwire.pmd.mbuf.MemorySource;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.MacAddress;
import io.grantwire.pmd.net.VlanTag;
import io.grantwire.pmd.virtio.SplitRingDriver;
import io.grantwire.vfio.DmaSpace;
import io.grantwire.vfio.PciDevice;
import io.grantwire.vfio.PciException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A virtio network device. Queues exist while it is started; a stop resets the device, so that
 * nothing of ours is in its hands afterwards.
 *
 * <p>{@link #link} and the statistics may come from any thread: they, and closing, take {@link
 * #registersLock}, since the registers are mapped until then.
 */
final class VirtioNetDevice extends AbstractEthDevice {
    static final String NAME = "net_virtio";

    private static final Logger LOG = LoggerFactory.getLogger(VirtioNetDevice.class);

    private static final int DEFAULT_MTU = 1500;
    private static final int DEFAULT_DESC = 256;

    private final PciDevice pci;
    private final DmaSpace dma;
    private final VirtioPciTransport transport;
    private final VirtioInterrupts interrupts;
    private final BusAddresses addresses;
    private final long offered;
    private final VirtioNetProbe probe;
    private final EthDeviceInfo info;
    private final EthCapabilities capabilities;
    private final Object registersLock = new Object();
    private final List<MacAddress> others = new ArrayList<>();
    private final Set<Integer> vlans = new TreeSet<>();

    private BounceBuffers bounce;
    private EthConfig config = EthConfig.SINGLE_QUEUE;
    private VirtioRxQueue[] rx = {};
    private VirtioTxQueue[] tx = {};
    private VirtioNetQueues queues;
    private long features;
    private boolean strip;
    private boolean faultsReported;
    private boolean closed;

    /**
     * Finds the device's structures and reads what it offers.
     *
     * @param pci becomes the device's
     * @throws EthDeviceException when it is none that this driver can drive
     */
    VirtioNetDevice(String name, PciDevice pci) {
        super(name, MacAddress.ZERO);
        this.pci = pci;
        this.dma = pci.dma();
        if (pci.isGone()) {
            throw failure("probe", "ENODEV", "the card at " + pci.address() + " has gone");
        }
        try {
            this.transport = new VirtioPciTransport(name, pci);
        } catch (IllegalStateException e) {
            throw failure(
                    "probe", "ENOTSUP", "the card at " + pci.address() + ": " + e.getMessage());
        }
        this.interrupts = new VirtioInterrupts(transport, pci.interrupts());
        if (!transport.reset()) {
            throw failure("probe", "EIO", "the card at " + pci.address() + " does not reset");
        }
        transport.addStatus(VirtioPciTransport.ACKNOWLEDGE);
        transport.addStatus(VirtioPciTransport.DRIVER);
        this.offered = transport.offered();
        if (!transport.check()) {
            throw failure("probe", "ENODEV", "the card at " + pci.address() + " has gone");
        }
        this.probe = new VirtioNetProbe(transport, offered);
        String obstacle = probe.obstacle(dma);
        if (obstacle != null) {
            throw failure("probe", "ENOTSUP", obstacle);
        }
        setMacAddress(VirtioNetConfig.address(transport, offered));
        this.addresses = new BusAddresses(dma);
        this.info = probe.info(dma);
        this.capabilities = probe.capabilities();
        transport.reset();
    }

    @Override
    public EthDeviceInfo info() {
        return info;
    }

    @Override
    public EthCapabilities capabilities() {
        return capabilities;
    }

    @Override
    public MemorySource packetMemory() {
        return DmaPacketMemory.source(dma);
    }

    @Override
    protected int defaultDesc() {
        return DEFAULT_DESC;
    }

    // Configuration.

    @Override
    protected void doConfigure(EthConfig wanted) {
        if (wanted.rxQueues() != wanted.txQueues()) {
            throw failure(
                    "configure",
                    "EINVAL",
                    wanted.rxQueues()
                            + " receive and "
                            + wanted.txQueues()
                            + " transmit queues; its queues come in pairs");
        }
        config = wanted;
        rx = new VirtioRxQueue[wanted.rxQueues()];
        tx = new VirtioTxQueue[wanted.txQueues()];
        strip = wanted.has(EthOffload.RX_VLAN_STRIP);
        vlans.clear();
        noteMtu(wanted.mtu() == 0 ? Math.min(DEFAULT_MTU, info.maxMtu()) : wanted.mtu());
        if (bounce == null) {
            try {
                bounce = new BounceBuffers(name(), packetMemory(), addresses);
            } catch (PciException e) {
                throw new EthDeviceException("device " + name() + ": " + e.getMessage(), e);
            }
        }
    }

    @Override
    protected void doRxQueueSetup(int queue, int nbDesc, Mempool pool) {
        try {
            addresses.learn(pool);
        } catch (PciException e) {
            throw new EthDeviceException(
                    "device " + name() + ": set up receive queue " + queue + ": " + e.getMessage(),
                    e);
        }
        int size = ringSize(nbDesc, info.maxRxDesc());
        rx[queue] = new VirtioRxQueue(size, pool, addresses, rxCounters(queue));
    }

    @Override
    protected void doTxQueueSetup(int queue, int nbDesc) {
        int size = ringSize(nbDesc, info.maxTxDesc());
        tx[queue] = new VirtioTxQueue(size, addresses, bounce, txCounters(queue));
    }

    /** The power of two that is at least as large, or the largest. */
    private static int ringSize(int nbDesc, int most) {
        int size = Integer.highestOneBit(nbDesc);
        return Math.min(size < nbDesc ? size << 1 : size, most);
    }

    @Override
    protected void doStart() {
        refuseGone("start");
        checkRoom();
        addresses.learnAll();
        try {
            synchronized (registersLock) {
                bringUp();
            }
        } catch (IllegalStateException e) {
            putDown();
            throw failure("start", "EIO", e.getMessage());
        } catch (PciException e) {
            putDown();
            throw new EthDeviceException("device " + name() + ": start: " + e.getMessage(), e);
        } catch (RuntimeException e) {
            putDown();
            throw e;
        }
    }

    private void checkRoom() {
        for (VirtioRxQueue queue : rx) {
            boolean scatter =
                    config.has(EthOffload.RX_SCATTER) && probe.has(VirtioFeatures.MRG_RXBUF);
            if (queue.room() < mtu() + VirtioNetProbe.HEADERS && !scatter) {
                throw failure(
                        "start",
                        "EINVAL",
                        "a frame of MTU "
                                + mtu()
                                + " does not fit one mbuf of "
                                + queue.room()
                                + " bytes; use larger mbufs, or ask for "
                                + EthOffload.RX_SCATTER);
            }
        }
    }

    /** The sequence of section 3.1.1. */
    private void bringUp() {
        pci.setBusMaster(true);
        if (!transport.reset()) {
            throw failure("start", "EIO", "the device does not reset");
        }
        transport.addStatus(VirtioPciTransport.ACKNOWLEDGE);
        transport.addStatus(VirtioPciTransport.DRIVER);
        features = VirtioFeatures.choose(offered, wantedFeatures());
        if (!transport.accept(features)) {
            transport.addStatus(VirtioPciTransport.FAILED);
            refuseGone("start");
            throw failure(
                    "start",
                    "EIO",
                    "the device does not take the features " + Long.toHexString(features));
        }
        queues = new VirtioNetQueues(transport, dma, interrupts, rx, tx);
        int pairs = using(VirtioFeatures.MQ) ? maxPairs() : 1;
        queues.make(
                features,
                using(VirtioFeatures.CTRL_VQ) ? 2 * pairs : -1,
                mtu() + VirtioNetProbe.HEADERS);
        setVlanStrip(strip);
        transport.addStatus(VirtioPciTransport.DRIVER_OK);
        faultsReported = false;
        sendSettings();
        queues.refill();
    }

    private long wantedFeatures() {
        boolean cksum = config.has(EthOffload.TX_TCP_CKSUM) || config.has(EthOffload.TX_UDP_CKSUM);
        return (cksum ? VirtioFeatures.CSUM : 0)
                | (config.has(EthOffload.RX_CHECKSUM) ? VirtioFeatures.GUEST_CSUM : 0)
                | (config.has(EthOffload.RX_VLAN_FILTER) ? VirtioFeatures.CTRL_VLAN : 0)
                | (rx.length > 1 ? VirtioFeatures.MQ : 0);
    }

    private boolean using(long feature) {
        return (features & feature) != 0;
    }

    /** As many as the device has, which says where its control queue is. */
    private int maxPairs() {
        return VirtioNetConfig.pairs(transport, offered, 0x8000);
    }

    /** Tells a started device what it forgot at the reset. */
    private void sendSettings() {
        if (using(VirtioFeatures.MQ) && rx.length > 1) {
            demand("use " + rx.length + " queue pairs", queues.control().setPairs(rx.length));
        }
        if (using(VirtioFeatures.CTRL_RX)) {
            demand("set promiscuous mode", queues.control().setPromiscuous(promiscuous()));
            demand("set all-multicast mode", queues.control().setAllMulticast(allMulticast()));
            demand("set its addresses", queues.control().setAddresses(others));
        }
        if (using(VirtioFeatures.CTRL_MAC_ADDR)) {
            demand("set its address", queues.control().setAddress(macAddress()));
        }
        for (int vlan : vlans) {
            demand("filter VLANs", queues.control().setVlan(vlan, true));
        }
    }

    private void demand(String what, boolean done) {
        if (!done) {
            refuseGone(what);
            throw failure(what, "EIO", "the device refuses, or does not answer");
        }
    }

    @Override
    protected void doStop() {
        putDown();
    }

    /** Takes everything out of the device's hands, and then frees it. */
    private void putDown() {
        synchronized (registersLock) {
            interrupts.disable();
            boolean quiet = transport.reset();
            if (!quiet && !transport.gone()) {
                LOG.warn("device {}: stop: the device does not reset", name());
            }
            forbidDma();
        }
        transport.check();
        if (queues != null) {
            queues.free();
            queues = null;
        }
    }

    /**
     * In addition to the reset, which a broken device may not do, and which one that the kernel
     * wants back is not told: its registers count as gone, but it goes on.
     */
    private void forbidDma() {
        try {
            pci.setBusMaster(false);
        } catch (PciException e) {
            // It went between the two.
            transport.check();
        }
    }

    @Override
    protected void doClose() {
        synchronized (registersLock) {
            closed = true;
            transport.retire();
        }
        if (bounce != null) {
            bounce.close();
        }
        addresses.close();
        pci.close();
    }

    private void refuseGone(String what) {
        if (transport.gone()) {
            throw failure(what, "ENODEV", "the card has gone; bind it again and open it anew");
        }
    }

    // Traffic.

    @Override
    public int rxBurst(int queue, int[] mbufs, int offset, int count) {
        return started() && !transport.gone() ? rx[queue].burst(mbufs, offset, count) : 0;
    }

    @Override
    public int txBurst(int queue, int[] mbufs, int offset, int count) {
        return started() && !transport.gone() ? tx[queue].burst(mbufs, offset, count) : 0;
    }

    @Override
    public boolean awaitRx(int queue, Duration timeout) {
        String missing = interrupts.missing();
        if (missing != null) {
            throw failure("wait for a frame", "ENOTSUP", missing);
        }
        refuseGone("wait for a frame");
        try {
            boolean woken = interrupts.await(queue, rx[queue], timeout);
            refuseGone("wait for a frame");
            return woken;
        } catch (PciException e) {
            throw new EthDeviceException("device " + name() + ": " + e.getMessage(), e);
        }
    }

    // Link and statistics.

    @Override
    public EthLink link() {
        synchronized (registersLock) {
            boolean there = !closed && transport.check();
            if (!there || !started()) {
                return new EthLink(false, 0, true);
            }
            boolean broken = (transport.status() & VirtioPciTransport.DEVICE_NEEDS_RESET) != 0;
            boolean up = !reportFaults() && !broken && VirtioNetConfig.linkUp(transport, features);
            return new EthLink(
                    up && !transport.gone(),
                    VirtioNetConfig.speed(transport, features),
                    VirtioNetConfig.fullDuplex(transport, features));
        }
    }

    @Override
    public boolean isGone() {
        return transport.gone();
    }

    /** Says once which queue the device has broken; whether there is any. */
    private boolean reportFaults() {
        VirtioNetQueues now = queues;
        String fault = now == null ? null : now.fault();
        if (fault != null && !faultsReported) {
            faultsReported = true;
            LOG.error(
                    "device {}: EPROTO (the device broke the rules of {}, which is shut; the port is"
                            + " down until it is stopped and started)",
                    name(),
                    fault);
        }
        return fault != null;
    }

    @Override
    protected void addXstats(Map<String, Long> xstats) {
        VirtioRxQueue[] receive = rx;
        VirtioTxQueue[] transmit = tx;
        long faults = 0;
        for (int q = 0; q < receive.length; q++) {
            VirtioRxQueue r = receive[q];
            VirtioTxQueue t = transmit[q];
            xstats.put("rx_q" + q + "_kicks", r == null ? 0 : r.kicks());
            xstats.put("tx_q" + q + "_kicks", t == null ? 0 : t.kicks());
            xstats.put("tx_q" + q + "_copied", t == null ? 0 : t.copied());
            faults += r != null && r.fault() != SplitRingDriver.Fault.NONE ? 1 : 0;
            faults += t != null && t.fault() != SplitRingDriver.Fault.NONE ? 1 : 0;
        }
        xstats.put("ring_faults", faults);
    }

    // What is received.

    /** The control queue, if it is there and knows a kind of command. */
    private VirtioControlQueue control(String what, long feature) {
        if (!probe.has(feature)) {
            throw failure(what, "ENOTSUP", "the device has no such command");
        }
        return queues == null ? null : queues.control();
    }

    @Override
    protected void doSetPromiscuous(boolean on) {
        VirtioControlQueue queue = control("promiscuous mode", VirtioFeatures.CTRL_RX);
        if (queue != null) {
            demand("promiscuous mode", queue.setPromiscuous(on));
        }
    }

    @Override
    protected void doSetAllMulticast(boolean on) {
        VirtioControlQueue queue = control("all-multicast mode", VirtioFeatures.CTRL_RX);
        if (queue != null) {
            demand("all-multicast mode", queue.setAllMulticast(on));
        }
    }

    @Override
    public synchronized void setMtu(int bytes) {
        if (started()) {
            throw failure("MTU", "EBUSY", "it is started; stop it first");
        }
        if (bytes < info.minMtu() || bytes > info.maxMtu()) {
            throw failure(
                    "MTU",
                    "EINVAL",
                    bytes + " is not in " + info.minMtu() + " to " + info.maxMtu());
        }
        noteMtu(bytes);
    }

    @Override
    public synchronized List<MacAddress> macAddresses() {
        List<MacAddress> all = new ArrayList<>();
        all.add(macAddress());
        all.addAll(others);
        return List.copyOf(all);
    }

    @Override
    public synchronized void addMacAddress(MacAddress address) {
        String what = "add an address";
        VirtioControlQueue queue = control(what, VirtioFeatures.CTRL_RX);
        checkUnicast(what, address);
        if (address.equals(macAddress()) || others.contains(address)) {
            return;
        }
        if (others.size() == VirtioControlQueue.MAX_ADDRESSES) {
            throw failure(
                    what,
                    "ENOSPC",
                    "it has " + VirtioControlQueue.MAX_ADDRESSES + " more addresses already");
        }
        others.add(address);
        if (queue != null) {
            demand(what, queue.setAddresses(others));
        }
    }

    @Override
    public synchronized void removeMacAddress(MacAddress address) {
        String what = "remove an address";
        VirtioControlQueue queue = control(what, VirtioFeatures.CTRL_RX);
        if (address.equals(macAddress())) {
            throw failure(what, "EADDRINUSE", address + " is its own");
        }
        if (!others.remove(address)) {
            throw failure(what, "ENOENT", address + " was not added");
        }
        if (queue != null) {
            demand(what, queue.setAddresses(others));
        }
    }

    @Override
    public synchronized void changeMacAddress(MacAddress address) {
        String what = "change the address";
        VirtioControlQueue queue = control(what, VirtioFeatures.CTRL_MAC_ADDR);
        checkUnicast(what, address);
        if (queue != null) {
            demand(what, queue.setAddress(address));
        }
        if (others.remove(address) && queue != null) {
            demand(what, queue.setAddresses(others));
        }
        setMacAddress(address);
    }

    private void checkUnicast(String what, MacAddress address) {
        if (!address.isValidUnicast()) {
            throw failure(what, "EINVAL", address + " is no station's address");
        }
    }

    @Override
    public synchronized void setVlanFilter(int vlan, boolean on) {
        String what = "VLAN filter";
        VirtioControlQueue queue = control(what, VirtioFeatures.CTRL_VLAN);
        if (!config.has(EthOffload.RX_VLAN_FILTER)) {
            throw failure(what, "EINVAL", "configure it with " + EthOffload.RX_VLAN_FILTER);
        }
        if (vlan < 0 || vlan > VlanTag.ID_MASK) {
            throw failure(what, "EINVAL", vlan + " is not in 0 to 4095");
        }
        if (on ? vlans.add(vlan) : vlans.remove(vlan)) {
            if (queue != null) {
                demand(what, queue.setVlan(vlan, on));
            }
        }
    }

    @Override
    public synchronized void setVlanStrip(boolean on) {
        strip = on;
        for (VirtioRxQueue queue : rx) {
            if (queue != null) {
                queue.setStrip(on);
            }
        }
    }

    @Override
    public synchronized boolean vlanStrip() {
        return strip;
    }
}
