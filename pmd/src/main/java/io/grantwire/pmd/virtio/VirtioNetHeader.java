package io.grantwire.pmd.virtio;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The {@code virtio_net_hdr} in front of each frame: 10 bytes, or 12 with {@code num_buffers}.
 * Static accessors over (segment, offset of the header); headers need no alignment.
 *
 * <p>Source: VIRTIO 1.2 section 5.1.6. xenvirt has the legacy form of 10 bytes, and uses no
 * offload: all fields are zero.
 */
public final class VirtioNetHeader {
    /** Bytes of the header. */
    public static final int SIZE = 10;

    /** Bytes of the modern header, and of the legacy one with mergeable buffers. */
    public static final int MERGEABLE_SIZE = 12;

    /** Offset of {@code u8 flags}. */
    public static final int FLAGS = 0;

    /** Offset of {@code u8 gso_type}. */
    public static final int GSO_TYPE = 1;

    /** Offset of {@code u16 hdr_len}. */
    public static final int HDR_LEN = 2;

    /** Offset of {@code u16 gso_size}. */
    public static final int GSO_SIZE = 4;

    /** Offset of {@code u16 csum_start}. */
    public static final int CSUM_START = 6;

    /** Offset of {@code u16 csum_offset}. */
    public static final int CSUM_OFFSET = 8;

    /** Offset of {@code u16 num_buffers} in a header of {@link #MERGEABLE_SIZE}. */
    public static final int NUM_BUFFERS = 10;

    private static final ValueLayout.OfLong U64 =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort U16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private VirtioNetHeader() {}

    /** Writes the header of a frame without offloads: ten zero bytes. */
    public static void clear(MemorySegment segment, long offset) {
        segment.set(U64, offset, 0L);
        segment.set(U16, offset + CSUM_OFFSET, (short) 0);
    }

    /** Whether the header asks for no offload. */
    public static boolean isClear(MemorySegment segment, long offset) {
        return segment.get(U64, offset) == 0 && segment.get(U16, offset + CSUM_OFFSET) == 0;
    }

    /** {@code flags}. */
    public static int flags(MemorySegment segment, long offset) {
        return segment.get(ValueLayout.JAVA_BYTE, offset + FLAGS) & 0xff;
    }

    /** {@code gso_type}. */
    public static int gsoType(MemorySegment segment, long offset) {
        return segment.get(ValueLayout.JAVA_BYTE, offset + GSO_TYPE) & 0xff;
    }

    /** A 16-bit field: {@link #HDR_LEN}, {@link #GSO_SIZE}, {@link #CSUM_START} or the last one. */
    public static int field(MemorySegment segment, long offset, int field) {
        return segment.get(U16, offset + field) & 0xffff;
    }
}
