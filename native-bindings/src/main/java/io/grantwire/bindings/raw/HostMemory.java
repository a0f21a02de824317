package io.grantwire.bindings.raw;

import java.lang.foreign.MemorySegment;

/**
 * All memory of this process as one segment, addressed by absolute addresses.
 *
 * <p>Nothing is checked: a wrong address ends the JVM. It exists for one reason. A loop that
 * touches another segment for every packet pays for the class, the liveness and the bounds of each,
 * which C2 cannot hoist; with a constant segment these fold away (docs/switch.md, "Why the ring
 * package works with addresses"). So it is for the two or three innermost loops that have checked
 * address and length themselves just before, and this package is exported to their modules only.
 */
public final class HostMemory {
    /** Every address there is. */
    public static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private HostMemory() {}
}
