package io.grantwire.vfio;

import java.lang.foreign.MemorySegment;

/**
 * Memory that devices of one {@link DmaSpace} can reach. It is made of runs of {@code 1 <<
 * runShift} bytes, counted from the segment's start; within a run, addresses stay together.
 */
public interface DmaMapping extends AutoCloseable {
    /** The memory as this process sees it; page aligned. */
    MemorySegment segment();

    /** log2 of a run's bytes; 62 when all is one run. */
    int runShift();

    /** For each run, the address at which devices see its first byte; not to be changed. */
    long[] runs();

    /**
     * The address at which devices see a byte; for the control path. The packet path does the same
     * with {@link #runs} in a local.
     *
     * @param offset bytes from the segment's start
     */
    default long busAddress(long offset) {
        long within = offset & (1L << runShift()) - 1;
        return runs()[(int) (offset >>> runShift())] + within;
    }

    /**
     * Ends the devices' access, and frees the memory if {@link DmaSpace#allocate} made it. No
     * device, no thread may use it any more. A second call does nothing.
     */
    @Override
    void close();
}
