package io.grantwire.vswitch.forward;

/**
 * A VMDq pool of an uplink and the device whose frames the card puts into it. The device's worker
 * polls it; the others never touch it.
 */
public final class PoolFeed {
    final Uplink uplink;
    final int pool;
    final GuestDevice device;

    /** Frames that wait for the device; the worker's. */
    final FrameSource source = new FrameSource();

    /**
     * @param uplink with pools
     * @param pool 1 or greater; its frames are in the receive queue of that number
     * @param device whose it is
     */
    public PoolFeed(Uplink uplink, int pool, GuestDevice device) {
        this.uplink = uplink;
        this.pool = pool;
        this.device = device;
    }

    /** The uplink. */
    public Uplink uplink() {
        return uplink;
    }

    /** The pool. */
    public int pool() {
        return pool;
    }

    /** The device. */
    public GuestDevice device() {
        return device;
    }
}
