package io.grantwire.vswitch.forward;

import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.EtherHeader;
import io.grantwire.pmd.net.MacAddress;
import io.grantwire.vswitch.count.DropReason;
import io.grantwire.vswitch.ring.DeviceRing;
import io.grantwire.vswitch.ring.DirectPath;
import io.grantwire.vswitch.ring.TransmitPath;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * What guests transmit: straight into the receive ring of a guest of the same worker, or through an
 * mbuf to the wire or to another worker. A frame that has to wait stays in its sender's ring, and
 * with it all behind it, while the other guests go on.
 */
final class GuestForwarder {
    private static final ValueLayout.OfLong BE64 =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private static final int SENT = 0;
    private static final int DROPPED = 1;
    private static final int HELD = 2;

    private final int worker;
    private final ForwardingRules rules;
    private final boolean vm2vm;
    private final boolean flood;
    private final int maxFrame;
    private final Mempool pool;
    private final Uplink[] uplinks;
    private final UplinkQueue[] uplinkQueues;
    private final Handoff[] handoffs;
    private final WorkerClock clock;
    private final HoldTimer poolHold = new HoldTimer();

    /** Fresh mbufs, taken from the pool a burst at a time. */
    private final int[] stash = new int[FrameSource.BURST];

    private int stashed;

    /** Guests of this worker that got frames in this round and have not been told. */
    private GuestDevice[] touched = new GuestDevice[64];

    private int touchedCount;
    private Topology topology;

    /** Guests of this worker. */
    private int served;

    /** Frames that the guest whose turn it is has put where guests share the room. */
    private int shared;

    GuestForwarder(
            int worker,
            ForwardingRules rules,
            Mempool pool,
            Uplink[] uplinks,
            UplinkQueue[] uplinkQueues,
            Handoff[] handoffs,
            WorkerClock clock) {
        this.worker = worker;
        this.rules = rules;
        this.vm2vm = rules.vm2vm();
        this.flood = rules.flood() && rules.vm2vm();
        this.maxFrame = rules.maxFrame();
        this.pool = pool;
        this.uplinks = uplinks;
        this.uplinkQueues = uplinkQueues;
        this.handoffs = handoffs;
        this.clock = clock;
    }

    void adopt(Topology next) {
        topology = next;
        served = next.served[worker].length;
        touched = new GuestDevice[next.devices.length];
    }

    /** Forwards up to a burst of a guest's frames. Returns how many chains were taken. */
    int poll(GuestDevice d) {
        DeviceRing tx = d.tx;
        shared = 0;
        int taken = 0;
        int sent = 0;
        long bytes = 0;
        while (taken < FrameSource.BURST && tx.fill() > 0) {
            int len = tx.frameBytes();
            if (len < TransmitPath.MIN_FRAME || len > maxFrame) {
                d.txCounters()
                        .drop(
                                len > maxFrame
                                        ? DropReason.FRAME_TOO_LONG
                                        : DropReason.FRAME_TOO_SHORT,
                                1);
            } else {
                int fate = forward(d, tx, DirectPath.first8(tx), len);
                if (fate == HELD) {
                    break;
                }
                if (fate == SENT) {
                    sent++;
                    bytes += len;
                }
            }
            tx.complete(0);
            taken++;
        }
        for (int i = 0; i < touchedCount; i++) {
            touched[i].publish();
        }
        touchedCount = 0;
        tx.publish();
        if (sent > 0) {
            d.txCounters().count(sent, bytes);
        }
        if (tx.violation() != null) {
            d.checkRings();
        }
        return taken;
    }

    private int forward(GuestDevice d, DeviceRing tx, long first8, int len) {
        long mac = first8 >>> 16;
        if (vm2vm) {
            if ((mac & MacAddress.GROUP_BIT) == 0) {
                int number = topology.macs.find(mac);
                if (number >= 0) {
                    return toGuest(d, topology.devices[number], tx, first8, len);
                }
            } else if (flood) {
                return toAll(d, tx, first8, len);
            }
        }
        return toWire(d, tx, first8);
    }

    private int toGuest(GuestDevice d, GuestDevice to, DeviceRing tx, long first8, int len) {
        if (to == d) {
            return drop(d, DropReason.TO_SELF);
        }
        if (to.worker != worker) {
            return toWorker(d, to.worker, to.token, tx, first8, 0, false);
        }
        if (!to.serving) {
            return drop(d, to, DropReason.QUARANTINED);
        }
        DeviceRing rx = to.rx;
        if (rx.fill() == 0) {
            if (rx.violation() != null) {
                to.checkRings();
                return drop(d, to, DropReason.QUARANTINED);
            }
            return to.hold.mayWait(clock.now(), rules.holdNanos())
                    ? HELD
                    : drop(d, to, DropReason.RING_FULL);
        }
        return copy(d, to, tx, first8, len);
    }

    /** Into a ring of this worker that has a buffer. */
    private int copy(GuestDevice d, GuestDevice to, DeviceRing tx, long first8, int len) {
        if (len > to.rx.frameBytes()) {
            return drop(d, to, DropReason.BUFFER_TOO_SMALL);
        }
        DirectPath.copy(tx, to.rx, first8);
        if (to.unpublished == 0) {
            touched[touchedCount++] = to;
        }
        to.unpublished++;
        to.unpublishedBytes += len;
        to.hold.progressed();
        return SENT;
    }

    /**
     * Whether a guest may put one more frame where guests share the room. When half of it is gone,
     * a guest may take in its turn what all of them could take and fit. Otherwise the first guest
     * of a round would take all that there is, and the others lose their frames (XSA-392: what one
     * guest can fill is bounded).
     *
     * <p>Source: the dynamic thresholds of Choudhury and Hahne, IEEE/ACM ToN 6(2), 1998.
     */
    private boolean isFair(int left, int room) {
        return left > room >> 1 || shared == 0 || served == 1 || shared * served < left;
    }

    private int toWire(GuestDevice d, DeviceRing tx, long first8) {
        Uplink uplink = uplinks[d.number % uplinks.length];
        int tag =
                switch (rules.wireTag()) {
                    case VLAN -> EtherHeader.TYPE_VLAN << 16 | d.vlan();
                    case ZERO -> EtherHeader.TYPE_VLAN << 16;
                    case NONE -> 0;
                };
        UplinkQueue queue = uplinkQueues[uplink.number()];
        if (queue == null) {
            return toWorker(
                    d, uplink.owner(), uplink.token(), tx, first8, tag, uplink.insertsTags());
        }
        if (!queue.hasRoom()
                || !isFair(queue.left(), UplinkQueue.ROOM)
                        && !isFair(queue.leftAfterFlush(), UplinkQueue.ROOM)) {
            return queue.hold.mayWait(clock.now(), rules.holdNanos())
                    ? HELD
                    : drop(d, DropReason.UPLINK_FULL);
        }
        int m = copyOut(tx, first8, tag, uplink.insertsTags());
        if (m == 0) {
            return noMbuf(d);
        }
        queue.put(m);
        shared++;
        return SENT;
    }

    private int toWorker(
            GuestDevice d,
            int to,
            int token,
            DeviceRing tx,
            long first8,
            int tag,
            boolean tagByCard) {
        Handoff handoff = handoffs[to];
        if (!handoff.hasRoom() || !isFair(handoff.left(), Handoff.CAPACITY)) {
            return handoff.hold.mayWait(clock.now(), rules.holdNanos())
                    ? HELD
                    : drop(d, DropReason.WORKER_FULL);
        }
        int m = copyOut(tx, first8, tag, tagByCard);
        if (m == 0) {
            return noMbuf(d);
        }
        handoff.put(m, token);
        shared++;
        return SENT;
    }

    /**
     * A group address: to the wire and to every other guest. Copies for guests do not wait, since
     * the frame would have to wait for the slowest of them.
     */
    private int toAll(GuestDevice d, DeviceRing tx, long first8, int len) {
        int fate = toWire(d, tx, first8);
        if (fate == HELD) {
            return HELD;
        }
        for (GuestDevice to : topology.devices) {
            if (to == null || to == d) {
                continue;
            }
            if (to.worker != worker) {
                int m = handoffs[to.worker].hasRoom() ? copyOut(tx, first8, 0, false) : 0;
                if (m != 0) {
                    handoffs[to.worker].put(m, to.token);
                } else {
                    d.txCounters().drop(DropReason.WORKER_FULL, 1);
                }
            } else if (to.serving && to.rx.fill() > 0) {
                if (len > to.rx.frameBytes()) {
                    // Lost for this guest only; the sender's frame is counted already.
                    to.rxCounters().drop(DropReason.BUFFER_TOO_SMALL, 1);
                } else {
                    copy(d, to, tx, first8, len);
                }
            } else {
                to.checkRings();
                to.rxCounters().drop(to.serving ? DropReason.RING_FULL : DropReason.QUARANTINED, 1);
            }
        }
        return fate;
    }

    /**
     * The frame in an mbuf, or 0 when there is none.
     *
     * @param tag type and control information of the tag it gets, 0 for none
     * @param tagByCard whether the card is asked to insert it
     */
    private int copyOut(DeviceRing tx, long first8, int tag, boolean tagByCard) {
        int m = fresh();
        if (m == 0) {
            return 0;
        }
        if (!TransmitPath.copyFrame(tx, m, pool)) {
            stash[stashed++] = m;
            return 0;
        }
        poolHold.progressed();
        if (tag != 0 && !tagByCard) {
            WireClassifier.insertTag(m, first8, tag);
        } else {
            MemorySegment s = Mbuf.segment(m);
            s.set(BE64, Mbuf.offset(m), first8);
            if (tag != 0) {
                Mbuf.setVlanTci(m, tag & 0xffff);
                Mbuf.setOlFlags(m, Mbuf.TX_VLAN);
            }
        }
        return m;
    }

    private int fresh() {
        if (stashed == 0) {
            if (pool.allocBulk(stash, 0, stash.length)) {
                stashed = stash.length;
            } else if (pool.allocBulk(stash, 0, 1)) {
                stashed = 1;
            } else {
                return 0;
            }
        }
        return stash[--stashed];
    }

    private int noMbuf(GuestDevice d) {
        return poolHold.mayWait(clock.now(), rules.holdNanos())
                ? HELD
                : drop(d, DropReason.NO_MBUF);
    }

    private static int drop(GuestDevice d, DropReason reason) {
        d.txCounters().drop(reason, 1);
        return DROPPED;
    }

    /** A frame between guests is lost at both of them. */
    private static int drop(GuestDevice d, GuestDevice to, DropReason reason) {
        d.txCounters().drop(reason, 1);
        to.rxCounters().drop(reason, 1);
        return DROPPED;
    }

    /** After a round that ended halfway: nobody is left to be told of frames. */
    void forgetTouched() {
        touchedCount = 0;
    }

    /** After the worker has ended: gives the unused mbufs back. */
    void close() {
        Mempool.freeBulk(stash, 0, stashed);
        stashed = 0;
    }
}
