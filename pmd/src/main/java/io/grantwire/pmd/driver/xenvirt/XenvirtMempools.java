package io.grantwire.pmd.driver.xenvirt;

import io.grantwire.gntalloc.GrantSharer;
import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.ethdev.EthDeviceException;
import io.grantwire.pmd.mbuf.MemorySource;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import io.grantwire.pmd.xenvirt.IndexPage;
import io.grantwire.pmd.xenvirt.XenvirtKeys;
import java.lang.foreign.MemorySegment;

/**
 * Mempools that the back end can reach: their memory is granted to domain 0, and two keys say where
 * it is. A device receives into such a pool, and sends from it without a copy.
 *
 * <p>Make a pool before the devices that use it are started: an original back end reads the pools
 * once, when the guest's first device starts. Ours reads them again for every device.
 */
public final class XenvirtMempools {
    /** The most pages a pool can have: what 64 index pages list, less the size that fills them. */
    public static final int MAX_PAGES = XenvirtKeys.MAX_REGION_PAGES - 1;

    private XenvirtMempools() {}

    /**
     * Makes a pool in granted memory.
     *
     * @param domain the guest; stays the caller's and must outlive the pool
     * @param name for people and messages
     * @param count how many mbufs
     * @param dataRoom bytes of an mbuf after the headroom, {@link Mempool#DEFAULT_DATA_ROOM}
     *     usually
     * @param cacheSize mbufs kept per lcore
     * @throws EthDeviceException when the guest may not write its keys, or the pool is too large
     * @throws io.grantwire.bindings.NativeException when there are not enough grants; the message
     *     names the limit
     */
    public static Mempool create(
            Domain domain, String name, int count, int dataRoom, int cacheSize) {
        return Mempool.create(new MempoolConfig(name, count, dataRoom, cacheSize, source(domain)));
    }

    /**
     * Granted memory for mempools; each allocation becomes one pool of the guest, with its number
     * and keys, until it is given back.
     */
    public static MemorySource source(Domain domain) {
        return bytes -> allocate(domain, bytes);
    }

    private static Granted allocate(Domain domain, long bytes) {
        long whole = (bytes + GrantSharer.PAGE_SIZE - 1) / GrantSharer.PAGE_SIZE;
        if (whole > MAX_PAGES) {
            throw new EthDeviceException(
                    "xenvirt: a mempool of "
                            + whole
                            + " pages cannot be granted, the most is "
                            + MAX_PAGES
                            + " (128 MiB); use fewer or smaller buffers (testpmd:"
                            + " --total-num-mbufs)");
        }
        int pages = IndexPage.avoidFullIndex((int) whole);
        XenvirtContext context = XenvirtContext.of(domain);
        int pool = context.claimPool();
        GrantedRegion region = null;
        try {
            region = GrantedRegion.share(domain.sharer(), pages);
            context.write(domain, XenvirtKeys.mempoolGref(pool), region.grefList());
            context.write(domain, XenvirtKeys.mempoolVa(pool), XenvirtKeys.formatVa(region.va()));
        } catch (RuntimeException e) {
            if (region != null) {
                context.remove(domain, XenvirtKeys.mempoolGref(pool));
                region.close();
            }
            context.releasePool(pool);
            throw e;
        }
        context.addGranted(region.va(), region.segment().byteSize());
        return new Granted(domain, context, pool, region);
    }

    private record Granted(Domain domain, XenvirtContext context, int pool, GrantedRegion region)
            implements MemorySource.BackingMemory {
        @Override
        public MemorySegment segment() {
            return region.segment();
        }

        @Override
        public void close() {
            context.removeGranted(region.va());
            context.remove(domain, XenvirtKeys.mempoolGref(pool), XenvirtKeys.mempoolVa(pool));
            region.close();
            context.releasePool(pool);
        }
    }
}
