package io.grantwire.pmd.driver.e1000e;

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
import io.grantwire.vfio.DmaSpace;
import io.grantwire.vfio.PciDevice;
import io.grantwire.vfio.PciException;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * An 82574 card. Rings exist while it is started; a stop resets the card, so that nothing of ours
 * is in its hands afterwards.
 *
 * <p>{@link #link} and the statistics may come from any thread: they, and closing, take {@link
 * #registersLock}, since the registers are mapped until then.
 */
final class E1000eDevice extends AbstractEthDevice {
    static final String NAME = "net_e1000_em";

    /** Longest frame on the wire, CRC included: 0x2412, as Linux and DPDK have it. */
    private static final int MAX_FRAME = 9234;

    private static final int CRC = 4;
    private static final int HEADERS = EtherHeader.LENGTH + VlanTag.LENGTH;
    private static final int DEFAULT_MTU = 1500;
    private static final int MIN_MTU = 68;
    private static final int MIN_DESC = 64;
    private static final int MAX_DESC = 4096;

    /** Rings are multiples of 128 bytes (section 10.2.5, RDLEN). */
    private static final int DESC_ALIGN = 8;

    private static final int MIN_BUFFER = 256;

    private static final Set<RssType> HASHES =
            EnumSet.of(RssType.IPV4, RssType.TCP_IPV4, RssType.IPV6, RssType.TCP_IPV6);

    private static final Set<EthOffload> CHECKSUMS =
            EnumSet.of(EthOffload.TX_IPV4_CKSUM, EthOffload.TX_TCP_CKSUM, EthOffload.TX_UDP_CKSUM);

    private final PciDevice pci;
    private final DmaSpace dma;
    private final CardRegisters card;
    private final E1000eHardware hardware;
    private final E1000eFilters filters;
    private final E1000eInterrupts interrupts;
    private final E1000eStats stats;
    private final BusAddresses addresses;
    private final EthDeviceInfo info;
    private final EthCapabilities capabilities;
    private final Object registersLock = new Object();

    private BounceBuffers bounce;
    private EthConfig config = EthConfig.SINGLE_QUEUE;
    private E1000eRxQueue[] rx = {};
    private E1000eTxQueue[] tx = {};
    private RingMemory rings;
    private int rctl;
    private boolean strip;
    private boolean linkWanted = true;
    private boolean closed;

    /**
     * Resets the card and reads its address.
     *
     * @param pci becomes the device's
     * @throws EthDeviceException EIO when the card does not answer
     */
    E1000eDevice(String name, PciDevice pci) {
        super(name, MacAddress.ZERO);
        this.pci = pci;
        this.dma = pci.dma();
        this.card = new CardRegisters(name, pci, pci.bar(0));
        this.hardware = new E1000eHardware(card);
        this.interrupts = new E1000eInterrupts(card, pci.interrupts());
        this.stats = new E1000eStats(card);
        if (!hardware.reset()) {
            throw failure(
                    "probe", "EIO", "the card at " + pci.address() + " does not come out of reset");
        }
        MacAddress address = hardware.readAddress();
        if (address == null) {
            throw failure("probe", "EIO", "the card at " + pci.address() + " has no valid address");
        }
        setMacAddress(address);
        this.filters = new E1000eFilters(card, address);
        this.addresses = new BusAddresses(dma);
        int longest = RingMemory.longest(dma, E1000eDescriptors.SIZE, MAX_DESC);
        this.info =
                new EthDeviceInfo(
                        NAME,
                        E1000eRegisters.QUEUES,
                        E1000eRegisters.QUEUES,
                        MIN_DESC,
                        longest,
                        MIN_DESC,
                        longest,
                        DESC_ALIGN,
                        MAX_FRAME - CRC,
                        MIN_MTU,
                        MAX_FRAME - CRC - HEADERS,
                        E1000eRegisters.RA_COUNT,
                        true,
                        false);
        this.capabilities =
                new EthCapabilities(
                        EnumSet.allOf(EthOffload.class),
                        HASHES,
                        E1000eRegisters.RETA_ENTRIES,
                        RssKey.SIZE,
                        0,
                        4096);
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

    // Configuration.

    @Override
    protected void doConfigure(EthConfig wanted) {
        if (wanted.txQueues() > 1 && wanted.offloads().stream().anyMatch(CHECKSUMS::contains)) {
            throw failure(
                    "configure",
                    "EINVAL",
                    "both transmit queues share one checksum context; use one queue, or leave"
                            + " transmit checksums to software");
        }
        config = wanted;
        rx = new E1000eRxQueue[wanted.rxQueues()];
        tx = new E1000eTxQueue[wanted.txQueues()];
        strip = wanted.has(EthOffload.RX_VLAN_STRIP);
        noteMtu(wanted.mtu() == 0 ? DEFAULT_MTU : wanted.mtu());
        filters.clearVlans();
        filters.spread(wanted.rxQueues());
        filters.setRss(wanted.rss());
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
        String what = "set up receive queue " + queue;
        if (pool.dataRoom() < MIN_BUFFER) {
            throw failure(
                    what,
                    "EINVAL",
                    "mbufs of mempool " + pool.name() + " have less than " + MIN_BUFFER + " bytes");
        }
        try {
            addresses.learn(pool);
        } catch (PciException e) {
            throw new EthDeviceException(
                    "device " + name() + ": " + what + ": " + e.getMessage(), e);
        }
        rx[queue] = new E1000eRxQueue(queue, nbDesc, pool, addresses, card, rxCounters(queue));
    }

    @Override
    protected void doTxQueueSetup(int queue, int nbDesc) {
        tx[queue] = new E1000eTxQueue(queue, nbDesc, addresses, bounce, card, txCounters(queue));
    }

    @Override
    protected void doStart() {
        refuseGone("start");
        int bits = bufferBits();
        addresses.learnAll();
        rings = allocateRings();
        try {
            synchronized (registersLock) {
                if (!hardware.reset()) {
                    refuseGone("start");
                    throw failure("start", "EIO", "the card does not come out of reset");
                }
                bringUp(bits);
            }
        } catch (RuntimeException e) {
            putDown();
            throw e;
        }
    }

    /** How large a receive buffer is: what fits all queues' mbufs. */
    private int bufferBits() {
        int room = Integer.MAX_VALUE;
        for (E1000eRxQueue queue : rx) {
            room = Math.min(room, queue.room());
        }
        int bits = E1000eHardware.bufferBits(room);
        int bytes = E1000eHardware.bufferBytes(bits);
        if (bytes < mtu() + HEADERS && !config.has(EthOffload.RX_SCATTER)) {
            throw failure(
                    "start",
                    "EINVAL",
                    "a frame of MTU "
                            + mtu()
                            + " does not fit one mbuf, of which the card fills "
                            + bytes
                            + " bytes; use larger mbufs, or ask for "
                            + EthOffload.RX_SCATTER);
        }
        return bits;
    }

    private RingMemory allocateRings() {
        int[] bytes = new int[rx.length + tx.length];
        for (int q = 0; q < rx.length; q++) {
            bytes[q] = rx[q].size() * E1000eDescriptors.SIZE;
        }
        for (int q = 0; q < tx.length; q++) {
            bytes[rx.length + q] = tx[q].size() * E1000eDescriptors.SIZE;
        }
        try {
            return RingMemory.allocate(dma, bytes);
        } catch (PciException e) {
            throw new EthDeviceException("device " + name() + ": start: " + e.getMessage(), e);
        }
    }

    private void bringUp(int bits) {
        pci.setBusMaster(true);
        stats.discard();
        hardware.initialise();
        filters.writeAll();
        hardware.setVlanMode(strip);
        int maxFrame = mtu() + HEADERS;
        for (int q = 0; q < rx.length; q++) {
            rx[q].prepare(rings.ring(q), E1000eHardware.bufferBytes(bits), maxFrame);
            hardware.setRxRing(q, rings.busAddress(q), rx[q].size() * E1000eDescriptors.SIZE);
        }
        for (int q = 0; q < tx.length; q++) {
            int i = rx.length + q;
            tx[q].prepare(rings.ring(i), maxFrame);
            tx[q].setTagsInserted(strip);
            hardware.setTxRing(q, rings.busAddress(i), tx[q].size() * E1000eDescriptors.SIZE);
        }
        interrupts.enable(rx.length);
        rctl =
                bits
                        | E1000eRegisters.RCTL_BAM
                        | E1000eRegisters.RCTL_SECRC
                        | (mtu() > DEFAULT_MTU ? E1000eRegisters.RCTL_LPE : 0)
                        | (config.has(EthOffload.RX_VLAN_FILTER) ? E1000eRegisters.RCTL_VFE : 0);
        setModes(promiscuous(), allMulticast());
        hardware.enable(rctl, config.has(EthOffload.RX_CHECKSUM), filters.rss().on());
        // Section 4.6: descriptors are offered once the receiver is enabled.
        for (E1000eRxQueue queue : rx) {
            queue.refill();
        }
        if (!linkWanted) {
            hardware.sleepPhy();
        }
    }

    @Override
    protected void doStop() {
        synchronized (registersLock) {
            stats.collect();
        }
        putDown();
    }

    /** Takes everything out of the card's hands, and then frees it. */
    private void putDown() {
        synchronized (registersLock) {
            interrupts.disable();
            hardware.reset();
            forbidDma();
        }
        card.report();
        for (E1000eRxQueue queue : rx) {
            queue.drain();
        }
        for (E1000eTxQueue queue : tx) {
            queue.drain();
        }
        if (rings != null) {
            rings.close();
            rings = null;
        }
    }

    /**
     * In addition to the reset, which a broken card may not do, and which one that the kernel wants
     * back is not told: its registers count as gone, but it goes on.
     */
    private void forbidDma() {
        try {
            pci.setBusMaster(false);
        } catch (PciException e) {
            // It went between the two.
            card.lose();
        }
    }

    @Override
    protected void doClose() {
        synchronized (registersLock) {
            closed = true;
            card.retire();
        }
        if (bounce != null) {
            bounce.close();
        }
        addresses.close();
        pci.close();
    }

    private void refuseGone(String what) {
        if (card.gone()) {
            throw failure(what, "ENODEV", "the card has gone; bind it again and open it anew");
        }
    }

    // Traffic.

    @Override
    public int rxBurst(int queue, int[] mbufs, int offset, int count) {
        return started() && !card.gone() ? rx[queue].burst(mbufs, offset, count) : 0;
    }

    @Override
    public int txBurst(int queue, int[] mbufs, int offset, int count) {
        return started() && !card.gone() ? tx[queue].burst(mbufs, offset, count) : 0;
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

    /** {@inheritDoc} Asks the bus whether the card is there, and whether the kernel wants it. */
    @Override
    public EthLink link() {
        synchronized (registersLock) {
            boolean there = !closed && card.check();
            return there && started() && linkWanted ? hardware.link() : new EthLink(false, 0, true);
        }
    }

    @Override
    public boolean isGone() {
        return card.gone();
    }

    @Override
    public synchronized void setLinkUp(boolean up) {
        linkWanted = up;
        if (started()) {
            if (up) {
                hardware.wakePhy();
            } else {
                hardware.sleepPhy();
            }
        }
    }

    @Override
    protected void addXstats(Map<String, Long> xstats) {
        synchronized (registersLock) {
            if (started() && !closed) {
                stats.collect();
            }
        }
        stats.addTo(xstats);
        E1000eTxQueue[] queues = tx;
        for (int q = 0; q < queues.length; q++) {
            xstats.put("tx_q" + q + "_copied", queues[q] == null ? 0 : queues[q].copied());
        }
    }

    // What is received.

    private void setModes(boolean allUnicast, boolean allMulticast) {
        rctl &= ~(E1000eRegisters.RCTL_UPE | E1000eRegisters.RCTL_MPE);
        // Promiscuous means foreign multicast as well (section 10.2.5.1).
        rctl |= allUnicast ? E1000eRegisters.RCTL_UPE | E1000eRegisters.RCTL_MPE : 0;
        rctl |= allMulticast ? E1000eRegisters.RCTL_MPE : 0;
    }

    @Override
    protected void doSetPromiscuous(boolean on) {
        setModes(on, allMulticast());
        writeModes();
    }

    @Override
    protected void doSetAllMulticast(boolean on) {
        setModes(promiscuous(), on);
        writeModes();
    }

    private void writeModes() {
        if (started()) {
            hardware.setRctl(rctl);
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
        return filters.addresses();
    }

    @Override
    public synchronized void addMacAddress(MacAddress address) {
        checkUnicast("add an address", address);
        if (filters.addresses().contains(address)) {
            return;
        }
        if (filters.isFull()) {
            throw failure(
                    "add an address",
                    "ENOSPC",
                    "it has " + E1000eRegisters.RA_COUNT + " receive addresses, all in use");
        }
        filters.add(address);
    }

    @Override
    public synchronized void removeMacAddress(MacAddress address) {
        if (address.equals(macAddress())) {
            throw failure("remove an address", "EADDRINUSE", address + " is its own");
        }
        if (!filters.remove(address)) {
            throw failure("remove an address", "ENOENT", address + " was not added");
        }
    }

    @Override
    public synchronized void changeMacAddress(MacAddress address) {
        checkUnicast("change the address", address);
        if (!address.equals(macAddress())) {
            filters.remove(address);
            filters.replaceOwn(address);
            setMacAddress(address);
        }
    }

    private void checkUnicast(String what, MacAddress address) {
        if (!address.isValidUnicast()) {
            throw failure(what, "EINVAL", address + " is no station's address");
        }
    }

    @Override
    public synchronized void setVlanFilter(int vlan, boolean on) {
        if (!config.has(EthOffload.RX_VLAN_FILTER)) {
            throw failure(
                    "VLAN filter", "EINVAL", "configure it with " + EthOffload.RX_VLAN_FILTER);
        }
        if (vlan < 0 || vlan > VlanTag.ID_MASK) {
            throw failure("VLAN filter", "EINVAL", vlan + " is not in 0 to 4095");
        }
        filters.setVlan(vlan, on);
    }

    @Override
    public synchronized void setVlanStrip(boolean on) {
        strip = on;
        if (started()) {
            // In this order, so that queues do not leave tags to a card that does not insert them;
            // frames that the card has already when it is turned off lose theirs.
            if (on) {
                hardware.setVlanMode(true);
            }
            for (E1000eTxQueue queue : tx) {
                queue.setTagsInserted(on);
            }
            if (!on) {
                hardware.setVlanMode(false);
            }
        }
    }

    @Override
    public synchronized boolean vlanStrip() {
        return strip;
    }

    // RSS.

    @Override
    public synchronized RssConfig rss() {
        return filters.rss();
    }

    @Override
    public synchronized void setRss(RssConfig wanted) {
        if (!HASHES.containsAll(wanted.types())) {
            throw failure("RSS", "EINVAL", "it hashes " + HASHES + " only");
        }
        int key = wanted.key().length;
        if (key != 0 && key != RssKey.SIZE) {
            throw failure("RSS", "EINVAL", "a key of " + key + " bytes, it takes " + RssKey.SIZE);
        }
        filters.setRss(wanted);
        if (started()) {
            hardware.setRxChecksum(config.has(EthOffload.RX_CHECKSUM), wanted.on());
        }
    }

    @Override
    public synchronized int[] rssTable() {
        return filters.table();
    }

    @Override
    public synchronized void setRssTable(int[] queues) {
        if (queues.length != E1000eRegisters.RETA_ENTRIES) {
            throw failure(
                    "RSS table",
                    "EINVAL",
                    queues.length + " entries, it has " + E1000eRegisters.RETA_ENTRIES);
        }
        for (int queue : queues) {
            if (queue < 0 || queue >= rx.length) {
                throw failure("RSS table", "EINVAL", "queue " + queue + ", it has " + rx.length);
            }
        }
        filters.setTable(queues);
    }
}
