package io.grantwire.pmd.testkit.pci;

import io.grantwire.bindings.Mapping;
import io.grantwire.vfio.DmaMapping;
import io.grantwire.vfio.DmaSpace;
import io.grantwire.vfio.PciException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * An IOMMU for tests: devices see memory in runs at addresses that have nothing to do with the
 * process's, neighbouring runs far from each other. What is out of every mapping is a fault.
 *
 * <p>{@link #reach} allocates nothing.
 */
public final class TestDmaSpace implements DmaSpace {
    private static final long FIRST = 0x7_0000_0000L;
    private static final int WHOLE = 62;

    private final long contiguous;
    private final int runShift;
    private final List<Mapped> live = new ArrayList<>();
    private long nextBus = FIRST;
    private boolean mapsOthers = true;

    /** What {@link #reach} has found. */
    private MemorySegment found;

    private long foundOffset;

    /** One run for each piece of memory, as behind an IOMMU. */
    public TestDmaSpace() {
        this(Long.MAX_VALUE);
    }

    /**
     * @param contiguous bytes of a run, a power of two
     */
    public TestDmaSpace(long contiguous) {
        this.contiguous = contiguous;
        this.runShift =
                contiguous == Long.MAX_VALUE ? WHOLE : Long.numberOfTrailingZeros(contiguous);
    }

    private final class Mapped implements DmaMapping {
        private final MemorySegment segment;
        private final Mapping own;
        private final long[] runs;

        Mapped(MemorySegment segment, Mapping own) {
            this.segment = segment;
            this.own = own;
            int count = runShift == WHOLE ? 1 : (int) ((segment.byteSize() - 1 >>> runShift) + 1);
            runs = new long[count];
            long gap = runShift == WHOLE ? segment.byteSize() + 0x10000 : contiguous * 3;
            // Downwards, so that the next run is never where a driver that forgets runs looks.
            for (int i = count - 1; i >= 0; i--) {
                runs[i] = nextBus;
                nextBus += gap + 0xfff & ~0xfffL;
            }
        }

        @Override
        public MemorySegment segment() {
            return segment;
        }

        @Override
        public int runShift() {
            return runShift;
        }

        @Override
        public long[] runs() {
            return runs;
        }

        @Override
        public void close() {
            synchronized (TestDmaSpace.this) {
                if (live.remove(this) && own != null) {
                    own.close();
                }
            }
        }
    }

    @Override
    public synchronized DmaMapping allocate(long bytes) {
        Mapping memory = Mapping.anonymous(bytes + 0xfff & ~0xfffL);
        return add(new Mapped(memory.segment(), memory));
    }

    @Override
    public synchronized DmaMapping map(MemorySegment memory) {
        if (!mapsOthers) {
            throw new PciException("test: EPERM (only memory from here)");
        }
        return add(new Mapped(memory, null));
    }

    private Mapped add(Mapped mapped) {
        live.add(mapped);
        return mapped;
    }

    /** From now on takes no memory of others, as UIO without huge pages. */
    public void refuseOthers() {
        mapsOthers = false;
    }

    @Override
    public long contiguousBytes() {
        return contiguous;
    }

    @Override
    public String description() {
        return "a test's IOMMU";
    }

    /** Mappings that are not closed. */
    public synchronized int live() {
        return live.size();
    }

    /** Looks for bytes as a device does; false when they are not all in one run of a mapping. */
    public synchronized boolean reach(long bus, int length) {
        for (int m = 0; m < live.size(); m++) {
            Mapped mapped = live.get(m);
            long[] runs = mapped.runs;
            for (int i = 0; i < runs.length; i++) {
                long at = bus - runs[i];
                long start = (long) i << runShift;
                if (at >= 0
                        && at + length <= contiguous
                        && start + at + length <= mapped.segment.byteSize()) {
                    found = mapped.segment;
                    foundOffset = start + at;
                    return true;
                }
            }
        }
        return false;
    }

    /** The memory that {@link #reach} has found. */
    public MemorySegment found() {
        return found;
    }

    /** Where in it. */
    public long foundOffset() {
        return foundOffset;
    }
}
