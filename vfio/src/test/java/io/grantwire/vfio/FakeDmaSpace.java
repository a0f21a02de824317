package io.grantwire.vfio;

import io.grantwire.bindings.Mapping;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * A DMA space without a machine, for tests of drivers: a model of a device reaches memory with
 * {@link #at}, and only what is mapped. Where runs are shorter than the memory, they lie at
 * addresses in reverse order, so that a driver that takes them for one piece fails.
 */
public final class FakeDmaSpace implements DmaSpace {
    private static final long FIRST = 0x1_0000_0000L;
    private static final int ONE_RUN = 62;

    private final int runShift;
    private final List<Piece> pieces = new ArrayList<>();
    private long next = FIRST;

    /** Memory in one run, as behind an IOMMU. */
    public FakeDmaSpace() {
        this(ONE_RUN);
    }

    /**
     * Memory in runs.
     *
     * @param runShift log2 of a run's bytes, at least a page's; 62 for one run
     */
    public FakeDmaSpace(int runShift) {
        this.runShift = runShift;
    }

    private final class Piece implements DmaMapping {
        private final MemorySegment segment;
        private final Mapping owned;
        private final long[] runs;

        Piece(MemorySegment segment, Mapping owned) {
            this.segment = segment;
            this.owned = owned;
            long page = Mapping.pageSize();
            if (runShift == ONE_RUN) {
                runs = new long[] {next};
                next += segment.byteSize() + page;
            } else {
                long run = 1L << runShift;
                runs = new long[(int) ((segment.byteSize() + run - 1) / run)];
                next = (next + run - 1 & -run) + run * (runs.length + 1L);
                for (int i = 0; i < runs.length; i++) {
                    runs[i] = next - run * (i + 2L);
                }
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

        /** The bytes from an address on, within one run; null when they are not here. */
        MemorySegment find(long address, long bytes) {
            long run = runShift == ONE_RUN ? segment.byteSize() : 1L << runShift;
            for (int i = 0; i < runs.length; i++) {
                long within = address - runs[i];
                if (within >= 0 && within + bytes <= Math.min(run, segment.byteSize() - i * run)) {
                    return segment.asSlice(i * run + within, bytes);
                }
            }
            return null;
        }

        @Override
        public void close() {
            synchronized (FakeDmaSpace.this) {
                if (pieces.remove(this) && owned != null) {
                    owned.close();
                }
            }
        }
    }

    @Override
    public synchronized DmaMapping allocate(long bytes) {
        if (bytes <= 0) {
            throw new IllegalArgumentException("cannot allocate " + bytes + " bytes");
        }
        long page = Mapping.pageSize();
        Mapping memory = Mapping.anonymous(bytes + page - 1 & -page);
        Piece piece = new Piece(memory.segment(), memory);
        pieces.add(piece);
        return piece;
    }

    @Override
    public synchronized DmaMapping map(MemorySegment memory) {
        DmaMemory.checkWholePages(memory);
        Piece piece = new Piece(memory, null);
        pieces.add(piece);
        return piece;
    }

    /**
     * What a device finds at an address.
     *
     * @throws AssertionError when it is not mapped, as an IOMMU would report a fault
     */
    public synchronized MemorySegment at(long address, long bytes) {
        for (Piece piece : pieces) {
            MemorySegment found = piece.find(address, bytes);
            if (found != null) {
                return found;
            }
        }
        throw new AssertionError(
                "DMA fault: %d bytes at 0x%x are not mapped".formatted(bytes, address));
    }

    /** How many mappings there are: 0 when a driver has cleaned up. */
    public synchronized int mappings() {
        return pieces.size();
    }

    @Override
    public long contiguousBytes() {
        return runShift == ONE_RUN ? Long.MAX_VALUE : 1L << runShift;
    }

    @Override
    public String description() {
        return "memory of a test";
    }
}
