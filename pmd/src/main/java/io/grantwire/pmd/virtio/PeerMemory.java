package io.grantwire.pmd.virtio;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Reads of little-endian values in memory that a peer may change at any moment. Each call is
 * exactly one load (opaque), so that the value checked is the value used: a plain load could be
 * repeated by the compiler after the check (XSA-155).
 *
 * <p>Offsets must be naturally aligned. No call allocates, nor orders anything.
 */
public final class PeerMemory {
    private static final VarHandle U8 = ValueLayout.JAVA_BYTE.varHandle();
    private static final VarHandle U16 =
            ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
    private static final VarHandle U32 =
            ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
    private static final VarHandle U64 =
            ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

    private PeerMemory() {}

    /** Reads a byte, 0 to 255. */
    public static int readU8(MemorySegment memory, long offset) {
        return (byte) U8.getOpaque(memory, offset) & 0xff;
    }

    /** Reads a 16-bit value, 0 to 65535. */
    public static int readU16(MemorySegment memory, long offset) {
        return (short) U16.getOpaque(memory, offset) & 0xffff;
    }

    /** Reads a 32-bit value; compare as unsigned, or range-check before use. */
    public static int read32(MemorySegment memory, long offset) {
        return (int) U32.getOpaque(memory, offset);
    }

    /** Reads a 64-bit value. */
    public static long read64(MemorySegment memory, long offset) {
        return (long) U64.getOpaque(memory, offset);
    }

    /** Reads a byte that the peer wrote with {@link #writeReleaseU8}, and what it wrote before. */
    public static int readAcquireU8(MemorySegment memory, long offset) {
        return (byte) U8.getAcquire(memory, offset) & 0xff;
    }

    /** Writes a byte after everything written before, for {@link #readAcquireU8}. */
    public static void writeReleaseU8(MemorySegment memory, long offset, int value) {
        U8.setRelease(memory, offset, (byte) value);
    }
}
