package io.grantwire.pmd.virtio;

/**
 * Where things lie in a split virtqueue of a given size: offsets and sizes only.
 *
 * <p>Source: Virtual I/O Device (VIRTIO) specification 1.2, section 2.7 "Split Virtqueues", with
 * the legacy placement of section 2.7.2 and an alignment of 4096: the descriptor table first, the
 * available ring right behind it, the used ring on the next page boundary. All fields are little
 * endian. At the size of xenvirt's rings, 256, this gives 3 pages: descriptors at 0, avail at 4096,
 * used at 8192 (docs/protocol.md).
 *
 * <p>Immutable. Offsets are in bytes from the start of the ring's memory.
 */
public final class SplitRingLayout {
    /** Entries of a ring when nothing else was negotiated; the original's fixed size. */
    public static final int DEFAULT_SIZE = 256;

    /** Largest ring the format allows (section 2.7). */
    public static final int MAX_SIZE = 32768;

    /** Alignment of the ring and of its used part. */
    public static final int ALIGN = 4096;

    /** Bytes of one descriptor. */
    public static final int DESC_SIZE = 16;

    /** Offset of {@code u64 addr} in a descriptor. */
    public static final int DESC_ADDR = 0;

    /** Offset of {@code u32 len} in a descriptor. */
    public static final int DESC_LEN = 8;

    /** Offset of {@code u16 flags} in a descriptor. */
    public static final int DESC_FLAGS = 12;

    /** Offset of {@code u16 next} in a descriptor. */
    public static final int DESC_NEXT = 14;

    /** Descriptor flag: the chain goes on at {@code next}. */
    public static final int F_NEXT = 1;

    /** Descriptor flag: the device writes this buffer; without it the device reads it. */
    public static final int F_WRITE = 2;

    /** Descriptor flag: the buffer holds a table of descriptors. Never used by xenvirt. */
    public static final int F_INDIRECT = 4;

    /** Offset of {@code u16 flags} in the available and the used ring. */
    public static final int RING_FLAGS = 0;

    /** Offset of {@code u16 idx} in the available and the used ring. */
    public static final int RING_IDX = 2;

    /** Offset of the first entry in the available and the used ring. */
    public static final int RING_ENTRIES = 4;

    /** Bytes of one entry of the available ring, {@code u16 head}. */
    public static final int AVAIL_ENTRY_SIZE = 2;

    /** Bytes of one entry of the used ring. */
    public static final int USED_ENTRY_SIZE = 8;

    /** Offset of {@code u32 id} in an entry of the used ring. */
    public static final int USED_ID = 0;

    /** Offset of {@code u32 len} in an entry of the used ring. */
    public static final int USED_LEN = 4;

    /**
     * {@code next} of the last descriptor when the front end initialises a ring; never followed.
     */
    public static final int END_OF_LIST = 32768;

    private final int size;
    private final long usedOffset;
    private final long bytes;

    private SplitRingLayout(int size) {
        this.size = size;
        long availEnd = availEntry(0) + (long) AVAIL_ENTRY_SIZE * size + 2;
        this.usedOffset = alignUp(availEnd);
        this.bytes = alignUp(usedOffset + RING_ENTRIES + (long) USED_ENTRY_SIZE * size + 2);
    }

    /**
     * The layout of a ring.
     *
     * @param size number of descriptors, a power of two from 2 to 32768
     */
    public static SplitRingLayout of(int size) {
        if (size < 2 || size > MAX_SIZE || Integer.bitCount(size) != 1) {
            throw new IllegalArgumentException(
                    "ring size " + size + " is not a power of two from 2 to " + MAX_SIZE);
        }
        return new SplitRingLayout(size);
    }

    private static long alignUp(long n) {
        return (n + ALIGN - 1) & -ALIGN;
    }

    /** Number of descriptors, and of entries in either ring. */
    public int size() {
        return size;
    }

    /** {@code size - 1}. */
    public int mask() {
        return size - 1;
    }

    /** Bytes of the whole ring, a multiple of 4096. */
    public long bytes() {
        return bytes;
    }

    /** 4096-byte pages of the whole ring. */
    public int pages() {
        return (int) (bytes / ALIGN);
    }

    /** Offset of a descriptor; the caller has checked {@code 0 <= index < size}. */
    public static long desc(int index) {
        return (long) index << 4;
    }

    /** Offset of the available ring. */
    public long avail() {
        return (long) size << 4;
    }

    /** Offset of {@code avail.idx}. */
    public long availIdx() {
        return avail() + RING_IDX;
    }

    /** Offset of entry {@code slot} of the available ring. */
    public long availEntry(int slot) {
        return avail() + RING_ENTRIES + ((long) slot << 1);
    }

    /** Offset of {@code used_event}, which xenvirt does not use. */
    public long usedEvent() {
        return availEntry(size);
    }

    /** Offset of the used ring. */
    public long used() {
        return usedOffset;
    }

    /** Offset of {@code used.idx}. */
    public long usedIdx() {
        return usedOffset + RING_IDX;
    }

    /** Offset of entry {@code slot} of the used ring. */
    public long usedEntry(int slot) {
        return usedOffset + RING_ENTRIES + ((long) slot << 3);
    }

    /** Offset of {@code avail_event}, which xenvirt does not use. */
    public long availEvent() {
        return usedEntry(size);
    }
}
