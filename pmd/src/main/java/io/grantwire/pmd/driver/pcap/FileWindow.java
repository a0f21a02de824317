package io.grantwire.pmd.driver.pcap;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;

/**
 * A bounded window on a file that is read from front to back: a buffer that holds the longest
 * record, filled in pieces that stay in the cache. The file is not mapped, so another process that
 * cuts it short causes an end of file and not a crash.
 *
 * <p>One thread at a time. Allocates nothing after it was made.
 */
final class FileWindow {
    /** Bytes that can be looked at together. */
    static final int CAPACITY = 512 << 10;

    /** Bytes read at a time. */
    private static final int PIECE = 64 << 10;

    private static final ValueLayout.OfInt LE32 =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort LE16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final FileChannel channel;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(CAPACITY);
    private final MemorySegment segment = MemorySegment.ofBuffer(buffer);
    private boolean bigEndian;

    /** The window shows bytes {@code pos} to {@code end} of the buffer. */
    private int pos;

    private int end;

    /** Offset in the file of the buffer's first byte. */
    private long base;

    private IOException failure;

    FileWindow(FileChannel channel) {
        this.channel = channel;
    }

    void setBigEndian(boolean big) {
        bigEndian = big;
    }

    /** The memory that {@link #at} speaks of. */
    MemorySegment segment() {
        return segment;
    }

    /** Where the window's byte {@code i} is in {@link #segment}. */
    long at(int i) {
        return pos + (long) i;
    }

    /** Offset in the file of the window's first byte. */
    long offset() {
        return base + pos;
    }

    /** What reading failed with, or null. */
    IOException failure() {
        return failure;
    }

    /** How many bytes the window shows. */
    int available() {
        return end - pos;
    }

    int u32(int i) {
        int v = segment.get(LE32, pos + (long) i);
        return bigEndian ? Integer.reverseBytes(v) : v;
    }

    int u16(int i) {
        short v = segment.get(LE16, pos + (long) i);
        return (bigEndian ? Short.reverseBytes(v) : v) & 0xFFFF;
    }

    long u64(int i) {
        long first = u32(i) & 0xFFFF_FFFFL;
        long second = u32(i + 4) & 0xFFFF_FFFFL;
        return bigEndian ? first << 32 | second : second << 32 | first;
    }

    int u8(int i) {
        return segment.get(ValueLayout.JAVA_BYTE, pos + (long) i) & 0xFF;
    }

    /**
     * Makes the window show at least {@code n} bytes, at most {@link #CAPACITY}.
     *
     * @return false when the file has fewer, or cannot be read
     */
    boolean ensure(int n) {
        return end - pos >= n || fill(n);
    }

    private boolean fill(int n) {
        int have = end - pos;
        if (pos > 0) {
            MemorySegment.copy(segment, pos, segment, 0, have);
            base += pos;
            pos = 0;
            end = have;
        }
        try {
            while (end < n) {
                buffer.limit(Math.min(CAPACITY, Math.max(n, end + PIECE))).position(end);
                int got = channel.read(buffer);
                if (got < 0) {
                    return false;
                }
                end += got;
            }
            return true;
        } catch (IOException e) {
            failure = e;
            return false;
        }
    }

    /** Moves the window's start forward by {@code n} bytes that it shows. */
    void advance(int n) {
        pos += n;
    }

    /**
     * Moves the window's start forward by any number of bytes.
     *
     * @return false when the file ends before
     */
    boolean skip(long n) {
        long left = n;
        while (left > 0) {
            int step = (int) Math.min(left, PIECE);
            if (!ensure(step)) {
                return false;
            }
            pos += step;
            left -= step;
        }
        return true;
    }

    /**
     * Goes back to the file's beginning.
     *
     * @return false when the file cannot do that
     */
    boolean rewind() {
        try {
            channel.position(0);
        } catch (IOException e) {
            failure = e;
            return false;
        }
        pos = 0;
        end = 0;
        base = 0;
        return true;
    }
}
