package io.grantwire.vswitch.ring;

import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The memory of a guest that its descriptors may point into: up to {@link #MAX_RANGES} pools, each
 * a linear range of guest addresses. This is the only way from a guest's address to memory here,
 * and every step of it has a length (CVE-2018-1059).
 *
 * <p>Immutable; any thread. The mappings belong to whoever made them, who unmaps them only after
 * every poller has let go.
 */
public final class GuestMemory {
    /** Most ranges of one guest. */
    public static final int MAX_RANGES = 16;

    /** Largest range; far more than a pool can be. */
    public static final long MAX_RANGE_BYTES = 1L << 40;

    private static final int RANGE_SHIFT = 48;
    private static final long OFFSET_MASK = (1L << RANGE_SHIFT) - 1;

    private final long[] addresses;
    private final long[] sizes;
    private final long[] hosts;
    private final MemorySegment[] segments;

    private GuestMemory(List<GuestRange> ranges) {
        int n = ranges.size();
        addresses = new long[n];
        sizes = new long[n];
        hosts = new long[n];
        segments = new MemorySegment[n];
        for (int i = 0; i < n; i++) {
            GuestRange range = ranges.get(i);
            addresses[i] = range.address();
            sizes[i] = range.segment().byteSize();
            hosts[i] = range.segment().address();
            segments[i] = range.segment();
        }
    }

    /**
     * A guest's memory.
     *
     * @throws IllegalArgumentException when there is no range, too many, or two overlap; the
     *     message names them
     */
    public static GuestMemory of(List<GuestRange> ranges) {
        if (ranges.isEmpty() || ranges.size() > MAX_RANGES) {
            throw new IllegalArgumentException(ranges.size() + " mempools, not 1 to " + MAX_RANGES);
        }
        for (int i = 0; i < ranges.size(); i++) {
            for (int j = 0; j < i; j++) {
                if (ranges.get(i).overlaps(ranges.get(j))) {
                    throw new IllegalArgumentException(
                            ranges.get(j).name() + " and " + ranges.get(i).name() + " overlap");
                }
            }
        }
        return new GuestMemory(ranges);
    }

    /** Number of ranges. */
    public int ranges() {
        return segments.length;
    }

    /** Where a range is mapped. */
    public MemorySegment segment(int range) {
        return segments[range];
    }

    /** First guest address of a range. */
    long address(int range) {
        return addresses[range];
    }

    /** Where a range begins in this process; see {@link DeviceRing} on such addresses. */
    long host(int range) {
        return hosts[range];
    }

    /** Bytes of a range. */
    long size(int range) {
        return sizes[range];
    }

    /**
     * Finds a buffer. No allocation, no exception.
     *
     * @param address in the guest, unsigned
     * @param length in bytes, 0 to 2^32 - 1; a range's end is exclusive, so a buffer may end
     *     exactly there
     * @return the place, for {@link #rangeOf} and {@link #offsetOf}; or negative, for {@link
     *     RejectReason#decode}, when the whole buffer is not inside one range
     */
    public long translate(long address, long length) {
        boolean begins = false;
        for (int i = 0; i < sizes.length; i++) {
            long offset = address - addresses[i];
            if (fits(offset, length, sizes[i])) {
                return place(i, offset);
            }
            begins |= Long.compareUnsigned(offset, sizes[i]) < 0;
        }
        return RejectReason.encode(
                begins ? RejectReason.ADDRESS_OVERRUN : RejectReason.ADDRESS_UNKNOWN);
    }

    /**
     * Whether {@code length} bytes from {@code offset} on lie inside a range of {@code size} bytes.
     * Nothing can overflow: an address below the range gives an offset that is negative or larger
     * than any range, and {@code length} is at most 2^32 - 1.
     */
    static boolean fits(long offset, long length, long size) {
        return offset >= 0 && offset <= size - length;
    }

    /** A place as a number that is not negative. */
    static long place(int range, long offset) {
        return (long) range << RANGE_SHIFT | offset;
    }

    /** The range of a translated place. */
    public static int rangeOf(long place) {
        return (int) (place >>> RANGE_SHIFT);
    }

    /** The offset of a translated place in its range's segment. */
    public static long offsetOf(long place) {
        return place & OFFSET_MASK;
    }
}
