package io.grantwire.vfio;

import java.lang.foreign.MemorySegment;

/** Memory at physical or machine addresses. */
final class PhysicalMapping implements DmaMapping {
    private final MemorySegment segment;
    private final int runShift;
    private final long[] runs;
    private Runnable free;

    /**
     * @param free what gives the memory back
     */
    PhysicalMapping(MemorySegment segment, int runShift, long[] runs, Runnable free) {
        this.segment = segment;
        this.runShift = runShift;
        this.runs = runs;
        this.free = free;
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
        Runnable last;
        synchronized (this) {
            last = free;
            free = null;
        }
        if (last != null) {
            last.run();
        }
    }
}
