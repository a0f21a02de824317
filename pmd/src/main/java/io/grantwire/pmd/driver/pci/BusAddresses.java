package io.grantwire.pmd.driver.pci;

import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.vfio.DmaMapping;
import io.grantwire.vfio.DmaSpace;
import io.grantwire.vfio.PciException;
import java.util.Arrays;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where mbufs lie as devices of one {@link DmaSpace} see them: for each pool, its runs. Pools are
 * learnt on the control path ({@link #learn}, {@link #learnAll}); {@link #of} is for the packet
 * path, and costs two loads from arrays that stay in the cache.
 *
 * <p>Pools that the space cannot map are unknown here: a frame in one has to be copied first.
 */
public final class BusAddresses implements AutoCloseable {
    /** {@link #of} an mbuf of an unknown pool. */
    public static final long UNKNOWN = -1;

    private static final Logger LOG = LoggerFactory.getLogger(BusAddresses.class);
    private static final int POOLS = 256;
    private static final int SLOT_SHIFT = 24;
    private static final long[] NO_RUNS = new long[0];

    private final DmaSpace space;
    private final long[][] runs = new long[POOLS][];
    private final int[] shifts = new int[POOLS];
    private final Mempool[] known = new Mempool[POOLS];
    private final DmaMapping[] own = new DmaMapping[POOLS];

    /** Knows no pool yet. */
    public BusAddresses(DmaSpace space) {
        this.space = space;
        Arrays.fill(runs, NO_RUNS);
        Arrays.fill(shifts, Long.SIZE - 2);
    }

    /** Learns every pool that this process has now; those that cannot be mapped stay unknown. */
    public synchronized void learnAll() {
        forgetClosed();
        for (Mempool pool : Mempool.all()) {
            if (known[pool.slot()] != pool) {
                try {
                    learn(pool);
                } catch (PciException e) {
                    LOG.info("frames of {} are copied before DMA: {}", pool.name(), e.getMessage());
                }
            }
        }
    }

    /**
     * Learns a pool that the device is to use.
     *
     * @throws PciException when devices cannot reach its memory
     */
    public synchronized void learn(Mempool pool) {
        int slot = pool.slot();
        if (known[slot] == pool) {
            return;
        }
        forget(slot);
        DmaMapping mapping;
        if (pool.memory() instanceof DmaPacketMemory dma && dma.space() == space) {
            mapping = dma.mapping();
        } else {
            mapping = space.map(pool.segment());
            if (!holdsWhole(pool, mapping)) {
                mapping.close();
                throw new PciException(
                        "mempool "
                                + pool.name()
                                + ": EFAULT (its mbufs do not lie in one piece each for devices)");
            }
            own[slot] = mapping;
        }
        shifts[slot] = mapping.runShift();
        runs[slot] = mapping.runs();
        known[slot] = pool;
    }

    /** Pools come and go, and so do their slots: what was known of a closed one is no use. */
    private void forgetClosed() {
        for (int slot = 0; slot < POOLS; slot++) {
            if (known[slot] != null && known[slot].isClosed()) {
                forget(slot);
            }
        }
    }

    private void forget(int slot) {
        known[slot] = null;
        runs[slot] = NO_RUNS;
        if (own[slot] != null) {
            own[slot].close();
            own[slot] = null;
        }
    }

    /** Whether no mbuf lies across the end of a run. */
    private static boolean holdsWhole(Mempool pool, DmaMapping mapping) {
        long[] runs = mapping.runs();
        int shift = mapping.runShift();
        for (int i = 1; i <= pool.count(); i++) {
            long first = Mbuf.bufferOffset(pool.slot() << SLOT_SHIFT | i);
            long last = first + pool.elementSize() - 1;
            for (long run = first >>> shift; run < last >>> shift; run++) {
                if (runs[(int) run] + (1L << shift) != runs[(int) run + 1]) {
                    return false;
                }
            }
        }
        return true;
    }

    /**
     * Where devices see the first data byte of an mbuf.
     *
     * @return the address, or {@link #UNKNOWN}
     */
    public long of(int mbuf) {
        int slot = mbuf >>> SLOT_SHIFT;
        // A pool that came after the one known by this slot lies elsewhere.
        if (known[slot] != Mempool.of(mbuf)) {
            return UNKNOWN;
        }
        long offset = Mbuf.offset(mbuf);
        long[] runs = this.runs[slot];
        int shift = shifts[slot];
        int run = (int) (offset >>> shift);
        return run < runs.length ? runs[run] + (offset & (1L << shift) - 1) : UNKNOWN;
    }

    /** Ends the mappings made here; the device must be quiet, and the pools still there. */
    @Override
    public synchronized void close() {
        for (int slot = 0; slot < POOLS; slot++) {
            forget(slot);
        }
    }
}
