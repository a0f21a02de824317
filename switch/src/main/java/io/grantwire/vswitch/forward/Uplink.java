package io.grantwire.vswitch.forward;

import io.grantwire.pmd.ethdev.EthDevice;
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
    private final FrameCounters fromWire = new FrameCounters();
    private final FrameCounters[] toWire;

    // Read once per burst; changes at most once.
    private volatile boolean failed;

    /**
     * @param spec as the user wrote it
     * @param device started, with one receive queue
     * @param number of this uplink
     * @param owner the worker that polls it
     * @param workers number of workers
     * @param ownQueues whether the device has a transmit queue for each worker; otherwise it has
     *     one, the owner's
     */
    public Uplink(
            String spec, EthDevice device, int number, int owner, int workers, boolean ownQueues) {
        this.spec = spec;
        this.device = device;
        this.number = number;
        this.owner = owner;
        this.ownQueues = ownQueues;
        this.toWire = new FrameCounters[workers];
        for (int i = 0; i < workers; i++) {
            toWire[i] = new FrameCounters();
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

    /** The worker that polls it. */
    public int owner() {
        return owner;
    }

    /** Whether the driver threw; it is not called again then. */
    public boolean failed() {
        return failed;
    }

    /** A burst from the device, into {@code mbufs} from an index on; the owner only. */
    int receive(int[] mbufs, int offset) {
        if (failed) {
            return 0;
        }
        try {
            return device.rxBurst(0, mbufs, offset, FrameSource.BURST);
        } catch (RuntimeException e) {
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
        } catch (RuntimeException e) {
            fail(e);
            return 0;
        }
    }

    private void fail(RuntimeException e) {
        failed = true;
        LOG.error("uplink {} failed and is not used any more", spec, e);
    }

    /** Whether a worker transmits itself. */
    boolean transmitsFrom(int worker) {
        return ownQueues || worker == owner;
    }

    /** The transmit queue of a worker that transmits itself. */
    int queueOf(int worker) {
        return ownQueues ? worker : 0;
    }

    /** Frames from the wire. */
    public FrameCounters fromWire() {
        return fromWire;
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
