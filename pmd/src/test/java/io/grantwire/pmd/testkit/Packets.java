package io.grantwire.pmd.testkit;

import io.grantwire.pmd.net.InternetChecksum;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;

/** IPv4 packets with TCP or UDP in Ethernet frames, as bytes; checksums right, or left out. */
public final class Packets {
    /** Bytes of the Ethernet header. */
    public static final int L2 = 14;

    /** Bytes of the IPv4 header. */
    public static final int L3 = 20;

    private Packets() {}

    /** A frame with checksums. */
    public static byte[] ipv4(boolean tcp, int source, int port, int payload) {
        byte[] frame = unfinished(tcp, source, port, payload);
        MemorySegment s = MemorySegment.ofArray(frame);
        put(frame, 24, InternetChecksum.of(s, L2, L3));
        int l4 = frame.length - L2 - L3;
        int sum = InternetChecksum.sum(s, 26, 8 + l4);
        sum = InternetChecksum.add(sum, tcp ? 6 : 17);
        sum = InternetChecksum.add(sum, l4);
        put(frame, checksumAt(tcp), InternetChecksum.finish(sum));
        return frame;
    }

    /** The same with rubbish in the checksums' places. */
    public static byte[] unfinished(boolean tcp, int source, int port, int payload) {
        int l4 = (tcp ? 20 : 8) + payload;
        ByteBuffer b = ByteBuffer.allocate(L2 + L3 + l4);
        b.put(new byte[] {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}).putShort((short) 0x0800);
        b.put((byte) 0x45).put((byte) 0).putShort((short) (L3 + l4)).putInt(0);
        b.put((byte) 64).put((byte) (tcp ? 6 : 17)).putShort((short) 0);
        b.putInt(source).putInt(0x0A00_0002);
        b.putShort((short) port).putShort((short) 80);
        if (tcp) {
            b.putInt(1).putInt(2).putShort((short) 0x5010).putShort((short) 1000).putInt(0);
        } else {
            b.putShort((short) l4).putShort((short) 0);
        }
        while (b.hasRemaining()) {
            b.put((byte) (b.position() * 7));
        }
        return b.array();
    }

    /** Where the TCP or UDP checksum is. */
    public static int checksumAt(boolean tcp) {
        return L2 + L3 + (tcp ? 16 : 6);
    }

    private static void put(byte[] frame, int at, int value) {
        MemorySegment.ofArray(frame)
                .set(
                        ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(java.nio.ByteOrder.BIG_ENDIAN),
                        at,
                        (short) value);
    }
}
