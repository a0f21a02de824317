package io.grantwire.pmd.mbuf;

import static io.grantwire.pmd.mbuf.MbufLayout.BUFFER;
import static io.grantwire.pmd.mbuf.MbufLayout.BUFFER_ALIGN_SHIFT;
import static io.grantwire.pmd.mbuf.MbufLayout.EMPTY;
import static io.grantwire.pmd.mbuf.MbufLayout.FLAGS;
import static io.grantwire.pmd.mbuf.MbufLayout.GEOMETRY;
import static io.grantwire.pmd.mbuf.MbufLayout.INDEX_MASK;
import static io.grantwire.pmd.mbuf.MbufLayout.IN_POOL;
import static io.grantwire.pmd.mbuf.MbufLayout.NO_FLAGS;
import static io.grantwire.pmd.mbuf.MbufLayout.SHIFT;
import static io.grantwire.pmd.mbuf.MbufLayout.SINGLE;
import static io.grantwire.pmd.mbuf.MbufLayout.SLOT_SHIFT;
import static io.grantwire.pmd.mbuf.MbufLayout.STATE;

import io.grantwire.pmd.lcore.Lcore;
import io.grantwire.pmd.ring.Ring;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A fixed number of packet buffers of one size. An mbuf is an {@code int} handle; its metadata is
 * in an array on the Java heap, and the pool's memory holds nothing but packet bytes, so it can be
 * shared with a peer that is not trusted. See {@link Mbuf} for what to do with a handle.
 *
 * <p>Threads: any. Each lcore keeps a last-in first-out cache of its own, found through {@link
 * Lcore#currentId()}; other threads go to the common ring every time. The caches follow DPDK's
 * algorithm of 2026: never more than the cache size; they are filled and emptied by halves.
 *
 * <p>A handle that is freed twice, or that no pool ever gave out, is refused and counted in {@link
 * #badFrees()}, and nothing else happens.
 */
public final class Mempool implements AutoCloseable {
    /** Bytes in front of a fresh frame, for headers to be put there later. */
    public static final int HEADROOM = 128;

    /** The usual bytes after the headroom. */
    public static final int DEFAULT_DATA_ROOM = 2048;

    /** The usual cache size. */
    public static final int DEFAULT_CACHE = 256;

    /** Largest number of mbufs. */
    public static final int MAX_COUNT = INDEX_MASK - 1;

    /**
     * Largest cache size. Eight times DPDK's RTE_MEMPOOL_CACHE_MAX_SIZE: a cache that holds all
     * mbufs that a thread has at once keeps it from going round the whole pool.
     */
    public static final int MAX_CACHE = 4096;

    /** Largest data room: headroom and data room together stay below 65536. */
    public static final int MAX_DATA_ROOM = 0xFFFF - HEADROOM;

    private static final Logger LOG = LoggerFactory.getLogger(Mempool.class);
    private static final VarHandle INT = MethodHandles.arrayElementVarHandle(int[].class);

    /** Index of a cache's length; a line away from the array's header and from the items. */
    private static final int LEN = 16;

    /** Index of a cache's first item. */
    private static final int ITEMS = 32;

    /** Unused ints after the items, so that two caches never share a line. */
    private static final int CACHE_PAD = 32;

    private static final LongAdder BAD_FREES = new LongAdder();

    private final String name;
    private final int count;
    private final int dataRoom;
    private final int elementSize;
    private final int cacheSize;
    private final int half;
    private final int slot;
    private final MemorySource.BackingMemory memory;
    private final MemorySegment segment;
    private final long[] meta;
    private final Ring common;
    private final int[][] caches;
    private final LongAdder allocFailures = new LongAdder();
    private boolean closed;

    private Mempool(
            MempoolConfig config, int elementSize, int slot, MemorySource.BackingMemory memory) {
        this.name = config.name();
        this.count = config.count();
        this.dataRoom = config.dataRoom();
        this.elementSize = elementSize;
        this.cacheSize = config.cacheSize();
        this.half = cacheSize >> 1;
        this.slot = slot;
        this.memory = memory;
        this.segment = memory.segment();
        this.meta = new long[count + 1 << SHIFT];
        this.common = Ring.create(name, count, Ring.Sync.HTS, Ring.Sync.HTS);
        this.caches = cacheSize == 0 ? null : new int[Lcore.MAX][];
        long run = config.source().contiguousBytes();
        int perRun = perRun(run, elementSize);
        for (int i = 0; i < count; i++) {
            long offset = i / perRun * run + (long) (i % perRun) * elementSize;
            meta[(i + 1 << SHIFT) + BUFFER] = offset >>> BUFFER_ALIGN_SHIFT;
            common.enqueue(slot << SLOT_SHIFT | i + 1);
        }
    }

    /**
     * Makes a pool.
     *
     * @throws IllegalArgumentException when an mbuf is longer than what the memory source has in
     *     one piece for devices
     * @throws IllegalStateException when the process has 128 pools already
     * @throws io.grantwire.bindings.NativeException when its memory cannot be had
     */
    public static Mempool create(MempoolConfig config) {
        int align = 1 << BUFFER_ALIGN_SHIFT;
        int elementSize = HEADROOM + config.dataRoom() + align - 1 & -align;
        long bytes = bytes(config, elementSize);
        int slot = Pools.claim(config.name());
        MemorySource.BackingMemory memory = null;
        try {
            memory = config.source().allocate(bytes);
            if (memory.segment().byteSize() < bytes) {
                throw new IllegalArgumentException(
                        "mempool "
                                + config.name()
                                + ": its memory source gave "
                                + memory.segment().byteSize()
                                + " bytes instead of "
                                + bytes);
            }
            Mempool pool = new Mempool(config, elementSize, slot, memory);
            Pools.publish(slot, pool, pool.meta, pool.segment);
            return pool;
        } catch (Throwable e) {
            Pools.release(slot);
            if (memory != null) {
                memory.close();
            }
            throw e;
        }
    }

    /** How many mbufs lie in a run of contiguous bytes, none across its end. */
    private static int perRun(long run, int elementSize) {
        return (int) Math.min(run / elementSize, Integer.MAX_VALUE);
    }

    private static long bytes(MempoolConfig config, int elementSize) {
        long run = config.source().contiguousBytes();
        int perRun = perRun(run, elementSize);
        if (perRun == 0) {
            throw new IllegalArgumentException(
                    "mempool "
                            + config.name()
                            + ": an mbuf of "
                            + elementSize
                            + " bytes does not fit into the "
                            + run
                            + " bytes that devices find in one piece here; choose a data room of "
                            + (run - HEADROOM)
                            + " or less");
        }
        return perRun >= config.count()
                ? (long) elementSize * config.count()
                : (config.count() + perRun - 1L) / perRun * run;
    }

    /** The pools of this process that are open, in no special order. */
    public static List<Mempool> all() {
        return Pools.all();
    }

    /** The pool that an mbuf comes from; null for a handle of no pool. */
    public static Mempool of(int mbuf) {
        return Pools.POOL[mbuf >>> SLOT_SHIFT];
    }

    /**
     * Takes an mbuf out: an empty frame of one segment, with headroom {@link #HEADROOM}.
     *
     * @return its handle, or 0 when the pool is empty
     */
    public int alloc() {
        int[] cache = cache();
        int m;
        if (cache == null) {
            m = common.dequeue();
        } else {
            if (cache[LEN] == 0) {
                refill(cache);
            }
            int len = cache[LEN];
            if (len == 0) {
                m = common.dequeue();
            } else {
                m = cache[ITEMS + len - 1];
                cache[LEN] = len - 1;
            }
        }
        if (m == 0) {
            allocFailures.increment();
            return 0;
        }
        long[] meta = this.meta;
        int at = (m & INDEX_MASK) << SHIFT;
        meta[at + STATE] = SINGLE;
        meta[at + GEOMETRY] = EMPTY;
        meta[at + FLAGS] = NO_FLAGS;
        return m;
    }

    /**
     * Takes {@code n} mbufs out, or none; each is as {@link #alloc} gives it.
     *
     * @param out receives the handles, from index {@code off} on
     * @return whether there were enough
     */
    public boolean allocBulk(int[] out, int off, int n) {
        if (!allocRawBulk(out, off, n)) {
            return false;
        }
        long[] meta = this.meta;
        for (int i = off; i < off + n; i++) {
            int at = (out[i] & INDEX_MASK) << SHIFT;
            meta[at + GEOMETRY] = EMPTY;
            meta[at + FLAGS] = NO_FLAGS;
        }
        return true;
    }

    /**
     * Takes {@code n} mbufs out, or none, for a receiving driver: offset, lengths and flags are
     * left over from the last use, and the caller gives each frame its own with {@link Mbuf#init}.
     *
     * @param out receives the handles, from index {@code off} on
     * @return whether there were enough
     */
    public boolean allocRawBulk(int[] out, int off, int n) {
        Objects.checkFromIndexSize(off, n, out.length);
        int[] cache = cache();
        int len;
        if (cache == null || (len = cache[LEN]) < n) {
            return allocRawSlow(cache, out, off, n);
        }
        int from = ITEMS + len - n;
        long[] meta = this.meta;
        for (int i = 0; i < n; i++) {
            int m = cache[from + i];
            out[off + i] = m;
            meta[((m & INDEX_MASK) << SHIFT) + STATE] = SINGLE;
        }
        cache[LEN] = len - n;
        return true;
    }

    private boolean allocRawSlow(int[] cache, int[] out, int off, int n) {
        if (!takeMore(cache, out, off, n)) {
            allocFailures.increment();
            return false;
        }
        long[] meta = this.meta;
        for (int i = off; i < off + n; i++) {
            meta[((out[i] & INDEX_MASK) << SHIFT) + STATE] = SINGLE;
        }
        return true;
    }

    /** Moves n handles, more than the cache has, to {@code out}. */
    private boolean takeMore(int[] cache, int[] out, int off, int n) {
        if (cache == null) {
            return common.dequeueBulk(out, off, n) == n;
        }
        int len = cache[LEN];
        int rest = n - len;
        if (rest <= half && refill(cache)) {
            len = cache[LEN] - n;
            System.arraycopy(cache, ITEMS + len, out, off, n);
            cache[LEN] = len;
            return true;
        }
        // A large remainder, or not even half a cache left in the ring: straight from there. The
        // cache is touched only after that has worked.
        if (common.dequeueBulk(out, off, rest) != rest) {
            return false;
        }
        System.arraycopy(cache, ITEMS, out, off + rest, len);
        cache[LEN] = 0;
        return true;
    }

    /** Moves half a cache of handles from the ring on top of the cache, which has room. */
    private boolean refill(int[] cache) {
        int len = cache[LEN];
        if (half == 0 || common.dequeueBulk(cache, ITEMS + len, half) == 0) {
            return false;
        }
        cache[LEN] = len + half;
        return true;
    }

    /**
     * Takes out a frame for {@code len} bytes of data: one mbuf, or a chain when its data room is
     * smaller. Lengths are set, the data is whatever was there.
     *
     * @return the first mbuf, or 0 when there were not enough, and then none is taken
     */
    public int allocChain(int len) {
        int head = alloc();
        if (head == 0) {
            return 0;
        }
        int room = dataRoom;
        int n = Math.min(len, room);
        Mbuf.setLen(head, n);
        int last = head;
        int segments = 1;
        for (int rest = len - n; rest > 0; rest -= n) {
            int m = alloc();
            if (m == 0) {
                Mbuf.free(head);
                return 0;
            }
            n = Math.min(rest, room);
            Mbuf.setLen(m, n);
            Mbuf.setNext(last, m);
            last = m;
            segments++;
        }
        Mbuf.setNbSegs(head, segments);
        Mbuf.setPktLen(head, len);
        return head;
    }

    /** Frees an mbuf and those chained to it; 0 is ignored. Same as {@link Mbuf#free}. */
    public void free(int mbuf) {
        Mbuf.free(mbuf);
    }

    /** Frees {@code n} mbufs, each with its chain, to the pools they come from; 0 is ignored. */
    public static void freeBulk(int[] mbufs, int off, int n) {
        Objects.checkFromIndexSize(off, n, mbufs.length);
        int end = off + n;
        int i = off;
        while (i < end) {
            Mempool pool = Pools.POOL[mbufs[i] >>> SLOT_SHIFT];
            int freed = pool == null ? 0 : pool.freeRun(mbufs, i, end);
            if (freed == 0) {
                // Not the usual case: a chain, several owners, a stranger.
                Mbuf.free(mbufs[i]);
                freed = 1;
            }
            i += freed;
        }
    }

    /**
     * Frees mbufs from index {@code i} on as long as they are this pool's, have one owner and no
     * chain.
     *
     * @return how many
     */
    private int freeRun(int[] mbufs, int i, int end) {
        int[] cache = cache();
        int n = end - i;
        if (cache == null || !makeRoom(cache, n)) {
            int run = markFree(mbufs, i, end);
            common.enqueueBulk(mbufs, i, run);
            return run;
        }
        long[] meta = this.meta;
        int slot = this.slot;
        int to = ITEMS + cache[LEN] - i;
        int k = i;
        for (; k < end; k++) {
            int m = mbufs[k];
            int at = (m & INDEX_MASK) << SHIFT;
            if (m >>> SLOT_SHIFT != slot || at >= meta.length || meta[at + STATE] != SINGLE) {
                break;
            }
            meta[at + STATE] = IN_POOL;
            cache[to + k] = m;
        }
        cache[LEN] = to + k - ITEMS;
        return k - i;
    }

    private int markFree(int[] mbufs, int i, int end) {
        int k = i;
        for (; k < end; k++) {
            int m = mbufs[k];
            int at = (m & INDEX_MASK) << SHIFT;
            if (m >>> SLOT_SHIFT != slot || at >= meta.length || meta[at + STATE] != SINGLE) {
                break;
            }
            meta[at + STATE] = IN_POOL;
        }
        return k - i;
    }

    /** Makes room for n handles on top of the cache; false when they had better bypass it. */
    private boolean makeRoom(int[] cache, int n) {
        int len = cache[LEN];
        if (n <= cacheSize - len) {
            return true;
        }
        if (n > half) {
            return false;
        }
        flush(cache);
        return true;
    }

    /** Moves the bottom half of a cache, its coldest, to the ring. */
    private void flush(int[] cache) {
        common.enqueueBulk(cache, ITEMS, half);
        int len = cache[LEN] - half;
        System.arraycopy(cache, ITEMS + half, cache, ITEMS, len);
        cache[LEN] = len;
    }

    /** Takes back an mbuf whose state has been checked and set to IN_POOL. */
    void put(int mbuf) {
        int[] cache = cache();
        if (cache == null || !makeRoom(cache, 1)) {
            common.enqueue(mbuf);
            return;
        }
        int len = cache[LEN];
        cache[ITEMS + len] = mbuf;
        cache[LEN] = len + 1;
    }

    private int[] cache() {
        int[][] all = caches;
        if (all == null) {
            return null;
        }
        int lcore = Lcore.currentId();
        if (lcore < 0) {
            return null;
        }
        int[] cache = all[lcore];
        return cache != null ? cache : newCache(lcore);
    }

    private int[] newCache(int lcore) {
        // Each lcore writes its own entry only; others look at it for counting.
        return caches[lcore] = new int[ITEMS + cacheSize + CACHE_PAD];
    }

    static void countBadFree() {
        BAD_FREES.increment();
    }

    /** How many frees this process's pools have refused: freed twice, or never given out. */
    public static long badFrees() {
        return BAD_FREES.sum();
    }

    /** How many allocations, single or bulk, have failed because too few mbufs were left. */
    public long allocFailures() {
        return allocFailures.sum();
    }

    /** How many mbufs are out; exact only while no other thread allocates or frees. */
    public int inUse() {
        return count - available();
    }

    /** How many mbufs are in the pool, its caches included; as exact as {@link #inUse}. */
    public int available() {
        int n = common.count();
        if (caches != null) {
            for (int[] cache : caches) {
                if (cache != null) {
                    n += (int) INT.getOpaque(cache, LEN);
                }
            }
        }
        return Math.min(n, count);
    }

    /** The name given at creation. */
    public String name() {
        return name;
    }

    /** How many mbufs the pool was made with. */
    public int count() {
        return count;
    }

    /** Bytes of an mbuf after the headroom. */
    public int dataRoom() {
        return dataRoom;
    }

    /**
     * Bytes from one mbuf's buffer to the next: headroom, data room, rounded up to a cache line.
     */
    public int elementSize() {
        return elementSize;
    }

    /** Mbufs kept per lcore. */
    public int cacheSize() {
        return cacheSize;
    }

    /** The packet memory of all mbufs; stays the pool's. */
    public MemorySegment segment() {
        return segment;
    }

    /** What its memory source gave; stays the pool's. */
    public MemorySource.BackingMemory memory() {
        return memory;
    }

    /** The pool's number, 0 to 127: the upper eight bits of its handles. */
    public int slot() {
        return slot;
    }

    /** Whether {@link #close} has freed the pool. */
    public boolean isClosed() {
        return closed;
    }

    /**
     * Frees the pool's memory. While mbufs are out it refuses: it logs how many, and the pool stays
     * as it is, so that memory a device or a peer may still be using is never pulled away. It may
     * be called again when they are back. No thread may be allocating or freeing.
     */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        int out = inUse();
        if (out > 0) {
            LOG.warn(
                    "mempool {}: not closed, {} of its {} mbufs are still out; stop the devices and"
                            + " free the frames first",
                    name,
                    out,
                    count);
            return;
        }
        closed = true;
        Pools.release(slot);
        memory.close();
    }

    @Override
    public String toString() {
        return "mempool " + name + ": " + inUse() + " of " + count + " in use";
    }
}
