package io.grantwire.vswitch.forward;

import java.util.Arrays;

/**
 * When a worker looks at a wire that brings frames for many guests, and how much it takes. While
 * the wire is busy, frames wait there for some microseconds, so that each guest gets several at
 * once: telling a guest of a single frame costs more than the frame. A card's interrupt moderation
 * does the same ({@code ethtool -C rx-usecs, rx-frames}), and so does the drain time of DPDK's
 * vhost example.
 *
 * <p>The wire is busy when it brings at least two frames for each of those guests that get any, and
 * no less than two bursts, within the longest time that frames may wait; and when these guests are
 * {@link #FEWEST_GUESTS} or more. On one that is not, none waits: a guest's idle neighbours do not
 * make its frames late. How long they wait follows from what came last: until the guest that gets
 * most should have {@link #ENOUGH}, so that none gets more at once than its ring may hold, or the
 * wire's ring is half full.
 *
 * <p>One thread, the worker's that polls the wire.
 */
final class RxCoalescing {
    /** Frames for a guest that are worth waiting for; more make each of them little cheaper. */
    static final int ENOUGH = 16;

    /** With fewer guests than this, bursts bring each of them enough. */
    static final int FEWEST_GUESTS = 8;

    /**
     * Most bursts at once, half of the rings that the switch asks for: room for what comes next.
     */
    static final int MAX_BURSTS = 32;

    private static final int GUESTS_PER_BURST = FrameSource.BURST / ENOUGH;

    private final long longest;
    private final int most;

    /** When the frames began to come that are counted, 0 for never; for how long; how many. */
    private long begun;

    private long wait;
    private int frames;

    /** Frames by the number of the guest's device; for how many there were any, and the most. */
    private int[] given = {};

    private int receivers;
    private int busiest;

    private boolean active;
    private boolean busy;
    private boolean waiting;
    private int bursts;

    /**
     * @param longest time that frames wait, in nanoseconds; 0 for not at all
     * @param ring how many can wait; no more than a half is waited for, since more may come
     */
    RxCoalescing(long longest, int ring) {
        this.longest = longest;
        this.most = ring / 2;
        devices(0, 0);
    }

    /**
     * Other devices from now on: all begins anew.
     *
     * @param numbers devices have numbers below this
     * @param guests how many the worker has
     */
    void devices(int numbers, int guests) {
        given = new int[numbers];
        active = guests >= FEWEST_GUESTS;
        busy = false;
        waiting = false;
        wait = longest;
        bursts = 1;
        begin(0);
    }

    /**
     * Whether {@link #gave} and {@link #looked} are to be called: with few guests nothing waits.
     */
    boolean active() {
        return active;
    }

    /** Whether frames are left to wait, and {@link #over} is to be asked. */
    boolean waiting() {
        return waiting;
    }

    /** Whether they have waited for long enough. */
    boolean over(long now) {
        return now - begun >= wait;
    }

    /** How many bursts to take when the wire is looked at. */
    int bursts() {
        return bursts;
    }

    /** A guest got some of the frames. */
    void gave(int device, int n) {
        int before = given[device];
        given[device] = before + n;
        if (before == 0) {
            receivers++;
        }
        busiest = Math.max(busiest, before + n);
    }

    /**
     * The wire was looked at, and what came was given to the guests.
     *
     * @param clock asked only when something may wait: frames for few guests do not pay for that
     * @param n frames the wire had
     */
    void looked(WorkerClock clock, int n) {
        frames += n;
        if (bursts == 1 && receivers < FEWEST_GUESTS) {
            if (frames >= most) {
                // A busy wire brings frames for more guests sooner.
                begin(0);
            }
            return;
        }
        boolean all = n < bursts * FrameSource.BURST;
        long now = clock.now();
        long passed = now - begun;
        if (begun == 0) {
            // How long these took to come is not known.
            begin(now);
        } else if (passed >= wait) {
            adapt(passed);
            begin(now);
        }
        // What is left there has waited already.
        waiting = busy && all;
    }

    private void begin(long now) {
        begun = now;
        frames = 0;
        receivers = 0;
        busiest = 0;
        Arrays.fill(given, 0);
    }

    private void adapt(long passed) {
        // Frames in the longest time, times what has passed.
        long rate = frames * longest;
        boolean many = receivers >= FEWEST_GUESTS;
        busy = many && rate > 0 && rate >= 2L * Math.max(receivers, FrameSource.BURST) * passed;
        wait = longest;
        if (busy) {
            long enough = passed * ENOUGH / busiest;
            long room = passed * most / frames;
            wait = Math.min(longest, Math.min(enough, room));
        }
        // One more than enough, which shows that there are none left.
        bursts = many ? Math.min(receivers / GUESTS_PER_BURST + 1, MAX_BURSTS) : 1;
    }
}
