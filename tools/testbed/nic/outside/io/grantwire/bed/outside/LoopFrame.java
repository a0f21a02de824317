package io.grantwire.bed.outside;

import java.nio.ByteBuffer;
import java.util.Random;
import java.util.zip.CRC32;

/**
 * The frames of a closed loop: addresses, the Ethernet type for experiments (IEEE 802), a sequence number, random bytes that depend on
 * it, and a CRC-32 over all before it. At least 60 bytes, as Ethernet has them.
 */
final class LoopFrame {
    static final int SHORTEST = 60;
    static final int TYPE = 0x88b5;

    private static final byte[] SOURCE = {2, 0, 0, 0, 0, 1};
    private static final int TYPE_AT = 12;
    private static final int SEQUENCE_AT = 14;
    private static final int CRC_BYTES = 4;

    private LoopFrame() {}

    static byte[] make(byte[] destination, int sequence, int length) {
        byte[] bytes = new byte[length];
        new Random(sequence * 31L + length).nextBytes(bytes);
        ByteBuffer frame = ByteBuffer.wrap(bytes);
        frame.put(destination).put(SOURCE).putShort((short) TYPE).putInt(sequence);
        frame.putInt(length - CRC_BYTES, crc(bytes));
        return bytes;
    }

    private static int crc(byte[] bytes) {
        CRC32 crc = new CRC32();
        crc.update(bytes, 0, bytes.length - CRC_BYTES);
        return (int) crc.getValue();
    }

    /** Whether a frame is one of these at all. */
    static boolean is(byte[] frame) {
        return frame.length >= SHORTEST && (ByteBuffer.wrap(frame).getShort(TYPE_AT) & 0xffff) == TYPE;
    }

    /** What can be told of a frame that is not the one that should have come. */
    static String describe(byte[] frame) {
        boolean whole = crc(frame) == ByteBuffer.wrap(frame).getInt(frame.length - CRC_BYTES);
        return "frame " + ByteBuffer.wrap(frame).getInt(SEQUENCE_AT) + " of " + frame.length + " bytes, its CRC is " + (whole ? "right" : "wrong");
    }
}
