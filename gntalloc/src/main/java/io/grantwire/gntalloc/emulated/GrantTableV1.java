package io.grantwire.gntalloc.emulated;

import io.grantwire.bindings.gen.xen.Xen;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * A grant table in Xen's version 1 layout (xen/include/public/grant_table.h): 8-byte entries {flags
 * u16, domid u16, frame u32}. Offsets and accesses only; flags and domid are handled as the one
 * 32-bit word that the hypervisor compares and exchanges (flags in the low half: little-endian
 * hosts).
 *
 * <p>The granting process and the hypervisor share it, so every access is ordered or atomic.
 */
final class GrantTableV1 {
    /** Bytes of an entry. */
    static final int ENTRY_SIZE = 8;

    /** References below this one belong to the toolstack (console, xenstore). */
    static final int FIRST_USABLE = 8;

    /** Type of access, in the word's low bits. */
    static final int TYPE_MASK = Xen.GTF_type_mask();

    static final int PERMIT_ACCESS = Xen.GTF_permit_access();
    static final int READONLY = Xen.GTF_readonly();

    /** Set by the hypervisor while the page is mapped, and while it is mapped for writing. */
    static final int READING = Xen.GTF_reading();

    static final int WRITING = Xen.GTF_writing();

    private static final long FRAME = 4;
    private static final VarHandle U32 = ValueLayout.JAVA_INT.varHandle();

    private GrantTableV1() {}

    /** Where the entry of reference {@code ref} of this table begins. */
    static long offset(int ref) {
        return (long) ref * ENTRY_SIZE;
    }

    static int domid(int word) {
        return word >>> 16;
    }

    static int word(int flags, int domid) {
        return domid << 16 | flags & 0xFFFF;
    }

    /** Reads flags and domid together, once. Pairs with the release in {@link #publish}. */
    static int readWord(MemorySegment table, int ref) {
        return (int) U32.getAcquire(table, offset(ref));
    }

    /** Reads the frame number, once. */
    static int readFrame(MemorySegment table, int ref) {
        return (int) U32.getOpaque(table, offset(ref) + FRAME);
    }

    /** Replaces flags and domid if nobody changed them in between. */
    static boolean compareAndSetWord(MemorySegment table, int ref, int expected, int update) {
        return U32.compareAndSet(table, offset(ref), expected, update);
    }

    /** Clears flags and leaves everything else alone. */
    static void clearFlags(MemorySegment table, int ref, int flags) {
        int ignored = (int) U32.getAndBitwiseAnd(table, offset(ref), ~flags);
    }

    /** Makes a grant valid: the frame first, then the word that the hypervisor looks at. */
    static void publish(MemorySegment table, int ref, int domid, int frame, boolean writable) {
        U32.setOpaque(table, offset(ref) + FRAME, frame);
        int flags = PERMIT_ACCESS | (writable ? 0 : READONLY);
        U32.setRelease(table, offset(ref), word(flags, domid));
    }

    /**
     * Takes the permission away. The hypervisor's own bits stay until the peer has unmapped.
     *
     * @return whether the entry is quiet, so that it may be used again
     */
    static boolean revoke(MemorySegment table, int ref) {
        int old = (int) U32.getAndBitwiseAnd(table, offset(ref), READING | WRITING);
        return (old & (READING | WRITING)) == 0;
    }

    /** Whether the peer still has the page mapped. */
    static boolean inUse(MemorySegment table, int ref) {
        return (readWord(table, ref) & (READING | WRITING)) != 0;
    }
}
