package io.grantwire.vswitch.monitor;

import io.grantwire.pmd.xenvirt.XenvirtKeys;
import io.grantwire.vswitch.ring.GuestMemory;
import io.grantwire.vswitch.ring.GuestRange;
import io.grantwire.vswitch.ring.RejectReason;
import java.util.ArrayList;
import java.util.List;

/**
 * The mempools of one guest that are mapped. They are read again whenever a device starts; one that
 * is mapped already, the same pages at the same address, is not mapped twice.
 */
final class GuestPools {
    private final int maxPages;
    private final List<GuestPool> mapped = new ArrayList<>();

    /**
     * @param maxPages most pages of all pools together
     */
    GuestPools(int maxPages) {
        this.maxPages = maxPages;
    }

    /**
     * Maps the pools that the guest has now, for one device.
     *
     * @return the pools, to be given to {@link #release}
     */
    List<GuestPool> acquire(GuestKeys keys) {
        List<GuestPool> pools = new ArrayList<>();
        try {
            for (int i = 0; i < XenvirtKeys.MAX_POOLS; i++) {
                String grefKey = XenvirtKeys.mempoolGref(i);
                String vaKey = XenvirtKeys.mempoolVa(i);
                // The address is written second: without it, this pool is still being made.
                if (keys.text(grefKey) == null || keys.text(vaKey) == null) {
                    break;
                }
                long va = keys.value(vaKey, XenvirtKeys::parseVa);
                GuestPool pool = get(keys, i, va, keys.region(grefKey));
                pool.retain();
                pools.add(pool);
            }
            if (pools.isEmpty()) {
                throw new PortException(
                        RejectReason.POOL_MISSING,
                        keys.path(XenvirtKeys.mempoolGref(0)) + ": the guest has no mempool");
            }
            return pools;
        } catch (RuntimeException e) {
            release(pools);
            throw e;
        }
    }

    private GuestPool get(GuestKeys keys, int number, long va, int[] grefs) {
        String key = XenvirtKeys.mempoolGref(number);
        int pages = 0;
        for (GuestPool pool : mapped) {
            if (pool.is(va, grefs)) {
                return pool;
            }
            pages += pool.pages();
        }
        if (grefs.length > maxPages - pages) {
            throw new PortException(
                    RejectReason.TOO_MANY_PAGES,
                    keys.path(key)
                            + ": "
                            + grefs.length
                            + " pages and "
                            + pages
                            + " mapped already are more than the "
                            + maxPages
                            + " that one guest may have");
        }
        String where = keys.path(XenvirtKeys.mempoolVa(number));
        GuestPool pool = new GuestPool(where, va, grefs, keys.map(key, grefs, true));
        mapped.add(pool);
        return pool;
    }

    /** The memory that these pools are. */
    static GuestMemory memory(List<GuestPool> pools) {
        List<GuestRange> ranges = new ArrayList<>();
        try {
            for (GuestPool pool : pools) {
                ranges.add(pool.range());
            }
        } catch (IllegalArgumentException e) {
            throw new PortException(RejectReason.POOL_WRAP, e.getMessage(), e);
        }
        try {
            return GuestMemory.of(ranges);
        } catch (IllegalArgumentException e) {
            throw new PortException(RejectReason.POOL_OVERLAP, e.getMessage(), e);
        }
    }

    /** Gives up what {@link #acquire} returned; unmaps pools that no device uses any more. */
    void release(List<GuestPool> pools) {
        for (GuestPool pool : pools) {
            if (pool.release()) {
                mapped.remove(pool);
            }
        }
    }
}
