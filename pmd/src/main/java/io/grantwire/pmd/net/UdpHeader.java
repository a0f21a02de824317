package io.grantwire.pmd.net;

import static io.grantwire.pmd.net.EtherHeader.BE16;
import static io.grantwire.pmd.net.EtherHeader.BE32;

import java.lang.foreign.MemorySegment;

/**
 * The UDP header (RFC 768).
 *
 * <p>Static accessors over a segment and the offset of the header's first byte. All {@link #LENGTH}
 * bytes must be there. No allocation; any thread.
 */
public final class UdpHeader {
    /** Bytes. */
    public static final int LENGTH = 8;

    /** Offset of the source port. */
    public static final int SRC_PORT = 0;

    /** Offset of the destination port. */
    public static final int DST_PORT = 2;

    /** Offset of the length. */
    public static final int LENGTH_FIELD = 4;

    /** Offset of the checksum. */
    public static final int CHECKSUM = 6;

    private UdpHeader() {}

    /** The source port. */
    public static int srcPort(MemorySegment s, long header) {
        return s.get(BE16, header + SRC_PORT) & 0xFFFF;
    }

    /** The destination port. */
    public static int dstPort(MemorySegment s, long header) {
        return s.get(BE16, header + DST_PORT) & 0xFFFF;
    }

    /** Bytes of header and payload as the header claims. */
    public static int length(MemorySegment s, long header) {
        return s.get(BE16, header + LENGTH_FIELD) & 0xFFFF;
    }

    /** The checksum field; 0 when the sender computed none. */
    public static int checksum(MemorySegment s, long header) {
        return s.get(BE16, header + CHECKSUM) & 0xFFFF;
    }

    /** Replaces the checksum field. */
    public static void setChecksum(MemorySegment s, long header, int checksum) {
        s.set(BE16, header + CHECKSUM, (short) checksum);
    }

    /**
     * Writes a header without checksum.
     *
     * @param payload bytes after the header
     */
    public static void write(MemorySegment s, long header, int srcPort, int dstPort, int payload) {
        s.set(BE32, header, srcPort << 16 | dstPort & 0xFFFF);
        s.set(BE32, header + LENGTH_FIELD, LENGTH + payload << 16);
    }

    /**
     * Computes the checksum over pseudo header, header and payload, which must be in one piece, and
     * puts it in place.
     *
     * @param ip offset of the IPv4 header
     */
    public static void updateChecksum(MemorySegment s, long ip, long header) {
        int length = length(s, header);
        setChecksum(s, header, 0);
        int sum =
                InternetChecksum.add(
                        Ipv4Header.pseudoHeaderSum(s, ip, Ipv4Header.PROTO_UDP, length),
                        InternetChecksum.sum(s, header, length));
        int checksum = InternetChecksum.finish(sum);
        // 0 would mean that there is none.
        setChecksum(s, header, checksum == 0 ? 0xFFFF : checksum);
    }
}
