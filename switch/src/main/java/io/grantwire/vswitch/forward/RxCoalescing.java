package io.grantwire.vswitch.forward;

/**
 * When a worker looks at a wire that brings frames for many guests. While the wire is busy, frames
 * wait there for some microseconds, so that each guest gets several at once: telling a guest of a
 * single frame costs more than the frame. A card's interrupt moderation does the same ({@code
 * ethtool -C rx-usecs, rx-frames}), and so does the drain time of DPDK's vhost example.
 *
 * <p>The wire is busy when it brings a frame for each guest, and no less than a burst, within the
 * longest time that frames may wait; on one that is not, none waits. How long they wait follows
 * from what came last: until there should be {@link #ENOUGH} for each guest, or the ring is half
 * full. After a look that brought all that could be taken at once, the next one follows in the next
 * round.
 *
 * <p>One thread, the worker's that polls the wire.
 */
final class RxCoalescing {
    /** Frames for each guest that are worth waiting for; more make each of them little cheaper. */
    static final int ENOUGH = 8;

    private final long longest;
    private final int most;
    private int guests;

    /** When the frames began to come that are counted; when that is over; how many there are. */
    private long begun;

    private long wait;
    private int frames;

    private boolean busy;
    private boolean waiting;

    /**
     * @param longest time that frames wait, in nanoseconds; 0 for not at all
     * @param ring how many can wait; no more than a half is waited for, since more may come
     */
    RxCoalescing(long longest, int ring) {
        this.longest = longest;
        this.most = ring / 2;
        this.wait = longest;
    }

    /** There are so many guests now. */
    void guests(int guests) {
        this.guests = guests;
    }

    /** Whether to look at the wire. */
    boolean mayLook(long now) {
        return !waiting || now - begun >= wait;
    }

    /**
     * The wire was looked at.
     *
     * @param n frames it had
     * @param all whether there are none left
     */
    void looked(long now, int n, boolean all) {
        frames += n;
        long passed = now - begun;
        if (passed >= wait) {
            adapt(passed);
            begun = now;
            frames = 0;
        }
        waiting = busy && all;
    }

    private void adapt(long passed) {
        busy = frames * longest >= Math.max(guests, FrameSource.BURST) * passed;
        long enough = Math.min(Math.max(ENOUGH * guests, FrameSource.BURST), most);
        wait = busy && frames > 0 ? Math.min(longest, passed * enough / frames) : longest;
    }
}
