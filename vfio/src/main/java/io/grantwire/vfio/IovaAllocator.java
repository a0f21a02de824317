package io.grantwire.vfio;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * Gives out addresses of an IOMMU: the lowest that are free, within the ranges that the kernel
 * names. Not for several threads.
 */
final class IovaAllocator {
    /** Devices and drivers take address 0 for none: nothing is put there or near. */
    private static final long LOWEST = 1 << 20;

    private List<IovaRange> ranges = List.of();
    private final TreeMap<Long, Long> taken = new TreeMap<>();

    /**
     * Sets what may be given out; what is taken already stays so.
     *
     * @param usable in any order; parts beyond 63 bits are left out, empty and reversed ranges too
     */
    void setRanges(List<IovaRange> usable) {
        List<IovaRange> sorted = new ArrayList<>();
        for (IovaRange range : usable) {
            if (range.start() < 0) {
                continue;
            }
            long end = range.end() < 0 ? Long.MAX_VALUE : range.end();
            long start = Math.max(range.start(), LOWEST);
            if (start < end) {
                sorted.add(new IovaRange(start, end));
            }
        }
        sorted.sort(Comparator.comparingLong(IovaRange::start));
        ranges = List.copyOf(sorted);
    }

    /**
     * Takes addresses.
     *
     * @param bytes more than 0
     * @param align a power of two
     * @return the first; empty when no range has room
     */
    OptionalLong take(long bytes, long align) {
        for (IovaRange range : ranges) {
            long at = up(range.start(), align);
            while (at >= 0 && at <= range.end() && bytes - 1 <= range.end() - at) {
                Map.Entry<Long, Long> below = taken.lowerEntry(at + bytes);
                if (below == null || below.getKey() + below.getValue() <= at) {
                    taken.put(at, bytes);
                    return OptionalLong.of(at);
                }
                at = up(below.getKey() + below.getValue(), align);
            }
        }
        return OptionalLong.empty();
    }

    /** Gives back what {@link #take} returned. */
    void giveBack(long at) {
        if (taken.remove(at) == null) {
            throw new IllegalArgumentException("not taken: 0x" + Long.toHexString(at));
        }
    }

    /** Negative when there is no such address. */
    private static long up(long address, long align) {
        return address + align - 1 & -align;
    }
}
