package io.grantwire.vswitch.forward;

import io.grantwire.pmd.lcore.PollLoop;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.vswitch.count.DropReason;
import io.grantwire.vswitch.count.FrameCounters;
import io.grantwire.vswitch.ring.ReceivePath;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One polling core of the switch. It alone serves its guests' rings, its uplinks' receive queues
 * and its own transmit queues, and it alone writes their counters; what is for another core's guest
 * goes there through a {@link Handoff}.
 *
 * <p>A round takes at most a burst from each source: other workers, uplinks, then each guest's
 * transmit ring, so that no guest can starve another. Frames whose destination is full wait at
 * their source, see {@link HoldTimer}; nothing ever spins.
 */
public final class SwitchWorker implements PollLoop {
    private static final Logger LOG = LoggerFactory.getLogger("DATA");
    private static final VarHandle NEXT;
    private static final VarHandle ADOPTED;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            NEXT = lookup.findVarHandle(SwitchWorker.class, "next", Topology.class);
            ADOPTED = lookup.findVarHandle(SwitchWorker.class, "adopted", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /**
     * Mbufs that the pool keeps for each worker. Half of them, which is what a cache takes from the
     * pool at once, are as many as a look at a wire may bring: a worker that empties a wire, frees
     * the frames and looks again has the same ones each time, still in the processor's cache.
     */
    public static final int MBUF_CACHE = 2 * RxCoalescing.MAX_BURSTS * FrameSource.BURST;

    /** Most rounds in a row that an idle guest may be skipped for. */
    private static final int MAX_SKIP = 7;

    /** Empty rounds after which a guest is taken for idle. */
    private static final int IDLE_ROUNDS = 16;

    private final int index;
    private final long holdNanos;
    private final WireClassifier classifier;
    private final GuestForwarder forwarder;
    private final WorkerClock clock;
    private final FrameCounters lost = new FrameCounters();
    private final Uplink[] polled;
    private final FrameSource[] polledSources;
    private final UplinkQueue[] uplinkQueues;
    private final Handoff[] in;
    private final Handoff[] out;
    private final FrameSource[] inSources;
    private final int[] scratch = new int[2 * FrameSource.BURST];

    /** Frames of the current burst that guests have got. */
    private final int[] doneFrames = new int[FrameSource.BURST];

    private int doneCount;

    private Topology topology;
    private GuestDevice[] mine;
    private PoolFeed[] feeds = {};

    /** For how many more rounds each of them is not looked at, see {@link #pollGuests}. */
    private int[] skips;

    /** How many rounds each of them was found idle. */
    private int[] idle;

    private int maxSkip;

    /** Which of them is first in the next round: each in its turn, since room may run out. */
    private int first;

    private GuestDevice[] boxes;

    // The hand-over with the control thread: it sets next, this worker answers with its epoch.
    private Topology next;
    private long adopted;

    /**
     * @param index of this worker
     * @param rules how to forward
     * @param pool for frames that leave guests' memory; shared by the workers
     * @param uplinks all uplinks of the switch
     * @param handoffs {@code handoffs[from][to]} between all workers, null from one to itself
     * @param first the topology to begin with
     */
    public SwitchWorker(
            int index,
            ForwardingRules rules,
            Mempool pool,
            List<Uplink> uplinks,
            Handoff[][] handoffs,
            Topology first) {
        this(index, rules, pool, uplinks, handoffs, first, new WorkerClock());
    }

    /** The same with another time. */
    SwitchWorker(
            int index,
            ForwardingRules rules,
            Mempool pool,
            List<Uplink> uplinks,
            Handoff[][] handoffs,
            Topology first,
            WorkerClock clock) {
        this.index = index;
        this.clock = clock;
        this.holdNanos = rules.holdNanos();
        this.classifier = new WireClassifier(rules);
        this.out = handoffs[index];
        List<Handoff> in = new ArrayList<>();
        for (Handoff[] row : handoffs) {
            if (row[index] != null) {
                in.add(row[index]);
            }
        }
        this.in = in.toArray(Handoff[]::new);
        this.inSources = new FrameSource[this.in.length];
        for (int i = 0; i < inSources.length; i++) {
            inSources[i] = new FrameSource();
        }
        this.polled = uplinks.stream().filter(u -> u.owner() == index).toArray(Uplink[]::new);
        this.polledSources = new FrameSource[polled.length];
        for (int i = 0; i < polled.length; i++) {
            int ring = polled[i].device().rxDesc(0);
            polledSources[i] = FrameSource.ofWire(new RxCoalescing(rules.coalesceNanos(), ring));
        }
        this.uplinkQueues = new UplinkQueue[uplinks.size()];
        for (Uplink u : uplinks) {
            if (u.transmitsFrom(index)) {
                uplinkQueues[u.number()] = new UplinkQueue(u, index);
            }
        }
        this.forwarder =
                new GuestForwarder(
                        index,
                        rules,
                        pool,
                        uplinks.toArray(Uplink[]::new),
                        uplinkQueues,
                        out,
                        clock);
        this.next = first;
        adopt(first);
    }

    /** The hand-over rings between {@code workers} workers. */
    public static Handoff[][] handoffs(int workers) {
        Handoff[][] all = new Handoff[workers][workers];
        for (int from = 0; from < workers; from++) {
            for (int to = 0; to < workers; to++) {
                all[from][to] = from == to ? null : new Handoff(from, to);
            }
        }
        return all;
    }

    // What other threads may call.

    /** Hands a new topology to the worker, which adopts it before its next round. */
    public void propose(Topology topology) {
        // Pairs with the acquire in poll.
        NEXT.setRelease(this, topology);
    }

    /** Whether the worker has let go of everything that is only in older topologies. */
    public boolean hasAdopted(Topology topology) {
        return (long) ADOPTED.getAcquire(this) >= topology.epoch;
    }

    /** Frames lost in this worker that no port's counters tell of. */
    public FrameCounters lost() {
        return lost;
    }

    // The round.

    @Override
    public int poll() {
        Topology t = (Topology) NEXT.getAcquire(this);
        if (t != topology) {
            adopt(t);
        }
        clock.tick();
        int work = 0;
        for (int i = 0; i < in.length; i++) {
            work += pollHandoff(in[i], inSources[i]);
        }
        for (int i = 0; t.uplinksOpen && i < polled.length; i++) {
            work += pollUplink(polled[i], polledSources[i]);
        }
        PoolFeed[] feeds = this.feeds;
        for (int i = 0; t.uplinksOpen && i < feeds.length; i++) {
            work += pollFeed(feeds[i]);
        }
        work += pollGuests();
        for (UplinkQueue queue : uplinkQueues) {
            if (queue != null) {
                work += queue.flush();
            }
        }
        for (Handoff handoff : out) {
            if (handoff != null) {
                handoff.flush();
            }
        }
        return work;
    }

    private void adopt(Topology t) {
        topology = t;
        mine = t.served[index];
        dropEnded(feeds, t.feeds[index]);
        feeds = t.feeds[index];
        skips = new int[mine.length];
        idle = new int[mine.length];
        first = 0;
        maxSkip = mine.length > 1 ? MAX_SKIP : 0;
        for (FrameSource s : polledSources) {
            s.coalescing.devices(t.devices.length, mine.length);
        }
        // A box that is full is emptied and may come again.
        boxes = new GuestDevice[mine.length + RxCoalescing.MAX_BURSTS];
        forwarder.adopt(t);
        // Pairs with the acquire in hasAdopted: the last touch of removed devices is over.
        ADOPTED.setRelease(this, t.epoch);
    }

    /** Frames that wait for devices whose pools were taken away. */
    private void dropEnded(PoolFeed[] before, PoolFeed[] now) {
        List<PoolFeed> going = List.of(now);
        for (PoolFeed feed : before) {
            FrameSource s = feed.source;
            if (s.count > 0 && !going.contains(feed)) {
                lost.drop(DropReason.GONE, s.count);
                Mempool.freeBulk(s.mbufs, 0, s.count);
                s.count = 0;
            }
        }
    }

    /**
     * The guests' transmit rings. One that has sent nothing for a while is looked at in every
     * second round, later more rarely: looking at idle ones would otherwise cost more than serving
     * the busy ones. A round is a matter of microseconds at most.
     */
    private int pollGuests() {
        GuestDevice[] mine = this.mine;
        int[] skips = this.skips;
        int work = 0;
        int at = first;
        first = at + 1 < mine.length ? at + 1 : 0;
        for (int n = mine.length; n > 0; n--) {
            int i = at;
            at = i + 1 < mine.length ? i + 1 : 0;
            if (skips[i] > 0) {
                skips[i]--;
                continue;
            }
            GuestDevice d = mine[i];
            int taken = d.serving ? pollGuest(d) : 0;
            if (taken != 0) {
                idle[i] = 0;
                work += taken;
            } else if (idle[i] < IDLE_ROUNDS + maxSkip) {
                idle[i]++;
            }
            skips[i] = Math.max(0, idle[i] - IDLE_ROUNDS);
        }
        return work;
    }

    private int pollGuest(GuestDevice d) {
        try {
            return forwarder.poll(d);
        } catch (RuntimeException e) {
            // The walker does not throw; should it ever, the others must not suffer.
            LOG.error("({}) serving the device failed", d.number, e);
            d.quarantine(null, "the switch failed on it: " + e);
            return 1;
        }
    }

    private int pollHandoff(Handoff handoff, FrameSource source) {
        int n = source.count;
        if (n == 0) {
            n = handoff.take(scratch, source);
            if (n == 0) {
                return 0;
            }
        }
        return deliver(source, n);
    }

    private int pollUplink(Uplink uplink, FrameSource source) {
        int n = source.count;
        if (n != 0) {
            return deliver(source, n);
        }
        RxCoalescing coalescing = source.coalescing;
        boolean waited = coalescing.waiting();
        if (waited && !coalescing.over(clock.now())) {
            return 0;
        }
        int received = receive(uplink, 0, null, uplink.fromWire(), source, coalescing.bursts());
        if (source.count > 0) {
            deliver(source, source.count);
        }
        if (waited || received > 0 && coalescing.active()) {
            coalescing.looked(clock, received);
        }
        return received;
    }

    /** A pool: the card has sorted, what is left to do is to move. */
    private int pollFeed(PoolFeed feed) {
        FrameSource source = feed.source;
        int n = source.count;
        if (n != 0) {
            return deliver(source, n);
        }
        Uplink uplink = feed.uplink;
        int received = receive(uplink, feed.pool, feed.device, uplink.fromPools(index), source, 1);
        if (source.count > 0) {
            deliver(source, source.count);
        }
        return received;
    }

    /**
     * Bursts from the wire; what is somebody's becomes the source's. Returns the frames.
     *
     * @param expected whose frames the card has put into the queue; null for everybody's
     * @param bursts how many there may be
     */
    private int receive(
            Uplink uplink,
            int queue,
            GuestDevice expected,
            FrameCounters counters,
            FrameSource source,
            int bursts) {
        int total = 0;
        for (int left = bursts; left > 0; left--) {
            int n = receiveBurst(uplink, queue, expected, counters, source);
            total += n;
            if (n < FrameSource.BURST) {
                break;
            }
        }
        return total;
    }

    private int receiveBurst(
            Uplink uplink,
            int queue,
            GuestDevice expected,
            FrameCounters counters,
            FrameSource source) {
        int[] mbufs = source.mbufs;
        int kept = source.count;
        int first = kept;
        int n = uplink.receive(queue, mbufs, kept);
        if (n == 0) {
            return 0;
        }
        Topology t = topology;
        long bytes = 0;
        for (int i = first; i < first + n; i++) {
            int m = mbufs[i];
            int len = Mbuf.pktLen(m);
            int token =
                    expected != null && classifier.accept(m, expected)
                            ? expected.token
                            : classifier.classify(m, t, counters);
            if (token == WireClassifier.NOBODY) {
                Mbuf.free(m);
            } else {
                mbufs[kept] = m;
                source.tokens[kept] = token;
                kept++;
                bytes += len;
            }
        }
        source.count = kept;
        if (kept > first) {
            counters.count(kept - first, bytes);
        }
        return n;
    }

    /**
     * Delivers what a source has; what has to wait stays there. Frames for one guest are gathered
     * first, so that each guest's ring is published once.
     *
     * @return frames that are no longer the source's
     */
    private int deliver(FrameSource source, int n) {
        int[] mbufs = source.mbufs;
        int[] tokens = source.tokens;
        GuestDevice[] boxes = this.boxes;
        int boxCount = 0;
        source.count = 0;
        for (int i = 0; i < n; i++) {
            int m = mbufs[i];
            int token = tokens[i];
            if (token < 0) {
                toUplink(m, token, source);
                continue;
            }
            GuestDevice d = topology.byToken(token);
            if (d == null) {
                lost.drop(DropReason.GONE, 1);
                Mbuf.free(m);
            } else if (d.worker == index) {
                int boxed = d.boxed;
                if (boxed == 0) {
                    boxes[boxCount++] = d;
                }
                d.box[boxed] = m;
                d.boxed = boxed + 1;
                if (boxed + 1 == FrameSource.BURST) {
                    emptyBox(d, source);
                }
            } else {
                toWorker(m, token, out[d.worker], source);
            }
        }
        for (int i = 0; i < boxCount; i++) {
            emptyBox(boxes[i], source);
        }
        freeDone();
        return n - source.count;
    }

    private void freeDone() {
        Mempool.freeBulk(doneFrames, 0, doneCount);
        doneCount = 0;
    }

    private void emptyBox(GuestDevice d, FrameSource source) {
        int[] box = d.box;
        int n = d.boxed;
        if (n == 0) {
            // It was full and has been emptied.
            return;
        }
        d.boxed = 0;
        int done = 0;
        if (d.serving && source.count > 0 && source.keeps(d.token)) {
            // Frames before these have to wait already.
            keep(d, box, 0, n, source);
            return;
        }
        if (d.serving) {
            done = ReceivePath.enqueue(d.rx, box, 0, n, d.rxCounters());
            d.rx.publish();
            if (done > 0) {
                d.hold.progressed();
                if (source.coalescing != null && source.coalescing.active()) {
                    source.coalescing.gave(d.number, done);
                }
                // Freed with those of the other guests: with many guests, boxes have few frames.
                if (doneCount + done > doneFrames.length) {
                    freeDone();
                }
                int at = doneCount;
                for (int i = 0; i < done; i++) {
                    doneFrames[at + i] = box[i];
                }
                doneCount = at + done;
            }
            if (done == n) {
                return;
            }
            d.checkRings();
        }
        if (d.serving && d.hold.mayWait(clock.now(), holdNanos)) {
            keep(d, box, done, n, source);
        } else {
            d.rxCounters()
                    .drop(d.serving ? DropReason.RING_FULL : DropReason.QUARANTINED, n - done);
            Mempool.freeBulk(box, done, n - done);
        }
    }

    private static void keep(GuestDevice d, int[] box, int from, int to, FrameSource source) {
        for (int i = from; i < to; i++) {
            source.keep(box[i], d.token);
        }
    }

    private void toUplink(int m, int token, FrameSource source) {
        UplinkQueue queue = uplinkQueues[~token];
        if (!source.keeps(token) && queue.put(m)) {
            return;
        }
        if (queue.hold.mayWait(clock.now(), holdNanos)) {
            source.keep(m, token);
        } else {
            queue.counters().drop(DropReason.UPLINK_FULL, 1);
            Mbuf.free(m);
        }
    }

    private void toWorker(int m, int token, Handoff handoff, FrameSource source) {
        if (!source.keeps(token) && handoff.put(m, token)) {
            return;
        }
        if (handoff.hold.mayWait(clock.now(), holdNanos)) {
            source.keep(m, token);
        } else {
            lost.drop(DropReason.WORKER_FULL, 1);
            Mbuf.free(m);
        }
    }

    /**
     * The JVM reports an access to registers that are not there. Which of the uplinks it was is
     * asked; the round that was under way is cleared up, frames that were between two places at
     * that moment are lost.
     */
    @Override
    public boolean survives(InternalError fault) {
        boolean gone = false;
        for (Uplink uplink : polled) {
            gone |= uplink.hasGone();
        }
        for (UplinkQueue queue : uplinkQueues) {
            gone |= queue != null && queue.uplink().hasGone();
        }
        for (PoolFeed feed : feeds) {
            gone |= feed.uplink.hasGone();
        }
        if (gone) {
            for (GuestDevice d : mine) {
                Mempool.freeBulk(d.box, 0, d.boxed);
                d.boxed = 0;
                d.publish();
            }
            Mempool.freeBulk(doneFrames, 0, doneCount);
            doneCount = 0;
            forwarder.forgetTouched();
        }
        return gone;
    }

    /**
     * After every worker has ended: gives up all frames that are still here. Called for each worker
     * by one thread.
     */
    public void close() {
        for (UplinkQueue queue : uplinkQueues) {
            if (queue != null) {
                queue.flush();
                queue.dropAll();
            }
        }
        dropAll(polledSources);
        dropAll(inSources);
        for (PoolFeed feed : feeds) {
            dropAll(feed.source);
        }
        for (Handoff handoff : out) {
            if (handoff != null) {
                for (int m = handoff.drain(); m != 0; m = handoff.drain()) {
                    Mbuf.free(m);
                }
            }
        }
        forwarder.close();
    }

    private static void dropAll(FrameSource[] sources) {
        for (FrameSource s : sources) {
            dropAll(s);
        }
    }

    private static void dropAll(FrameSource s) {
        Mempool.freeBulk(s.mbufs, 0, s.count);
        s.count = 0;
    }
}
