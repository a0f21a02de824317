package io.grantwire.tools.testpmd.fwd;

import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.net.EtherHeader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The Ethernet, IPv4 (RFC 791) and UDP (RFC 768) headers that the generating engines put in front
 * of every frame: built once, copied per frame.
 */
final class FrameTemplate {
    /** Ethernet, IPv4 and UDP headers together, in bytes. */
    static final int LENGTH = 14 + 20 + 8;

    /** Offset of the IPv4 header. */
    static final int IPV4 = 14;

    /** Offset of the IPv4 header's total length. */
    static final int IPV4_LENGTH = IPV4 + 2;

    /** Offset of the IPv4 header's checksum. */
    static final int IPV4_CHECKSUM = IPV4 + 10;

    /** Offset of the IPv4 destination address. */
    static final int IPV4_DST = IPV4 + 16;

    /** Offset of the UDP header. */
    static final int UDP = IPV4 + 20;

    private static final ValueLayout.OfLong NATIVE64 = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final ValueLayout.OfShort NATIVE16 = ValueLayout.JAVA_SHORT_UNALIGNED;

    static final ValueLayout.OfShort BE16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    static final ValueLayout.OfInt BE32 =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private final MemorySegment bytes = MemorySegment.ofArray(new byte[LENGTH]);

    /** The headers once more, as the words that {@link #copyTo} writes. */
    private final long[] words = new long[LENGTH / 8];

    private short lastBytes;

    /** Sum of the IPv4 header without length and destination. */
    private int checksumBase;

    /**
     * Fills the template.
     *
     * @param frameLength length of the frames, without CRC, in bytes
     */
    void fill(long dst, long src, int frameLength, int srcIp, int dstIp, int srcPort, int dstPort) {
        EtherHeader.setDst(bytes, 0, dst);
        EtherHeader.setSrc(bytes, 0, src);
        EtherHeader.setType(bytes, 0, EtherHeader.TYPE_IPV4);
        bytes.set(ValueLayout.JAVA_BYTE, IPV4, (byte) 0x45);
        bytes.set(ValueLayout.JAVA_BYTE, IPV4 + 1, (byte) 0);
        bytes.set(BE16, IPV4_LENGTH, (short) 0);
        bytes.set(BE32, IPV4 + 4, 0);
        bytes.set(ValueLayout.JAVA_BYTE, IPV4 + 8, (byte) 64);
        bytes.set(ValueLayout.JAVA_BYTE, IPV4 + 9, (byte) 17);
        bytes.set(BE16, IPV4_CHECKSUM, (short) 0);
        bytes.set(BE32, IPV4 + 12, srcIp);
        bytes.set(BE32, IPV4_DST, 0);
        int sum = 0;
        for (int i = 0; i < 20; i += 2) {
            sum += bytes.get(BE16, IPV4 + i) & 0xffff;
        }
        checksumBase = sum;
        bytes.set(BE32, IPV4_DST, dstIp);
        bytes.set(BE16, UDP, (short) srcPort);
        bytes.set(BE16, UDP + 2, (short) dstPort);
        // No UDP checksum: IPv4 allows zero, and the original sends it so.
        bytes.set(BE16, UDP + 6, (short) 0);
        setLengths(bytes, 0, frameLength, dstIp);
        for (int i = 0; i < words.length; i++) {
            words[i] = bytes.get(NATIVE64, 8L * i);
        }
        lastBytes = bytes.get(NATIVE16, 8L * words.length);
    }

    /**
     * Writes into a frame's headers what depends on its length.
     *
     * @param frameLength without CRC, in bytes
     * @param dstIp the frame's destination
     */
    void setLengths(MemorySegment memory, long frame, int frameLength, int dstIp) {
        memory.set(BE16, frame + IPV4_LENGTH, (short) (frameLength - IPV4));
        memory.set(BE16, frame + IPV4_CHECKSUM, checksumFor(dstIp, frameLength));
        memory.set(BE16, frame + UDP + 4, (short) (frameLength - UDP));
    }

    /** The IPv4 header checksum of a frame of that length to that address (RFC 1071). */
    short checksumFor(int dstIp, int frameLength) {
        int sum = checksumBase + frameLength - IPV4 + (dstIp >>> 16) + (dstIp & 0xffff);
        sum = (sum & 0xffff) + (sum >>> 16);
        sum = (sum & 0xffff) + (sum >>> 16);
        return (short) ~sum;
    }

    /**
     * Writes the headers at the start of frames that are fresh from their pool; at least {@link
     * #LENGTH} bytes must be there.
     *
     * @param memory the pool's
     */
    void copyTo(MemorySegment memory, int[] mbufs, int n) {
        // In locals: after each store to memory the compiler reads the array again.
        long[] words = this.words;
        long w0 = words[0];
        long w1 = words[1];
        long w2 = words[2];
        long w3 = words[3];
        long w4 = words[4];
        short rest = lastBytes;
        for (int i = 0; i < n; i++) {
            long frame = Mbuf.bufferOffset(mbufs[i]) + Mempool.HEADROOM;
            memory.set(NATIVE64, frame, w0);
            memory.set(NATIVE64, frame + 8, w1);
            memory.set(NATIVE64, frame + 16, w2);
            memory.set(NATIVE64, frame + 24, w3);
            memory.set(NATIVE64, frame + 32, w4);
            memory.set(NATIVE16, frame + 40, rest);
        }
    }

    /**
     * Writes another destination into a frame's headers.
     *
     * @param frameLength without CRC, in bytes
     */
    void setDestination(MemorySegment memory, long frame, int frameLength, int dstIp) {
        memory.set(BE32, frame + IPV4_DST, dstIp);
        memory.set(BE16, frame + IPV4_CHECKSUM, checksumFor(dstIp, frameLength));
    }

    /** Writes the headers at the start of a frame; at least {@link #LENGTH} bytes must be there. */
    void copyTo(MemorySegment memory, long frame) {
        long[] words = this.words;
        for (int i = 0; i < LENGTH / 8; i++) {
            memory.set(NATIVE64, frame + 8L * i, words[i]);
        }
        memory.set(NATIVE16, frame + 8L * (LENGTH / 8), lastBytes);
    }
}
