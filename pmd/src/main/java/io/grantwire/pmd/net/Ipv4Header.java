package io.grantwire.pmd.net;

import static io.grantwire.pmd.net.EtherHeader.BE16;
import static io.grantwire.pmd.net.EtherHeader.BE32;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The IPv4 header (RFC 791, section 3.1).
 *
 * <p>Static accessors over a segment and the offset of the header's first byte. At least {@link
 * #MIN_LENGTH} bytes must be there. Addresses are ints, the first byte on the wire most
 * significant. No allocation; any thread.
 */
public final class Ipv4Header {
    /** Bytes without options. */
    public static final int MIN_LENGTH = 20;

    /** Offset of the total length. */
    public static final int TOTAL_LENGTH = 2;

    /** Offset of the identification. */
    public static final int ID = 4;

    /** Offset of flags and fragment offset. */
    public static final int FRAGMENT = 6;

    /** Offset of the time to live. */
    public static final int TTL = 8;

    /** Offset of the protocol. */
    public static final int PROTOCOL = 9;

    /** Offset of the header checksum. */
    public static final int CHECKSUM = 10;

    /** Offset of the source address. */
    public static final int SRC = 12;

    /** Offset of the destination address. */
    public static final int DST = 16;

    /** Protocol number of ICMP. */
    public static final int PROTO_ICMP = 1;

    /** Protocol number of TCP. */
    public static final int PROTO_TCP = 6;

    /** Protocol number of UDP. */
    public static final int PROTO_UDP = 17;

    private Ipv4Header() {}

    /** The version: 4 if this is such a header. */
    public static int version(MemorySegment s, long header) {
        return s.get(ValueLayout.JAVA_BYTE, header) >>> 4 & 0xF;
    }

    /** Bytes of the header with options, 0 to 60; below 20 it is malformed. */
    public static int headerLength(MemorySegment s, long header) {
        return (s.get(ValueLayout.JAVA_BYTE, header) & 0xF) << 2;
    }

    /** Bytes of the whole datagram as the header claims. */
    public static int totalLength(MemorySegment s, long header) {
        return s.get(BE16, header + TOTAL_LENGTH) & 0xFFFF;
    }

    /** The time to live. */
    public static int ttl(MemorySegment s, long header) {
        return s.get(ValueLayout.JAVA_BYTE, header + TTL) & 0xFF;
    }

    /** The protocol above. */
    public static int protocol(MemorySegment s, long header) {
        return s.get(ValueLayout.JAVA_BYTE, header + PROTOCOL) & 0xFF;
    }

    /** Whether it is a fragment: not the whole datagram. */
    public static boolean isFragment(MemorySegment s, long header) {
        return (s.get(BE16, header + FRAGMENT) & 0x3FFF) != 0;
    }

    /** The source address. */
    public static int src(MemorySegment s, long header) {
        return s.get(BE32, header + SRC);
    }

    /** The destination address. */
    public static int dst(MemorySegment s, long header) {
        return s.get(BE32, header + DST);
    }

    /** Replaces the source address; the checksum is left alone. */
    public static void setSrc(MemorySegment s, long header, int address) {
        s.set(BE32, header + SRC, address);
    }

    /** Replaces the destination address; the checksum is left alone. */
    public static void setDst(MemorySegment s, long header, int address) {
        s.set(BE32, header + DST, address);
    }

    /** The checksum field. */
    public static int checksum(MemorySegment s, long header) {
        return s.get(BE16, header + CHECKSUM) & 0xFFFF;
    }

    /** Computes the header checksum and puts it in place. */
    public static void updateChecksum(MemorySegment s, long header) {
        s.set(BE16, header + CHECKSUM, (short) 0);
        int sum = InternetChecksum.of(s, header, headerLength(s, header));
        s.set(BE16, header + CHECKSUM, (short) sum);
    }

    /**
     * Writes a header without options, checksum included: no fragment, DF not set.
     *
     * @param payload bytes after the header
     */
    public static void write(
            MemorySegment s, long header, int payload, int ttl, int protocol, int src, int dst) {
        s.set(BE32, header, 0x4500 << 16 | MIN_LENGTH + payload & 0xFFFF);
        s.set(BE32, header + ID, 0);
        s.set(BE32, header + TTL, (ttl & 0xFF) << 24 | (protocol & 0xFF) << 16);
        s.set(BE32, header + SRC, src);
        s.set(BE32, header + DST, dst);
        updateChecksum(s, header);
    }

    /** The sum of the pseudo header that TCP and UDP checksums include. */
    public static int pseudoHeaderSum(MemorySegment s, long header, int protocol, int length) {
        return InternetChecksum.add(
                InternetChecksum.sum(s, header + SRC, 8), protocol + length & 0xFFFF);
    }

    /**
     * Reads {@code 10.0.0.1}.
     *
     * @throws IllegalArgumentException when the text is anything else
     */
    public static int parseAddress(String text) {
        String[] parts = text.split("\\.", -1);
        int address = 0;
        boolean good = parts.length == 4;
        for (int i = 0; good && i < 4; i++) {
            good = parts[i].matches("[0-9]{1,3}") && Integer.parseInt(parts[i]) <= 255;
            address = good ? address << 8 | Integer.parseInt(parts[i]) : 0;
        }
        if (!good) {
            throw new IllegalArgumentException(
                    "'" + text + "' is not an IPv4 address; write it as 10.0.0.1");
        }
        return address;
    }

    /** The usual form of an address: {@code 10.0.0.1}. */
    public static String formatAddress(int address) {
        return (address >>> 24)
                + "."
                + (address >>> 16 & 0xFF)
                + "."
                + (address >>> 8 & 0xFF)
                + "."
                + (address & 0xFF);
    }
}
