package io.grantwire.pmd.ethdev;

import io.grantwire.pmd.mbuf.MemorySource;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.MacAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * An Ethernet device: a port that frames are received from and transmitted to in bursts, by
 * polling.
 *
 * <p>Life cycle, as in DPDK's ethdev: probe, {@link #configure}, {@link #rxQueueSetup} and {@link
 * #txQueueSetup} for every queue, {@link #start}, traffic, {@link #stop}, then configure again or
 * {@link #close}. A call out of order is an {@link EthDeviceException}.
 *
 * <p>Threads: control methods from one thread at a time. A queue belongs to one polling thread at a
 * time; different queues, and the two directions of one, may be polled by different threads. Before
 * {@link #stop} and {@link #close} the polling threads must have let go of the queues. {@link
 * #stats}, {@link #xstats} and {@link #link} may be called from any thread at any time.
 *
 * <p>Frames are mbuf handles, see {@link io.grantwire.pmd.mbuf.Mbuf}.
 */
public interface EthDevice extends AutoCloseable {
    /** The name it was probed under, for instance {@code eth_xenvirt0}. */
    String name();

    /** What the device can do; constant from probe to close. */
    EthDeviceInfo info();

    /** The device's own address. */
    MacAddress macAddress();

    /**
     * Chooses the number of queues and the device's options.
     *
     * @throws EthDeviceException EBUSY when started, EINVAL when the device has fewer queues or
     *     lacks an option
     */
    void configure(EthConfig config);

    /**
     * Prepares a receive queue.
     *
     * @param nbDesc ring size, 0 for the driver's default; rounded as the device needs
     * @param pool where received frames are put; stays the caller's, and must outlive the queue
     */
    void rxQueueSetup(int queue, int nbDesc, Mempool pool);

    /** Ring size of a receive queue as it was set up, 0 before. */
    int rxDesc(int queue);

    /**
     * Prepares a transmit queue.
     *
     * @param nbDesc ring size, 0 for the driver's default; rounded as the device needs
     */
    void txQueueSetup(int queue, int nbDesc);

    /** Starts traffic; starting a started device does nothing. */
    void start();

    /** Stops traffic; stopping a stopped device does nothing. */
    void stop();

    /**
     * Receives up to {@code count} frames.
     *
     * @param mbufs receives the handles, from index {@code offset} on; they become the caller's
     * @return how many, 0 to {@code count}; fewer than asked suggests that no more are waiting
     */
    int rxBurst(int queue, int[] mbufs, int offset, int count);

    /**
     * Transmits up to {@code count} frames.
     *
     * @param mbufs the handles, from index {@code offset} on; those accepted become the device's,
     *     which frees them to their pools, the rest stay the caller's
     * @return how many were accepted, always a prefix
     */
    int txBurst(int queue, int[] mbufs, int offset, int count);

    /** The state of the link now. */
    EthLink link();

    /**
     * Whether the device has gone for good, as a card that was unplugged: it moves no frame any
     * more, and can only be closed. Found out at the latest by {@link #link}. Any thread.
     */
    default boolean isGone() {
        return false;
    }

    /** The basic counters now. */
    EthStats stats();

    /** Sets the counters, extended ones too, to zero. */
    void resetStats();

    /**
     * The extended counters by name in a fixed order: the generic ones first, then the driver's
     * own.
     */
    Map<String, Long> xstats();

    /** Whether frames for other addresses are received too. */
    boolean promiscuous();

    /**
     * Turns promiscuous mode on or off.
     *
     * @throws EthDeviceException ENOTSUP when the device cannot
     */
    void setPromiscuous(boolean on);

    /** Whether all multicast frames are received. */
    boolean allMulticast();

    /**
     * Turns reception of all multicast frames on or off.
     *
     * @throws EthDeviceException ENOTSUP when the device cannot
     */
    void setAllMulticast(boolean on);

    /** Largest payload of a frame in bytes, without Ethernet header, VLAN tag and CRC. */
    int mtu();

    // What network cards have beyond that. A device without it answers ENOTSUP.

    /** What the device has beyond {@link #info}. */
    default EthCapabilities capabilities() {
        return EthCapabilities.NONE;
    }

    /**
     * Where packet memory for this device's queues should come from: memory that it can reach.
     * Frames in other memory may be transmitted too, at the price of a copy.
     */
    default MemorySource packetMemory() {
        return MemorySource.plain();
    }

    /**
     * Changes the largest payload of a stopped device; its queues are then to be set up again.
     *
     * @throws EthDeviceException EBUSY when started, EINVAL when out of range, ENOTSUP
     */
    default void setMtu(int bytes) {
        throw notSupported("MTU");
    }

    /** The addresses whose frames are received, the device's own first. */
    default List<MacAddress> macAddresses() {
        return List.of(macAddress());
    }

    /**
     * Receives another address's frames too.
     *
     * @throws EthDeviceException ENOSPC when all filters are in use, EINVAL for a group address,
     *     ENOTSUP
     */
    default void addMacAddress(MacAddress address) {
        throw notSupported("more addresses");
    }

    /**
     * Undoes {@link #addMacAddress}.
     *
     * @throws EthDeviceException EADDRINUSE for the device's own, ENOENT for one not added, ENOTSUP
     */
    default void removeMacAddress(MacAddress address) {
        throw notSupported("more addresses");
    }

    /**
     * Changes the device's own address.
     *
     * @throws EthDeviceException EINVAL for a group address, ENOTSUP
     */
    default void changeMacAddress(MacAddress address) {
        throw notSupported("another address");
    }

    /**
     * Lists a VLAN for {@link EthOffload#RX_VLAN_FILTER}, or takes it off the list.
     *
     * @param vlan 0 to 4095
     * @throws EthDeviceException ENOTSUP; EINVAL without that offload
     */
    default void setVlanFilter(int vlan, boolean on) {
        throw notSupported("VLAN filter");
    }

    /**
     * Turns {@link EthOffload#RX_VLAN_STRIP} on or off on all queues, started or not.
     *
     * @throws EthDeviceException ENOTSUP
     */
    default void setVlanStrip(boolean on) {
        throw notSupported("VLAN strip");
    }

    /** Whether VLAN tags are taken off. */
    default boolean vlanStrip() {
        return false;
    }

    /**
     * Takes the link down, or up again.
     *
     * @throws EthDeviceException ENOTSUP
     */
    default void setLinkUp(boolean up) {
        throw notSupported("link down");
    }

    /** How frames are spread; {@link RssConfig#key} is the key in use. */
    default RssConfig rss() {
        return RssConfig.OFF;
    }

    /**
     * Changes how frames are spread, started or not.
     *
     * @throws EthDeviceException ENOTSUP; EINVAL for a type or key it does not take
     */
    default void setRss(RssConfig config) {
        throw notSupported("RSS");
    }

    /** The redirection table: receive queues; empty without RSS. */
    default int[] rssTable() {
        return new int[0];
    }

    /**
     * Changes the redirection table, started or not.
     *
     * @param queues as many as {@link EthCapabilities#rssTableSize}
     * @throws EthDeviceException ENOTSUP; EINVAL for another length or a queue it does not have
     */
    default void setRssTable(int[] queues) {
        throw notSupported("RSS table");
    }

    /**
     * Has the device put frames for an address in a VLAN into a pool, their tags taken off. A pool
     * above 0 gets the frames assigned to it and no others. Pool 0, the default, gets what is
     * assigned to no other, tags as they came: whoever polls it classifies in software. Started or
     * not.
     *
     * @param pool 1 to {@link EthConfig#vmdqPools} - 1
     * @param vlan 1 to 4094
     * @throws EthDeviceException ENOSPC when all filters are in use, EEXIST when it is another
     *     pool's, EINVAL for a wrong pool or a VLAN that does not go with those the pool has,
     *     ENOTSUP without VMDq
     */
    default void vmdqAssign(int pool, MacAddress address, int vlan) {
        throw notSupported("VMDq");
    }

    /**
     * Takes everything away from a pool above 0: it gets no frame any more. What it had received is
     * still in its queue.
     *
     * @throws EthDeviceException EINVAL for a wrong pool, ENOTSUP without VMDq
     */
    default void vmdqRelease(int pool) {
        throw notSupported("VMDq");
    }

    /**
     * Waits for a frame without polling: arms the queue's interrupt, looks once more, sleeps. The
     * queue's own thread only.
     *
     * @return whether there may be frames; false when the time was up
     * @throws EthDeviceException ENOTSUP
     */
    default boolean awaitRx(int queue, Duration timeout) {
        throw notSupported("receive interrupts");
    }

    private EthDeviceException notSupported(String what) {
        return new EthDeviceException(
                "device "
                        + name()
                        + ": "
                        + what
                        + ": ENOTSUP ("
                        + info().driverName()
                        + " cannot do that)");
    }

    /** Stops if needed and frees everything; a second call does nothing, and nothing is thrown. */
    @Override
    void close();
}
