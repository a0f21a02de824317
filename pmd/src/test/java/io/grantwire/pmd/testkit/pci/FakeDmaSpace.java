package io.grantwire.pmd.testkit.pci;

import io.grantwire.bindings.Mapping;
import io.grantwire.bindings.raw.HostMemory;
import io.grantwire.vfio.DmaMapping;
import io.grantwire.vfio.DmaSpace;
import io.grantwire.vfio.PciException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Addresses for the models of cards: an IOMMU's, or those of a machine whose pages are scattered.
 * Models read and write through it, so that an access to memory that is not mapped, or across the
 * end of a run, is a fault that tests see, as an IOMMU would report it. Accesses allocate nothing.
 */
public final class FakeDmaSpace implements DmaSpace {
    private static final int PAGE_SHIFT = 12;
    private static final int PAGE = 1 << PAGE_SHIFT;
    private static final int SLOTS = 1 << 16;
    private static final int ONE_RUN = 62;

    private final boolean scattered;
    private final boolean mapsForeign;

    /** Open addressing: bus page number plus one, 0 for free; and where that page is here. */
    private final long[] pages = new long[SLOTS];

    private final long[] hosts = new long[SLOTS];
    private long nextPage = 0x1_0000_0;
    private int mappings;
    private long faults;

    private FakeDmaSpace(boolean scattered, boolean mapsForeign) {
        this.scattered = scattered;
        this.mapsForeign = mapsForeign;
    }

    /** As behind an IOMMU: everything in one piece, any memory can be mapped. */
    public static FakeDmaSpace iommu() {
        return new FakeDmaSpace(false, true);
    }

    /** As in a paravirtualized domain 0: pages far apart, only allocated memory. */
    public static FakeDmaSpace scatteredPages() {
        return new FakeDmaSpace(true, false);
    }

    @Override
    public DmaMapping allocate(long bytes) {
        Mapping memory = Mapping.anonymous((bytes + PAGE - 1) & -PAGE);
        return new FakeMapping(memory.segment(), memory);
    }

    @Override
    public DmaMapping map(MemorySegment memory) {
        if (!mapsForeign) {
            throw new PciException("map for DMA: EINVAL (its pages may move)");
        }
        return new FakeMapping(memory, null);
    }

    @Override
    public long contiguousBytes() {
        return scattered ? PAGE : Long.MAX_VALUE;
    }

    @Override
    public String description() {
        return "a model's memory";
    }

    /** How many mappings there are. */
    public synchronized int mappings() {
        return mappings;
    }

    /** Accesses that an IOMMU would have refused. */
    public long faults() {
        return faults;
    }

    /**
     * Where a device's access goes.
     *
     * @return the host address, or 0 after a fault
     */
    public long translate(long bus, int bytes) {
        long page = bus >>> PAGE_SHIFT;
        long host = host(page);
        for (long p = page + 1; host != 0 && p <= bus + bytes - 1 >>> PAGE_SHIFT; p++) {
            if (host(p) != host + (p - page << PAGE_SHIFT)) {
                host = 0;
            }
        }
        if (host == 0) {
            faults++;
            return 0;
        }
        return host + (bus & PAGE - 1);
    }

    /** A device copies. */
    public boolean read(long bus, MemorySegment to, long at, int bytes) {
        long host = translate(bus, bytes);
        if (host != 0) {
            MemorySegment.copy(HostMemory.ALL, host, to, at, bytes);
        }
        return host != 0;
    }

    /** A device copies. */
    public boolean write(long bus, MemorySegment from, long at, int bytes) {
        long host = translate(bus, bytes);
        if (host != 0) {
            MemorySegment.copy(from, at, HostMemory.ALL, host, bytes);
        }
        return host != 0;
    }

    private long host(long page) {
        for (int slot = hash(page); pages[slot] != 0; slot = slot + 1 & SLOTS - 1) {
            if (pages[slot] == page + 1) {
                return hosts[slot];
            }
        }
        return 0;
    }

    private static int hash(long page) {
        return (int) (page * 0x9E37_79B9_7F4A_7C15L >>> 48) & SLOTS - 1;
    }

    private final class FakeMapping implements DmaMapping {
        private final MemorySegment segment;
        private final Mapping own;
        private final long[] runs;
        private boolean open = true;

        FakeMapping(MemorySegment segment, Mapping own) {
            this.segment = segment;
            this.own = own;
            synchronized (FakeDmaSpace.this) {
                int count = (int) (segment.byteSize() + PAGE - 1 >>> PAGE_SHIFT);
                runs = new long[scattered ? count : 1];
                for (int i = 0; i < count; i++) {
                    if (i < runs.length) {
                        // Apart, so that no two runs follow each other.
                        nextPage += 2;
                        runs[i] = nextPage << PAGE_SHIFT;
                    } else {
                        nextPage++;
                    }
                    put(nextPage, segment.address() + ((long) i << PAGE_SHIFT));
                }
                mappings++;
            }
        }

        private void put(long page, long host) {
            int slot = hash(page);
            while (pages[slot] != 0) {
                slot = slot + 1 & SLOTS - 1;
            }
            pages[slot] = page + 1;
            hosts[slot] = host;
        }

        @Override
        public MemorySegment segment() {
            return segment;
        }

        @Override
        public int runShift() {
            return scattered ? PAGE_SHIFT : ONE_RUN;
        }

        @Override
        public long[] runs() {
            return runs;
        }

        @Override
        public void close() {
            synchronized (FakeDmaSpace.this) {
                if (!open) {
                    return;
                }
                open = false;
                mappings--;
                rebuildWithout(segment.address(), segment.byteSize());
            }
            if (own != null) {
                own.close();
            }
        }
    }

    private void rebuildWithout(long from, long bytes) {
        long[] oldPages = pages.clone();
        long[] oldHosts = hosts.clone();
        Arrays.fill(pages, 0);
        for (int i = 0; i < SLOTS; i++) {
            if (oldPages[i] != 0 && (oldHosts[i] < from || oldHosts[i] >= from + bytes)) {
                int slot = hash(oldPages[i] - 1);
                while (pages[slot] != 0) {
                    slot = slot + 1 & SLOTS - 1;
                }
                pages[slot] = oldPages[i];
                hosts[slot] = oldHosts[i];
            }
        }
    }
}
