package io.grantwire.pmd.driver.xenvirt;

import io.grantwire.pmd.ethdev.QueueCounters;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.EtherHeader;
import io.grantwire.pmd.virtio.SplitRingDriver;
import io.grantwire.pmd.virtio.VirtioNetHeader;

/**
 * The receive queue: keeps the ring full of buffers and hands out what the back end filled. A
 * buffer is posted with room for the header in its headroom, right before the data.
 *
 * <p>One polling thread at a time; control methods only while nobody polls.
 */
final class XenvirtRxQueue {
    /** Refilling waits until this many are missing, to publish them with one store. */
    private static final int REFILL_AT = 32;

    private static final int REFILL_BATCH = 64;

    private final SplitRingDriver ring;
    private final Mempool pool;
    private final QueueCounters counters;
    private final long dataAddress;
    private final int postedLength;
    private final int[] lengths;
    private final int[] fresh = new int[REFILL_BATCH];
    private final long[] addresses = new long[REFILL_BATCH];

    XenvirtRxQueue(SplitRingDriver ring, Mempool pool, QueueCounters counters) {
        this.ring = ring;
        this.pool = pool;
        this.counters = counters;
        this.lengths = new int[ring.capacity()];
        this.dataAddress = pool.segment().address() - VirtioNetHeader.SIZE;
        this.postedLength = pool.dataRoom() + VirtioNetHeader.SIZE;
    }

    Mempool pool() {
        return pool;
    }

    int burst(int[] mbufs, int offset, int count) {
        // First, and not when frames have been taken: those of the burst before have usually been
        // freed by now, and their buffers go back to the very descriptors that they came from.
        if (ring.free() >= REFILL_AT) {
            refill();
        }
        int max = Math.min(count, lengths.length);
        int taken = max <= 0 ? 0 : ring.take(mbufs, offset, lengths, max);
        int good = 0;
        if (taken > 0) {
            int[] lengths = this.lengths;
            long bytes = 0;
            for (int i = 0; i < taken; i++) {
                int m = mbufs[offset + i];
                int len = lengths[i] - VirtioNetHeader.SIZE;
                if (len < EtherHeader.LENGTH) {
                    Mbuf.free(m);
                    continue;
                }
                Mbuf.init(m, len, Mbuf.NO_PORT);
                mbufs[offset + good++] = m;
                bytes += len;
            }
            counters.add(good, bytes);
            if (good != taken) {
                counters.addErrors(taken - good);
            }
        }
        return good;
    }

    /** Posts buffers until the ring is full or the pool is empty. */
    void refill() {
        int missing = ring.free();
        while (missing > 0) {
            int n = Math.min(missing, REFILL_BATCH);
            if (!pool.allocBulk(fresh, 0, n)) {
                counters.addNoMbuf(1);
                // A bulk fails as a whole: a ring that is almost dry takes what little there is.
                if (ring.outstanding() >= REFILL_AT || (n = allocFew(n)) == 0) {
                    return;
                }
            }
            for (int i = 0; i < n; i++) {
                addresses[i] = dataAddress + Mbuf.offset(fresh[i]);
            }
            ring.postReceive(fresh, addresses, postedLength, n);
            missing -= n;
        }
    }

    private int allocFew(int most) {
        int n = 0;
        while (n < most && pool.allocBulk(fresh, n, 1)) {
            n++;
        }
        return n;
    }
}
