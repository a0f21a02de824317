package io.grantwire.tools.demo;

import io.grantwire.pmd.net.EtherHeader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The frame that the generator sends: Ethernet with a VLAN tag (IEEE 802.1Q), IPv4 (RFC 791), UDP
 * (RFC 768), then a sequence number and the time it was sent, then a fixed pattern. All frames of a
 * run have the same length, so that only those two fields differ, and what comes back can be
 * compared with the template in two strides.
 *
 * <p>Offsets are those of the tagged frame. Nothing here allocates after construction.
 */
final class StampedFrame {
    /** Ethernet header and VLAN tag, in bytes. */
    static final int L2 = 18;

    /** Offset of the sequence number, a big-endian 64-bit value. */
    static final int SEQUENCE = L2 + 20 + 8;

    /** Offset of the time, {@link System#nanoTime} of the sender, 64 bits. */
    static final int TIME = SEQUENCE + 8;

    /** Offset of the pattern. */
    static final int PATTERN = TIME + 8;

    /** Shortest frame that holds all that, in bytes without CRC. */
    static final int MIN_LENGTH = 64;

    private static final int SRC_IP = 10 << 24 | 254 << 16 | 1;
    private static final int DST_IP = 10 << 24 | 253 << 16 | 1;
    private static final int PORT = 1024;
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
    private static final ValueLayout.OfShort BE16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfInt BE32 =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfLong BE64 =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private final int length;
    private final MemorySegment template;

    /**
     * @param length bytes of the frame with its VLAN tag, without CRC
     */
    StampedFrame(int length, long dst, long src, int vlan) {
        if (length < MIN_LENGTH) {
            throw new IllegalArgumentException("a frame of " + length + " bytes is too short");
        }
        this.length = length;
        this.template = MemorySegment.ofArray(new byte[length]);
        EtherHeader.setDst(template, 0, dst);
        EtherHeader.setSrc(template, 0, src);
        EtherHeader.setType(template, 0, EtherHeader.TYPE_VLAN);
        template.set(BE16, 14, (short) vlan);
        template.set(BE16, 16, (short) EtherHeader.TYPE_IPV4);
        template.set(BYTE, L2, (byte) 0x45);
        template.set(BE16, L2 + 2, (short) (length - L2));
        template.set(BYTE, L2 + 8, (byte) 64);
        template.set(BYTE, L2 + 9, (byte) 17);
        template.set(BE32, L2 + 12, SRC_IP);
        template.set(BE32, L2 + 16, DST_IP);
        template.set(BE16, L2 + 10, checksum());
        template.set(BE16, L2 + 20, (short) PORT);
        template.set(BE16, L2 + 22, (short) PORT);
        template.set(BE16, L2 + 24, (short) (length - L2 - 20));
        for (int i = PATTERN; i < length; i++) {
            template.set(BYTE, i, (byte) (i * 31));
        }
    }

    /** The IPv4 header's checksum (RFC 1071), its field being zero still. */
    private short checksum() {
        int sum = 0;
        for (int i = 0; i < 20; i += 2) {
            sum += template.get(BE16, L2 + i) & 0xffff;
        }
        while (sum >>> 16 != 0) {
            sum = (sum & 0xffff) + (sum >>> 16);
        }
        return (short) ~sum;
    }

    int length() {
        return length;
    }

    /** Writes a frame; {@link #length} bytes must be there. */
    void write(MemorySegment memory, long frame, long sequence, long nanos) {
        MemorySegment.copy(template, 0, memory, frame, length);
        memory.set(BE64, frame + SEQUENCE, sequence);
        memory.set(BE64, frame + TIME, nanos);
    }

    /** A received frame's sequence number. */
    static long sequence(MemorySegment memory, long frame) {
        return memory.get(BE64, frame + SEQUENCE);
    }

    /** When a received frame was sent. */
    static long nanos(MemorySegment memory, long frame) {
        return memory.get(BE64, frame + TIME);
    }

    /**
     * Whether all behind the Ethernet header and the VLAN tag is as it was sent, the two stamps
     * aside.
     */
    boolean sameContent(MemorySegment memory, long frame) {
        return MemorySegment.mismatch(
                                template,
                                L2 - 2,
                                SEQUENCE,
                                memory,
                                frame + L2 - 2,
                                frame + SEQUENCE)
                        < 0
                && MemorySegment.mismatch(
                                template, PATTERN, length, memory, frame + PATTERN, frame + length)
                        < 0;
    }

    /** A received frame's VLAN, or -1 when it has no tag. */
    static int vlan(MemorySegment memory, long frame) {
        return EtherHeader.type(memory, frame) == EtherHeader.TYPE_VLAN
                ? memory.get(BE16, frame + 14) & 0xfff
                : -1;
    }
}
