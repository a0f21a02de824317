package io.grantwire.vswitch.ring;

import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * A linear piece of a guest's address space and where it is mapped here: one mempool.
 *
 * @param name what to call it in messages, for instance its xenstore key
 * @param address of its first byte in the guest, unsigned
 * @param segment its memory in this process; as long as the range
 */
public record GuestRange(String name, long address, MemorySegment segment) {
    /** Checks that the range is not empty and does not wrap around the address space. */
    public GuestRange {
        Objects.requireNonNull(name);
        long size = segment.byteSize();
        if (size == 0 || size > GuestMemory.MAX_RANGE_BYTES) {
            throw new IllegalArgumentException(
                    name + ": a range of " + size + " bytes is not usable");
        }
        // CVE-2020-10722: address + size must not wrap. The last byte may be the very last one.
        if (Long.compareUnsigned(address + (size - 1), address) < 0) {
            throw new IllegalArgumentException(
                    name
                            + ": 0x"
                            + Long.toHexString(address)
                            + " + "
                            + size
                            + " bytes wraps around the address space");
        }
    }

    /** Address of the last byte, unsigned. */
    public long last() {
        return address + (segment.byteSize() - 1);
    }

    /** Whether the two have an address in common. */
    public boolean overlaps(GuestRange other) {
        return Long.compareUnsigned(address, other.last()) <= 0
                && Long.compareUnsigned(other.address, last()) <= 0;
    }
}
