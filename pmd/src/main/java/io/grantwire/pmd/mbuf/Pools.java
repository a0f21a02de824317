package io.grantwire.pmd.mbuf;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * The pools of this process by slot number: what turns a handle into its pool's arrays.
 *
 * <p>The tables have 256 entries and not 128, so that {@code handle >>> 24} needs no bounds check;
 * an entry without a pool holds empty things, so that a handle of nobody's fails a length check.
 * They are written under the class's lock; readers got the handle from the pool, directly or
 * through a ring, and so see them.
 */
final class Pools {
    static final int MAX_POOLS = 128;

    static final long[] NO_META = new long[0];
    static final long[][] META = new long[256][];
    static final MemorySegment[] SEGMENT = new MemorySegment[256];
    static final Mempool[] POOL = new Mempool[256];

    private static int lastSlot = MAX_POOLS - 1;

    static {
        Arrays.fill(META, NO_META);
        Arrays.fill(SEGMENT, MemorySegment.NULL);
    }

    private Pools() {}

    /** Takes a slot; round robin, so that handles of closed pools stay invalid for long. */
    static synchronized int claim(String name) {
        for (int i = 1; i <= MAX_POOLS; i++) {
            int slot = (lastSlot + i) % MAX_POOLS;
            if (POOL[slot] == null && META[slot] == NO_META) {
                lastSlot = slot;
                META[slot] = new long[0];
                return slot;
            }
        }
        throw new IllegalStateException(
                "mempool "
                        + name
                        + ": this process has "
                        + MAX_POOLS
                        + " pools already; close one");
    }

    static synchronized void publish(int slot, Mempool pool, long[] meta, MemorySegment segment) {
        META[slot] = meta;
        SEGMENT[slot] = segment;
        POOL[slot] = pool;
    }

    static synchronized List<Mempool> all() {
        return Arrays.stream(POOL).filter(Objects::nonNull).toList();
    }

    static synchronized void release(int slot) {
        META[slot] = NO_META;
        SEGMENT[slot] = MemorySegment.NULL;
        POOL[slot] = null;
    }
}
