package io.grantwire.pmd.net;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The Ethernet II header (IEEE 802.3 clause 3): destination 6, source 6, type 2 bytes.
 *
 * <p>Static accessors over a segment and the offset of the frame's first byte. At least {@link
 * #LENGTH} bytes must be there. Addresses are {@code long}s in the form of {@link
 * MacAddress#value()}. No allocation; any thread.
 */
public final class EtherHeader {
    /** Bytes. */
    public static final int LENGTH = 14;

    /** Offset of the destination address. */
    public static final int DST = 0;

    /** Offset of the source address. */
    public static final int SRC = 6;

    /** Offset of the type. */
    public static final int TYPE = 12;

    /** Shortest frame without CRC. */
    public static final int MIN_FRAME = 60;

    /** Longest untagged frame of the standard payload of 1500 bytes, without CRC. */
    public static final int MAX_FRAME = 1514;

    /** Type of IPv4. */
    public static final int TYPE_IPV4 = 0x0800;

    /** Type of ARP. */
    public static final int TYPE_ARP = 0x0806;

    /** Type of IPv6. */
    public static final int TYPE_IPV6 = 0x86DD;

    /** Type of an IEEE 802.1Q VLAN tag. */
    public static final int TYPE_VLAN = 0x8100;

    static final ValueLayout.OfShort BE16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    static final ValueLayout.OfInt BE32 =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    static final ValueLayout.OfLong BE64 =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private EtherHeader() {}

    /** The destination address. */
    public static long dst(MemorySegment s, long frame) {
        return s.get(BE64, frame) >>> 16;
    }

    /** The source address. */
    public static long src(MemorySegment s, long frame) {
        // One load that ends with the type, so that the 14 bytes of the header are enough.
        return s.get(BE64, frame + SRC) >>> 16;
    }

    /** The type or length field. */
    public static int type(MemorySegment s, long frame) {
        return s.get(BE16, frame + TYPE) & 0xFFFF;
    }

    /** Replaces the destination address. */
    public static void setDst(MemorySegment s, long frame, long mac) {
        s.set(BE32, frame, (int) (mac >>> 16));
        s.set(BE16, frame + 4, (short) mac);
    }

    /** Replaces the source address. */
    public static void setSrc(MemorySegment s, long frame, long mac) {
        s.set(BE32, frame + SRC, (int) (mac >>> 16));
        s.set(BE16, frame + SRC + 4, (short) mac);
    }

    /** Replaces the type. */
    public static void setType(MemorySegment s, long frame, int type) {
        s.set(BE16, frame + TYPE, (short) type);
    }

    /** Exchanges the two addresses. */
    public static void swapAddresses(MemorySegment s, long frame) {
        long dst = dst(s, frame);
        long src = src(s, frame);
        setDst(s, frame, src);
        setSrc(s, frame, dst);
    }

    /** Whether an address, as {@link #dst} gives it, is a group's. */
    public static boolean isMulticast(long mac) {
        return (mac & MacAddress.GROUP_BIT) != 0;
    }
}
