package io.grantwire.vswitch.testkit;

import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** Ethernet frames as byte arrays, and in and out of mbufs. */
public final class Frames {
    private Frames() {}

    /** An untagged frame whose payload is told by a seed. */
    public static byte[] frame(long dst, long src, int length, int seed) {
        byte[] f = new byte[length];
        mac(f, 0, dst);
        mac(f, 6, src);
        f[12] = (byte) 0x88;
        f[13] = (byte) 0xb5;
        for (int i = 14; i < length; i++) {
            f[i] = (byte) (seed * 31 + i * 7);
        }
        if (length >= 18) {
            f[14] = (byte) (seed >> 24);
            f[15] = (byte) (seed >> 16);
            f[16] = (byte) (seed >> 8);
            f[17] = (byte) seed;
        }
        return f;
    }

    private static void mac(byte[] f, int at, long mac) {
        for (int i = 0; i < 6; i++) {
            f[at + i] = (byte) (mac >> 40 - 8 * i);
        }
    }

    /** The same frame with an 802.1Q tag. */
    public static byte[] tagged(byte[] frame, int tci) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(frame, 0, 12);
        out.write(0x81);
        out.write(0x00);
        out.write(tci >> 8);
        out.write(tci);
        out.write(frame, 12, frame.length - 12);
        return out.toByteArray();
    }

    /** A frame in mbufs of a pool, in pieces of at most {@code piece} bytes. */
    public static int mbuf(Mempool pool, byte[] frame, int piece) {
        int head = 0;
        for (int at = 0; at < frame.length; at += piece) {
            int n = Math.min(piece, frame.length - at);
            int m = pool.alloc();
            if (m == 0) {
                throw new AssertionError("the pool is empty");
            }
            MemorySegment.copy(
                    frame, at, Mbuf.segment(m), ValueLayout.JAVA_BYTE, Mbuf.offset(m), n);
            Mbuf.setLen(m, n);
            if (head == 0) {
                head = m;
            } else {
                Mbuf.chain(head, m);
            }
        }
        return head;
    }

    /** A frame in one mbuf. */
    public static int mbuf(Mempool pool, byte[] frame) {
        return mbuf(pool, frame, pool.dataRoom());
    }

    /** What a frame in mbufs contains; its lengths must agree. */
    public static byte[] bytes(int mbuf) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        int segments = 0;
        for (int s = mbuf; s != 0; s = Mbuf.next(s)) {
            byte[] piece =
                    Mbuf.segment(s)
                            .asSlice(Mbuf.offset(s), Mbuf.dataLen(s))
                            .toArray(ValueLayout.JAVA_BYTE);
            out.writeBytes(piece);
            segments++;
        }
        byte[] all = out.toByteArray();
        if (all.length != Mbuf.pktLen(mbuf) || segments != Mbuf.nbSegs(mbuf)) {
            throw new AssertionError(
                    "inconsistent mbuf: "
                            + all.length
                            + " bytes in "
                            + segments
                            + " segments, not "
                            + Mbuf.pktLen(mbuf)
                            + " in "
                            + Mbuf.nbSegs(mbuf));
        }
        return all;
    }

    /** The seed in a frame made by {@link #frame}. */
    public static int seed(byte[] frame) {
        int at = 14;
        return frame[at] << 24
                | (frame[at + 1] & 0xff) << 16
                | (frame[at + 2] & 0xff) << 8
                | frame[at + 3] & 0xff;
    }

    /** A part of a frame. */
    public static byte[] part(byte[] frame, int from, int to) {
        return Arrays.copyOfRange(frame, from, to);
    }
}
