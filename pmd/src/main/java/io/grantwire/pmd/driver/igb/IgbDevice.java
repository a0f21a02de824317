package io.grantwire.pmd.driver.igb;

import static io.grantwire.pmd.driver.igb.IgbRegisters.*;

import io.grantwire.pmd.driver.pci.BounceBuffers;
import io.grantwire.pmd.driver.pci.BusAddresses;
import io.grantwire.pmd.driver.pci.CardRegisters;
import io.grantwire.pmd.driver.pci.DmaPacketMemory;
import io.grantwire.pmd.driver.pci.RingMemory;
import io.grantwire.pmd.driver.pci.RssKey;
import io.grantwire.pmd.ethdev.AbstractEthDevice;
import io.grantwire.pmd.ethdev.EthCapabilities;
import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDeviceException;
import io.grantwire.pmd.ethdev.EthDeviceInfo;
import io.grantwire.pmd.ethdev.EthLink;
import io.grantwire.pmd.ethdev.EthOffload;
import io.grantwire.pmd.ethdev.RssConfig;
import io.grantwire.pmd.ethdev.RssType;
import io.grantwire.pmd.mbuf.MemorySource;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.EtherHeader;
import io.grantwire.pmd.net.MacAddress;
import io.grantwire.pmd.net.VlanTag;
import io.grantwire.vfio.PciDevice;
import io.grantwire.vfio.PciException;
import java.time.Duration;
import java.util.EnumSet;
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
    private static final int CRC = 4;
    private static final int DEFAULT_MTU = 1500;
    private static final int MIN_MTU = 68;

    /** As in Linux's and DPDK's igb, for all cards of the family. */
    private static final int MAX_MTU = 9216;

    private static final int MIN_DESC = 32;
    private static final int MAX_DESC = 4096;

    /** RDLEN and TDLEN are multiples of 128 bytes. */
    private static final int DESC_ALIGN = 8;

    /** SRRCTL counts buffers in KiB. */
    private static final int BUFFER_UNIT = 1024;

    private static final int MAX_BUFFER = 16 * 1024;
    private static final int VLANS = 4096;

    private final PciDevice pci;
    private final IgbModel model;
    private final CardRegisters registers;
    private final IgbHardware hardware;
    private final IgbAddresses addresses;
    private final IgbVlans vlans;
    private final IgbVmdq vmdq;
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
        this.addresses = new IgbAddresses(registers, model.addresses(), mac);
        this.vlans = new IgbVlans(registers);
        this.vmdq = new IgbVmdq(registers, model, addresses, vlans);
        this.rss = new IgbRss(registers);
        this.statistics = new IgbStatistics(registers, model.queues());
        this.interrupts = new IgbInterrupts(registers, model, pci.interrupts());
        this.busAddresses = new BusAddresses(pci.dma());
        int maxDesc = RingMemory.longest(pci.dma(), IgbDescriptors.SIZE, MAX_DESC);
        this.info =
                new EthDeviceInfo(
                        "net_e1000_igb",
                        model.queues(),
                        model.queues(),
                        MIN_DESC,
                        maxDesc,
                        MIN_DESC,
                        maxDesc,
                        DESC_ALIGN,
                        frame(MAX_MTU),
                        MIN_MTU,
                        MAX_MTU,
                        model.addresses(),
                        true,
                        false);
        this.capabilities =
                new EthCapabilities(
                        EnumSet.allOf(EthOffload.class),
                        EnumSet.allOf(RssType.class),
                        IgbRss.TABLE_SIZE,
                        RssKey.SIZE,
                        IgbModel.POOLS,
                        VLANS);
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

    /** Bytes of a frame with a tag, without CRC. */
    private static int frame(int mtu) {
        return EtherHeader.LENGTH + VlanTag.LENGTH + mtu;
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
        noteMtu(wanted.mtu() == 0 ? DEFAULT_MTU : wanted.mtu());
        strip = wanted.has(EthOffload.RX_VLAN_STRIP);
        // Before the VLANs, which forget the pools' entries.
        vmdq.configure(pools);
        vlans.configure(wanted.has(EthOffload.RX_VLAN_FILTER), pools > 0);
        rss.configure(wanted.rss(), wanted.rxQueues());
        rx = new IgbRxQueue[wanted.rxQueues()];
        tx = new IgbTxQueue[wanted.txQueues()];
    }

    @Override
    protected void doRxQueueSetup(int queue, int nbDesc, Mempool pool) {
        String what = "set up receive queue " + queue;
        int buffer = Math.min(pool.dataRoom() / BUFFER_UNIT * BUFFER_UNIT, MAX_BUFFER);
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
        if (buffer < BUFFER_UNIT) {
            throw failure(what, "EINVAL", "the mbufs have less than " + BUFFER_UNIT + " bytes");
        }
        if (buffer < frame(mtu()) && !config.has(EthOffload.RX_SCATTER)) {
            throw failure(
                    what,
                    "EINVAL",
                    "frames of "
                            + frame(mtu())
                            + " bytes do not fit into "
                            + buffer
                            + "; take larger mbufs, or ask for RX_SCATTER");
        }
    }

    @Override
    protected void doTxQueueSetup(int queue, int nbDesc) {
        tx[queue] =
                new IgbTxQueue(
                        registers, busAddresses, txCounters(queue), queue, nbDesc, frame(MAX_MTU));
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
        applyFilters();
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
        applyReceiveControl(true);
        // Descriptors only when the unit is on, or the card may not see them (4.5.9).
        for (int i = 0; i < rx.length; i++) {
            rx[i].start(rings.ring(i), frame(mtu()));
        }
        if (!hardware.setLink(linkWanted)) {
            throw failure("start", "EIO", "the card's transceiver does not answer");
        }
    }

    private void applyFilters() {
        for (int i = 0; i < UTA_REGISTERS; i++) {
            registers.write(nth(UTA, i), 0);
        }
        addresses.apply();
        vlans.apply();
        applyMulticast();
        if (vmdq.on()) {
            vmdq.apply(frame(mtu()) + CRC);
        } else {
            rss.apply();
        }
        hardware.setRxChecksums(config.has(EthOffload.RX_CHECKSUM));
        registers.write(RLPML, frame(mtu()) + CRC);
        applyVlanMode();
    }

    /**
     * In these cards one bit, CTRL.VME, has tags inserted and taken off, and with pools the latter
     * is each pool's own affair. So without pools, when tags are to stay on received frames, the
     * transmit queues insert them.
     */
    private void applyVlanMode() {
        boolean mode = vmdq.on() || strip;
        if (!mode) {
            setCardInserts(false);
        }
        if (vmdq.on()) {
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

    /** All multicasts or none: with pools for pool 0, which gets what is no other's. */
    private void applyMulticast() {
        int bits = vmdq.on() || allMulticast() ? -1 : 0;
        for (int i = 0; i < MTA_REGISTERS; i++) {
            registers.write(nth(MTA, i), bits);
        }
    }

    private void applyReceiveControl(boolean enable) {
        int rctl = RCTL_LPE | RCTL_BAM | RCTL_SECRC;
        if (enable) {
            rctl |= RCTL_RXEN;
        }
        if (promiscuous() || vmdq.on()) {
            rctl |= RCTL_UPE | RCTL_MPE;
        }
        if (allMulticast()) {
            rctl |= RCTL_MPE;
        }
        if (vlans.enabled()) {
            rctl |= RCTL_VFE;
        }
        registers.write(RCTL, rctl);
    }

    @Override
    protected void doStop() {
        interrupts.disable();
        if (!registers.gone()) {
            statistics.accumulate();
        }
        boolean quiet = hardware.reset();
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
        if (queue >= interrupts.most()) {
            throw failure(
                    "receive interrupts",
                    "ENOTSUP",
                    "queue "
                            + queue
                            + " has none: "
                            + pci.kernelDriver()
                            + " gives it "
                            + interrupts.most());
        }
        if (!interrupts.has(queue)) {
            try {
                interrupts.enable(rx.length);
            } catch (PciException e) {
                throw new EthDeviceException("device " + name() + ": " + e.getMessage(), e);
            }
        }
    }

    // State.

    @Override
    public EthLink link() {
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
    protected void addXstats(Map<String, Long> xstats) {
        statistics.addTo(xstats);
    }

    // Filters.

    @Override
    protected void doSetPromiscuous(boolean on) {
        if (started()) {
            int set = on || vmdq.on() ? RCTL_UPE | RCTL_MPE : allMulticast() ? RCTL_MPE : 0;
            registers.update(RCTL, RCTL_UPE | RCTL_MPE, set);
        }
    }

    @Override
    protected void doSetAllMulticast(boolean on) {
        if (started()) {
            int set = on || promiscuous() || vmdq.on() ? RCTL_MPE : 0;
            registers.update(RCTL, RCTL_MPE, set);
            int bits = on || vmdq.on() ? -1 : 0;
            for (int i = 0; i < MTA_REGISTERS; i++) {
                registers.write(nth(MTA, i), bits);
            }
        }
    }

    @Override
    public synchronized void setMtu(int bytes) {
        if (started()) {
            throw failure("MTU", "EBUSY", "it is started; stop it first");
        }
        if (bytes < MIN_MTU || bytes > MAX_MTU) {
            throw failure("MTU", "EINVAL", bytes + " is not in " + MIN_MTU + " to " + MAX_MTU);
        }
        noteMtu(bytes);
    }

    @Override
    public synchronized List<MacAddress> macAddresses() {
        return addresses.wanted();
    }

    @Override
    public synchronized void addMacAddress(MacAddress address) {
        String what = "add " + address;
        checkUnicast(what, address);
        if (!addresses.hasRoom(address)) {
            throw failure(
                    what, "ENOSPC", "all " + model.addresses() + " address filters are in use");
        }
        addresses.add(address, started());
    }

    @Override
    public synchronized void removeMacAddress(MacAddress address) {
        String what = "remove " + address;
        if (address.equals(macAddress())) {
            throw failure(what, "EADDRINUSE", "it is the device's own");
        }
        if (!addresses.remove(address, started())) {
            throw failure(what, "ENOENT", "it was not added");
        }
    }

    @Override
    public synchronized void changeMacAddress(MacAddress address) {
        checkUnicast("address " + address, address);
        if (!address.equals(macAddress())) {
            addresses.setOwn(address, started());
            setMacAddress(address);
        }
    }

    private void checkUnicast(String what, MacAddress address) {
        if (!address.isValidUnicast()) {
            throw failure(what, "EINVAL", "it is not the address of one station");
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
        String what = "VLAN " + vlan;
        if (vlan < 0 || vlan >= VLANS) {
            throw failure(what, "EINVAL", "VLANs are 0 to " + (VLANS - 1));
        }
        if (!vlans.canList()) {
            throw failure(what, "EINVAL", "it is not configured with RX_VLAN_FILTER");
        }
        if (on && !vlans.hasRoom(vlan)) {
            throw failure(what, "ENOSPC", "all " + VLVF_COUNT + " VLAN filters are in use");
        }
        vlans.list(vlan, on, started());
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
        if (wanted.key().length != 0 && wanted.key().length != RssKey.SIZE) {
            throw failure("RSS", "EINVAL", "its key has " + RssKey.SIZE + " bytes");
        }
        rss.set(wanted);
        if (started()) {
            rss.apply();
        }
    }

    @Override
    public synchronized int[] rssTable() {
        return rss.table();
    }

    @Override
    public synchronized void setRssTable(int[] queues) {
        refuseWithPools("RSS table");
        if (queues.length != IgbRss.TABLE_SIZE) {
            throw failure(
                    "RSS table", "EINVAL", queues.length + " entries, it has " + IgbRss.TABLE_SIZE);
        }
        for (int queue : queues) {
            if (queue < 0 || queue >= config.rxQueues()) {
                throw failure("RSS table", "EINVAL", "there is no receive queue " + queue);
            }
        }
        rss.setTable(queues);
        if (started()) {
            rss.apply();
        }
    }

    private void refuseWithPools(String what) {
        if (vmdq.on()) {
            throw failure(what, "ENOTSUP", "it is configured with VMDq pools");
        }
    }

    // Pools.

    @Override
    public synchronized void vmdqAssign(int pool, MacAddress address, int vlan) {
        String what = "VMDq pool " + pool;
        checkPool(what, pool);
        checkUnicast(what + ": " + address, address);
        if (vlan < 1 || vlan > VLANS - 2) {
            throw failure(what, "EINVAL", "there is no VLAN " + vlan);
        }
        String[] refusal = vmdq.refusal(pool, address, vlan);
        if (refusal != null) {
            throw failure(what, refusal[0], refusal[1]);
        }
        vmdq.assign(pool, address, vlan, started());
    }

    @Override
    public synchronized void vmdqRelease(int pool) {
        checkPool("VMDq pool " + pool, pool);
        vmdq.release(pool, started());
    }

    private void checkPool(String what, int pool) {
        if (!vmdq.on()) {
            throw failure(what, "ENOTSUP", "it is not configured with VMDq pools");
        }
        if (pool < 1 || pool >= vmdq.pools()) {
            throw failure(what, "EINVAL", "pools are 1 to " + (vmdq.pools() - 1));
        }
    }
}
