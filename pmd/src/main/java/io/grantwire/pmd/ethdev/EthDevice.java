package io.grantwire.pmd.ethdev;

import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.MacAddress;
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

    /** Stops if needed and frees everything; a second call does nothing, and nothing is thrown. */
    @Override
    void close();
}
