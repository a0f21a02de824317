package io.grantwire.vfio;

import io.grantwire.bindings.HugePages;
import io.grantwire.bindings.Mapping;
import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.PinnedPages;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The addresses of devices that no IOMMU translates: physical ones, for which memory is taken from
 * huge pages; or machine addresses in a paravirtualized domain 0 of Xen, where frames lie together
 * by chance only and huge pages do not exist.
 */
final class PhysicalDmaSpace implements DmaSpace {
    private static final Logger LOG = LoggerFactory.getLogger(PhysicalDmaSpace.class);
    private static PhysicalDmaSpace host;

    private final FrameTable frames;
    private final long run;
    private final HugePageHeap heap;
    private boolean warned;

    /**
     * @param frames tells where pages are
     * @param huge bytes of a huge page; 0 to use single pages
     */
    PhysicalDmaSpace(FrameTable frames, long huge) {
        this.frames = frames;
        this.run = huge == 0 ? Mapping.pageSize() : huge;
        this.heap = huge == 0 ? null : new HugePageHeap(huge, Mapping::hugePages);
    }

    /**
     * This machine's.
     *
     * @throws PciException when addresses cannot be found out, or there are no huge pages
     */
    static synchronized PhysicalDmaSpace host() {
        if (host == null) {
            PageMap pageMap = PageMap.open();
            if (XenFrames.isParavirtualized(Path.of("/sys"))) {
                host = new PhysicalDmaSpace(XenFrames.open(pageMap), 0);
            } else if (HugePages.defaultSize() == 0) {
                throw new PciException(
                        "DMA memory: ENOTSUP (without an IOMMU it has to be in huge pages, and this"
                                + " kernel has none)");
            } else {
                host = new PhysicalDmaSpace(pageMap, HugePages.defaultSize());
            }
        }
        return host;
    }

    @Override
    public DmaMapping allocate(long bytes) {
        if (bytes <= 0) {
            throw new IllegalArgumentException("cannot allocate " + bytes + " bytes");
        }
        long page = Mapping.pageSize();
        long rounded = Math.addExact(bytes, page - 1) & -page;
        try {
            return heap == null ? pages(rounded) : heap.allocate(rounded, this::found);
        } catch (NativeException e) {
            throw new PciException("DMA memory: " + e.getMessage(), e);
        }
    }

    private Runs found(MemorySegment memory) {
        return Runs.of(memory, frames, run);
    }

    private DmaMapping pages(long bytes) {
        Mapping memory = Mapping.anonymous(bytes);
        PinnedPages pin = null;
        try {
            memory.excludeFromForks();
            memory.lock();
            pin = pinIfPossible(memory.segment());
            Runs runs = Runs.of(memory.segment(), frames, run);
            PinnedPages held = pin;
            return new PhysicalMapping(
                    memory.segment(),
                    runs.shift(),
                    runs.addresses(),
                    () -> {
                        if (held != null) {
                            held.close();
                        }
                        memory.close();
                    });
        } catch (RuntimeException e) {
            if (pin != null) {
                pin.close();
            }
            memory.close();
            throw e;
        }
    }

    private PinnedPages pinIfPossible(MemorySegment memory) {
        try {
            return PinnedPages.pin(memory);
        } catch (NativeException e) {
            if (!warned) {
                warned = true;
                LOG.warn(
                        "DMA memory is locked, but the kernel may move it: {}; forbid that with:"
                                + " sysctl vm.compact_unevictable_allowed=0",
                        e.getMessage());
            }
            return null;
        }
    }

    @Override
    public DmaMapping map(MemorySegment memory) {
        DmaMemory.checkWholePages(memory);
        PinnedPages pin;
        try {
            pin = PinnedPages.pin(memory);
        } catch (NativeException e) {
            throw new PciException("DMA memory: its pages may move: " + e.getMessage(), e);
        }
        try {
            Runs runs = Runs.of(memory, frames, Long.highestOneBit(memory.byteSize()));
            return new PhysicalMapping(memory, runs.shift(), runs.addresses(), pin::close);
        } catch (RuntimeException e) {
            pin.close();
            throw e;
        }
    }

    @Override
    public long contiguousBytes() {
        return run;
    }

    @Override
    public String description() {
        return frames.description();
    }
}
