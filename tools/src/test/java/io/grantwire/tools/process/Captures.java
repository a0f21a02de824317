package io.grantwire.tools.process;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Capture files (classic pcap, microseconds, little endian), written and read without our code. */
final class Captures {
    private Captures() {}

    /** Writes frames. */
    static void write(Path file, List<byte[]> frames) throws IOException {
        int bytes = 24 + frames.stream().mapToInt(f -> 16 + f.length).sum();
        ByteBuffer buffer = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        buffer.putInt(0xa1b2c3d4).putShort((short) 2).putShort((short) 4);
        buffer.putInt(0).putInt(0).putInt(65535).putInt(1);
        for (int i = 0; i < frames.size(); i++) {
            byte[] frame = frames.get(i);
            buffer.putInt(i).putInt(0).putInt(frame.length).putInt(frame.length).put(frame);
        }
        Files.write(file, buffer.array());
    }

    /** Reads frames, whatever the resolution of time. */
    static List<byte[]> read(Path file) throws IOException {
        ByteBuffer buffer =
                ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        List<byte[]> frames = new ArrayList<>();
        buffer.position(24);
        while (buffer.hasRemaining()) {
            buffer.position(buffer.position() + 8);
            byte[] frame = new byte[buffer.getInt()];
            buffer.getInt();
            buffer.get(frame);
            frames.add(frame);
        }
        return frames;
    }

    /**
     * A frame with random content behind its header.
     *
     * @param vlan the tag's VLAN, or -1 for no tag
     * @param length in bytes, the tag included
     */
    static byte[] frame(Random random, long dst, int vlan, int length) {
        byte[] frame = new byte[length];
        random.nextBytes(frame);
        ByteBuffer buffer = ByteBuffer.wrap(frame);
        buffer.putShort((short) (dst >>> 32)).putInt((int) dst);
        buffer.put(new byte[] {2, 0, 0, 0, 0, 5});
        if (vlan >= 0) {
            buffer.putShort((short) 0x8100).putShort((short) vlan);
        }
        buffer.putShort((short) 0x0800);
        return frame;
    }

    /** What becomes of a tagged frame: other addresses, another VLAN, the rest as it was. */
    static byte[] readdressed(byte[] frame, long dst, long src, int vlan) {
        byte[] other = Arrays.copyOf(frame, frame.length);
        ByteBuffer.wrap(other)
                .putShort((short) (dst >>> 32))
                .putInt((int) dst)
                .putShort((short) (src >>> 32))
                .putInt((int) src)
                .putShort((short) 0x8100)
                .putShort((short) vlan);
        return other;
    }
}
