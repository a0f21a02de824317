package io.grantwire.vfio;

import io.grantwire.bindings.gen.uapi.vfio_info_cap_header;
import java.lang.foreign.MemorySegment;
import java.util.OptionalLong;

/**
 * The capabilities behind a VFIO information structure: each begins with a header that has the
 * offset of the next, counted from the structure's start, 0 in the last (linux/vfio.h, struct
 * vfio_info_cap_header).
 */
final class CapabilityChain {
    private static final long HEADER = vfio_info_cap_header.sizeof();

    private CapabilityChain() {}

    /**
     * Finds a capability.
     *
     * @param info the whole structure, as long as the kernel filled it
     * @param first the first one's offset; 0 when there is none
     * @param bytes how long the capability must be at least
     * @return its offset; empty when it is not there, does not fit, or the chain leads nowhere
     */
    static OptionalLong find(MemorySegment info, int first, int id, long bytes) {
        long at = Integer.toUnsignedLong(first);
        // No more steps than there is room for: a chain may lead back.
        for (long hops = info.byteSize() / HEADER; at != 0 && hops > 0; hops--) {
            if (at % Integer.BYTES != 0 || at > info.byteSize() - HEADER) {
                return OptionalLong.empty();
            }
            MemorySegment header = info.asSlice(at, HEADER);
            if (Short.toUnsignedInt(vfio_info_cap_header.id(header)) == id) {
                return at <= info.byteSize() - bytes ? OptionalLong.of(at) : OptionalLong.empty();
            }
            at = Integer.toUnsignedLong(vfio_info_cap_header.next(header));
        }
        return OptionalLong.empty();
    }
}
