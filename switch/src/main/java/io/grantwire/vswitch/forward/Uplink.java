package io.grantwire.vswitch.forward;

import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthLink;
import io.grantwire.vswitch.count.FrameCounters;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A way out of the host: an Ethernet device whose receive queue one worker polls, and which every
 * worker transmits to, on a queue of its own when the device has enough, else through that worker.
 */
public final class Uplink {
    private static final Logger LOG = LoggerFactory.getLogger("PORT");

    private final String spec;
    private final EthDevice device;
    private final int number;
    private final int owner;
    private final boolean ownQueues;
    private final Features features;
    private final FrameCounters fromWire = new FrameCounters();
    private final FrameCounters[] fromPools;
    private final FrameCounters[] toWire;

    // Read once per burst; changes at most once.
    private volatile boolean failed;

    /**
     * What an uplink's device does for the switch.
     *
     * @param pools VMDq pools, each a receive queue, pool 0 for what is sorted in software; 0
     *     without VMDq
     * @param insertsTags whether it inserts the tags of frames for the wire
     */
    public record Features(int pools, boolean insertsTags) {
        /** Nothing. */
        public static final Features NONE = new Features(0, false);
    }

    /**
     * @param spec as the user wrote it
     * @param device started, with a receive queue, or one for each of its pools
     * @param number of this uplink
     * @param owner the worker that polls it
     * @param workers number of workers
     * @param ownQueues whether the device has a transmit queue for each worker; otherwise it has
     *     one, the owner's
     * @param features what the device was configured to do
     */
    public Uplink(
            String spec,
            EthDevice device,
            int number,
            int owner,
            int workers,
            boolean ownQueues,
            Features features) {
        this.spec = spec;
        this.device = device;
        this.number = number;
        this.owner = owner;
        this.ownQueues = ownQueues;
        this.features = features;
        this.toWire = new FrameCounters[workers];
        this.fromPools = new FrameCounters[workers];
        for (int i = 0; i < workers; i++) {
            toWire[i] = new FrameCounters();
            fromPools[i] = new FrameCounters();
        }
    }

    /** As the user wrote it. */
    public String spec() {
        return spec;
    }

    /** The device. */
    public EthDevice device() {
        return device;
    }

    /** This uplink's number. */
    public int number() {
        return number;
    }

    /** The worker that polls it, but for the pools of other workers' devices. */
    public int owner() {
        return owner;
    }

    /** VMDq pools, 0 without. */
    public int pools() {
        return features.pools();
    }

    /** Whether the device inserts tags that frames ask for. */
    boolean insertsTags() {
        return features.insertsTags();
    }

    /** Whether it is not used any more: the driver threw, or the device has gone. */
    public boolean failed() {
        return failed || device.isGone();
    }

    /** A burst from a receive queue, from an index on; the worker only that polls it. */
    int receive(int queue, int[] mbufs, int offset) {
        if (failed) {
            return 0;
        }
        try {
            return device.rxBurst(queue, mbufs, offset, FrameSource.BURST);
        } catch (RuntimeException | InternalError e) {
            fail(e);
            return 0;
        }
    }

    /** A burst to the device, on a worker's own queue. */
    int transmit(int queue, int[] mbufs, int count) {
        if (failed) {
            return 0;
        }
        try {
            return device.txBurst(queue, mbufs, 0, count);
        } catch (RuntimeException | InternalError e) {
            fail(e);
            return 0;
        }
    }

    private void fail(Throwable e) {
        failed = true;
        LOG.error("uplink {} failed and is not used any more: {}", spec, e.toString());
        LOG.debug("uplink {}", spec, e);
    }

    /**
     * Asks the device whether it is still there; not on the packet path.
     *
     * @return whether it is not
     */
    boolean hasGone() {
        link();
        return failed();
    }

    /** The device's link; asking may find out that the device has gone. Any thread. */
    public EthLink link() {
        try {
            return device.link();
        } catch (RuntimeException | InternalError e) {
            fail(e);
            return new EthLink(false, 0, true);
        }
    }

    /** Has no worker use it from its next round on, even if it could. */
    public void giveUp() {
        failed = true;
    }

    /**
     * Closes the device of an uplink that was given up, before the switch ends: the kernel may be
     * waiting for it. Every worker has begun a new round since.
     */
    public void close() {
        device.close();
    }

    /** Whether a worker transmits itself. */
    boolean transmitsFrom(int worker) {
        return ownQueues || worker == owner;
    }

    /** The transmit queue of a worker that transmits itself. */
    int queueOf(int worker) {
        return ownQueues ? worker : 0;
    }

    /** Frames from the wire that the owner has sorted. */
    public FrameCounters fromWire() {
        return fromWire;
    }

    /** Frames from the wire that the card has sorted for a worker's devices. */
    public FrameCounters fromPools(int worker) {
        return fromPools[worker];
    }

    /** Frames to the wire that a worker transmitted. */
    public FrameCounters toWire(int worker) {
        return toWire[worker];
    }

    /** The token of frames for this uplink, see {@link Topology}. */
    int token() {
        return ~number;
    }
}
