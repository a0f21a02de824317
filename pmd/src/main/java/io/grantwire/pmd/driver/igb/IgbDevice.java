package io.grantwire.pmd.driver.igb;

import static io.grantwire.pmd.driver.igb.IgbRegisters.*;

import io.grantwire.pmd.driver.pci.BounceBuffers;
import io.grantwire.pmd.driver.pci.BusAddresses;
import io.grantwire.pmd.driver.pci.CardRegisters;
import io.grantwire.pmd.driver.pci.DmaPacketMemory;
import io.grantwire.pmd.driver.pci.RingMemory;
import io.grantwire.pmd.ethdev.AbstractEthDevice;
import io.grantwire.pmd.ethdev.EthCapabilities;
import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDeviceException;
import io.grantwire.pmd.ethdev.EthDeviceInfo;
import io.grantwire.pmd.ethdev.EthLink;
import io.grantwire.pmd.ethdev.EthOffload;
import io.grantwire.pmd.ethdev.RssConfig;
import io.grantwire.pmd.mbuf.MemorySource;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.MacAddress;
import io.grantwire.vfio.PciDevice;
import io.grantwire.vfio.PciException;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * The device of {@link IgbDriver}. The card is in reset while the device is stopped: what was set
 * is kept here and told to the card at start.
 *
 * <p>Threads: as {@link io.grantwire.pmd.ethdev.EthDevice} has it; filters, RSS and pools may be
 * changed while other threads poll.
 */
final class IgbDevice extends AbstractEthDevice {
    private final PciDevice pci;
    private final IgbModel model;
    private final CardRegisters registers;
    private final IgbHardware hardware;
    private final IgbFilters filters;
    private final IgbRss rss;
    private final IgbStatistics statistics;
    private final IgbInterrupts interrupts;
    private final BusAddresses busAddresses;
    private final EthDeviceInfo info;
    private final EthCapabilities capabilities;

    private IgbRxQueue[] rx = {};
    private IgbTxQueue[] tx = {};
    private EthConfig config = EthConfig.SINGLE_QUEUE;
    private boolean strip;
    private boolean linkWanted = true;
    private RingMemory rings;
    private BounceBuffers bounce;

    private IgbDevice(
            String name, PciDevice pci, IgbModel model, CardRegisters registers, MacAddress mac) {
        super(name, mac);
        this.pci = pci;
        this.model = model;
        this.registers = registers;
        this.hardware = new IgbHardware(registers, model);
        this.filters = new IgbFilters(registers, model, mac, this::failure);
        this.rss = new IgbRss(registers, this::failure);
        this.statistics = new IgbStatistics(registers, model.queues());
        this.interrupts = new IgbInterrupts(registers, model, pci.interrupts());
        this.busAddresses = new BusAddresses(pci.dma());
        this.info = IgbLimits.info(model, pci.dma());
        this.capabilities = IgbLimits.capabilities();
    }

    /**
     * Resets the card and asks for its address.
     *
     * @throws EthDeviceException when it does not answer as it should
     */
    static IgbDevice open(String name, PciDevice pci, IgbModel model) {
        try {
            CardRegisters registers = new CardRegisters(name, pci, pci.bar(0));
            if (pci.bar(0).size() < SIZE) {
                throw broken(name, "BAR 0 is too small for an " + model.title());
            }
            IgbHardware hardware = new IgbHardware(registers, model);
            if (!hardware.answers()) {
                throw broken(name, "the " + model.title() + "'s registers read as all ones");
            }
            if (!hardware.reset()) {
                throw broken(name, "the " + model.title() + " does not come out of reset");
            }
            MacAddress mac =
                    hardware.permanentAddress()
                            .orElseThrow(
                                    () -> broken(name, "there is no MAC address in its EEPROM"));
            return new IgbDevice(name, pci, model, registers, mac);
        } catch (PciException e) {
            throw new EthDeviceException("device " + name + ": " + e.getMessage(), e);
        }
    }

    private static EthDeviceException broken(String name, String why) {
        return new EthDeviceException("device " + name + ": EIO (" + why + ")");
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
        return DmaPacketMemory.source(pci.dma());
    }

    // Life cycle.

    @Override
    protected void doConfigure(EthConfig wanted) {
        int pools = wanted.vmdqPools();
        if (pools > 0 && wanted.rxQueues() != pools) {
            throw failure(
                    "configure",
                    "EINVAL",
                    wanted.rxQueues() + " receive queues for " + pools + " pools; each has one");
        }
        if (pools > 0 && wanted.rss().on()) {
            throw failure("configure", "ENOTSUP", "it has no RSS within pools");
        }
        config = wanted;
        statistics.clear();
        noteMtu(wanted.mtu() == 0 ? IgbLimits.DEFAULT_MTU : wanted.mtu());
        strip = wanted.has(EthOffload.RX_VLAN_STRIP);
        filters.configure(pools, wanted.has(EthOffload.RX_VLAN_FILTER));
        rss.configure(wanted.rss(), wanted.rxQueues());
        rx = new IgbRxQueue[wanted.rxQueues()];
        tx = new IgbTxQueue[wanted.txQueues()];
    }

    @Override
    protected void doRxQueueSetup(int queue, int nbDesc, Mempool pool) {
        String what = "set up receive queue " + queue;
        int buffer =
                Math.min(
                        pool.dataRoom() / IgbLimits.BUFFER_UNIT * IgbLimits.BUFFER_UNIT,
                        IgbLimits.MAX_BUFFER);
        checkBuffer(what, buffer);
        try {
            busAddresses.learn(pool);
        } catch (PciException e) {
            throw new EthDeviceException(
                    "device "
                            + name()
                            + ": "
                            + what
                            + ": the card cannot reach the memory of mempool "
                            + pool.name()
                            + ": "
                            + e.getMessage(),
                    e);
        }
        rx[queue] =
                new IgbRxQueue(
                        registers, busAddresses, pool, rxCounters(queue), queue, nbDesc, buffer);
    }

    private void checkBuffer(String what, int buffer) {
        if (buffer < IgbLimits.BUFFER_UNIT) {
            throw failure(
                    what, "EINVAL", "the mbufs have less than " + IgbLimits.BUFFER_UNIT + " bytes");
        }
        if (buffer < IgbLimits.frame(mtu()) && !config.has(EthOffload.RX_SCATTER)) {
            throw failure(
                    what,
                    "EINVAL",
                    "frames of "
                            + IgbLimits.frame(mtu())
                            + " bytes do not fit into "
                            + buffer
                            + "; take larger mbufs, or ask for RX_SCATTER");
        }
    }

    @Override
    protected void doTxQueueSetup(int queue, int nbDesc) {
        tx[queue] =
                new IgbTxQueue(
                        registers,
                        busAddresses,
                        txCounters(queue),
                        queue,
                        nbDesc,
                        IgbLimits.frame(IgbLimits.MAX_MTU));
    }

    @Override
    protected void doStart() {
        for (IgbRxQueue queue : rx) {
            checkBuffer("start", queue.bufferSize());
        }
        try {
            busAddresses.learnAll();
            if (bounce == null) {
                bounce = new BounceBuffers(name(), packetMemory(), busAddresses);
            }
            rings = RingMemory.allocate(pci.dma(), ringBytes());
            pci.setBusMaster(true);
            bringUp();
        } catch (PciException e) {
            doStop();
            throw new EthDeviceException("device " + name() + ": start: " + e.getMessage(), e);
        } catch (EthDeviceException e) {
            doStop();
            throw e;
        }
    }

    private int[] ringBytes() {
        int[] bytes = new int[rx.length + tx.length];
        for (int i = 0; i < rx.length; i++) {
            bytes[i] = rx[i].size() * IgbDescriptors.SIZE;
        }
        for (int i = 0; i < tx.length; i++) {
            bytes[rx.length + i] = tx[i].size() * IgbDescriptors.SIZE;
        }
        return bytes;
    }

    /** From reset to traffic, in the order of the 82576 datasheet's 4.5.9 and 4.5.10. */
    private void bringUp() {
        hardware.prepare();
        filters.apply(IgbLimits.frame(mtu()) + IgbLimits.CRC);
        if (!filters.hasPools()) {
            rss.apply();
        }
        hardware.setRxChecksums(config.has(EthOffload.RX_CHECKSUM));
        applyVlanMode();
        boolean taken = true;
        for (int i = 0; i < rx.length; i++) {
            taken &=
                    hardware.enableRx(
                            i,
                            rings.busAddress(i),
                            rx[i].size(),
                            rx[i].bufferSize(),
                            rx.length > 1);
        }
        for (int i = 0; i < tx.length; i++) {
            taken &= hardware.enableTx(i, rings.busAddress(rx.length + i), tx[i].size());
        }
        if (!taken) {
            throw failure("start", "EIO", "the card does not enable its queues");
        }
        for (int i = 0; i < tx.length; i++) {
            tx[i].start(rings.ring(rx.length + i), bounce);
        }
        hardware.enableTransmitter();
        filters.receive();
        // Descriptors only when the unit is on, or the card may not see them (4.5.9).
        for (int i = 0; i < rx.length; i++) {
            rx[i].start(rings.ring(i), IgbLimits.frame(mtu()));
        }
        if (!hardware.setLink(linkWanted)) {
            throw failure("start", "EIO", "the card's transceiver does not answer");
        }
    }

    /**
     * In these cards one bit, CTRL.VME, has tags inserted and taken off, and with pools the latter
     * is each pool's own affair. So without pools, when tags are to stay on received frames, the
     * transmit queues insert them.
     */
    private void applyVlanMode() {
        boolean mode = filters.hasPools() || strip;
        if (!mode) {
            setCardInserts(false);
        }
        if (filters.hasPools()) {
            registers.update(CTRL, 0, CTRL_VME);
        } else {
            hardware.setVlanMode(mode);
        }
        if (mode) {
            setCardInserts(true);
        }
    }

    private void setCardInserts(boolean card) {
        for (IgbTxQueue queue : tx) {
            queue.setCardInserts(card);
        }
    }

    @Override
    protected void doStop() {
        interrupts.disable();
        if (!registers.gone()) {
            statistics.accumulate();
        }
        boolean quiet = hardware.reset();
        filters.stopped();
        rss.stopped();
        if (!quiet) {
            cutOff();
        }
        for (IgbRxQueue queue : rx) {
            if (queue != null) {
                queue.stop();
            }
        }
        for (IgbTxQueue queue : tx) {
            if (queue != null) {
                queue.stop();
            }
        }
        if (rings != null) {
            rings.close();
            rings = null;
        }
        registers.report();
    }

    /** Whatever the card is still about, it gets no further than the bus. */
    private void cutOff() {
        try {
            pci.setBusMaster(false);
        } catch (PciException e) {
            // Gone altogether: then it does nothing any more.
            registers.lose();
        }
    }

    @Override
    protected void doClose() {
        if (!registers.gone()) {
            hardware.leave();
        }
        cutOff();
        registers.retire();
        if (bounce != null) {
            bounce.close();
        }
        busAddresses.close();
        pci.close();
    }

    // Traffic.

    @Override
    public int rxBurst(int queue, int[] mbufs, int offset, int count) {
        return started() && !registers.gone() ? rx[queue].burst(mbufs, offset, count) : 0;
    }

    @Override
    public int txBurst(int queue, int[] mbufs, int offset, int count) {
        return started() && !registers.gone() ? tx[queue].burst(mbufs, offset, count) : 0;
    }

    @Override
    public boolean awaitRx(int queue, Duration timeout) {
        if (!started() || registers.gone()) {
            return false;
        }
        IgbRxQueue rxQueue = rx[queue];
        if (rxQueue.hasFrames()) {
            return true;
        }
        if (!interrupts.has(queue)) {
            enableInterrupts(queue);
        }
        return interrupts.await(queue, rxQueue, timeout);
    }

    private synchronized void enableInterrupts(int queue) {
        interrupts.enableFor(queue, rx.length, pci.kernelDriver(), this::failure);
    }

    // State.

    /** {@inheritDoc} Asks the bus whether the card is there, and whether the kernel wants it. */
    @Override
    public synchronized EthLink link() {
        registers.check();
        EthLink link = hardware.link();
        return linkWanted ? link : new EthLink(false, 0, link.fullDuplex());
    }

    @Override
    public boolean isGone() {
        return registers.gone();
    }

    @Override
    public synchronized void setLinkUp(boolean up) {
        linkWanted = up;
        if (started() && !hardware.setLink(up)) {
            throw failure("link", "EIO", "the card's transceiver does not answer");
        }
    }

    @Override
    protected synchronized void addXstats(Map<String, Long> xstats) {
        statistics.addTo(xstats);
    }

    // Filters.

    @Override
    protected void doSetPromiscuous(boolean on) {
        filters.setPromiscuous(on);
    }

    @Override
    protected void doSetAllMulticast(boolean on) {
        filters.setAllMulticast(on);
    }

    @Override
    public synchronized void setMtu(int bytes) {
        if (started()) {
            throw failure("MTU", "EBUSY", "it is started; stop it first");
        }
        if (bytes < IgbLimits.MIN_MTU || bytes > IgbLimits.MAX_MTU) {
            throw failure(
                    "MTU",
                    "EINVAL",
                    bytes + " is not in " + IgbLimits.MIN_MTU + " to " + IgbLimits.MAX_MTU);
        }
        noteMtu(bytes);
    }

    @Override
    public synchronized List<MacAddress> macAddresses() {
        return filters.macAddresses();
    }

    @Override
    public synchronized void addMacAddress(MacAddress address) {
        filters.addMacAddress(address);
    }

    @Override
    public synchronized void removeMacAddress(MacAddress address) {
        filters.removeMacAddress(address, macAddress());
    }

    @Override
    public synchronized void changeMacAddress(MacAddress address) {
        if (!address.equals(macAddress())) {
            filters.changeMacAddress(address);
            setMacAddress(address);
        }
    }

    /**
     * {@inheritDoc}
     *
     * <p>With pools it may be called without the filter too: a VLAN that is listed then has its
     * group frames go to pool 0 for certain, which a card may otherwise leave out.
     */
    @Override
    public synchronized void setVlanFilter(int vlan, boolean on) {
        filters.setVlanFilter(vlan, on);
    }

    @Override
    public synchronized void setVlanStrip(boolean on) {
        strip = on;
        if (started()) {
            applyVlanMode();
        }
    }

    @Override
    public boolean vlanStrip() {
        return strip;
    }

    @Override
    public synchronized RssConfig rss() {
        return rss.config();
    }

    @Override
    public synchronized void setRss(RssConfig wanted) {
        refuseWithPools("RSS");
        rss.set(wanted);
    }

    @Override
    public synchronized int[] rssTable() {
        return rss.table();
    }

    @Override
    public synchronized void setRssTable(int[] queues) {
        refuseWithPools("RSS table");
        rss.setTable(queues);
    }

    private void refuseWithPools(String what) {
        if (filters.hasPools()) {
            throw failure(what, "ENOTSUP", "it is configured with VMDq pools");
        }
    }

    // Pools.

    @Override
    public synchronized void vmdqAssign(int pool, MacAddress address, int vlan) {
        filters.assign(pool, address, vlan);
    }

    @Override
    public synchronized void vmdqRelease(int pool) {
        filters.release(pool);
    }
}
