package io.grantwire.pmd.net;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The Internet checksum (RFC 1071): the ones' complement of the ones' complement sum of 16-bit
 * words.
 *
 * <p>Sums are ints of 16 bits in network order, to be added up with {@link #add} and turned into a
 * checksum field with {@link #finish}. No allocation; any thread.
 */
public final class InternetChecksum {
    private static final ValueLayout.OfInt LE32 =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort LE16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private InternetChecksum() {}

    /** The sum of {@code len} bytes; an odd last byte is followed by a zero. */
    public static int sum(MemorySegment s, long offset, int len) {
        // Word order does not matter to the sum (RFC 1071, 2.B): add as the CPU likes, swap last.
        long sum = 0;
        int i = 0;
        for (; i <= len - 4; i += 4) {
            sum += s.get(LE32, offset + i) & 0xFFFF_FFFFL;
        }
        if (i <= len - 2) {
            sum += s.get(LE16, offset + i) & 0xFFFF;
            i += 2;
        }
        if (i < len) {
            sum += s.get(ValueLayout.JAVA_BYTE, offset + i) & 0xFF;
        }
        sum = (sum & 0xFFFF_FFFFL) + (sum >>> 32);
        int folded = fold((int) (sum & 0xFFFF) + (int) (sum >>> 16 & 0xFFFF) + (int) (sum >>> 32));
        return (folded & 0xFF) << 8 | folded >>> 8;
    }

    /** Two sums added; neither may begin at an odd place of the whole. */
    public static int add(int a, int b) {
        return fold(a + b);
    }

    /** The sum of bytes that begin at an odd place of the whole. */
    public static int swapped(int sum) {
        return (sum & 0xFF) << 8 | sum >>> 8;
    }

    /** The checksum field for a sum. */
    public static int finish(int sum) {
        return ~sum & 0xFFFF;
    }

    /** The checksum of {@code len} bytes; 0 when they contain their own and it is right. */
    public static int of(MemorySegment s, long offset, int len) {
        return finish(sum(s, offset, len));
    }

    private static int fold(int sum) {
        int once = (sum & 0xFFFF) + (sum >>> 16);
        return (once & 0xFFFF) + (once >>> 16);
    }
}
