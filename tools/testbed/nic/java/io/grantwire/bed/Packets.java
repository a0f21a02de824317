package io.grantwire.bed;

import java.util.Arrays;
import java.util.Random;

/** Frames put together byte by byte, and what is to be expected of them, all of it computed here and not by the code under test. */
final class Packets {
    static final int TCP = 6;
    static final int UDP = 17;
    static final byte[] SOURCE = {2, 0, 0, 0, 0, 0x77};

    /** The key of Microsoft's "Verifying the RSS Hash Calculation". */
    static final byte[] RSS_KEY = {
        0x6d, 0x5a, 0x56, (byte) 0xda, 0x25, 0x5b, 0x0e, (byte) 0xc2, 0x41, 0x67,
        0x25, 0x3d, 0x43, (byte) 0xa3, (byte) 0x8f, (byte) 0xb0, (byte) 0xd0, (byte) 0xca, 0x2b, (byte) 0xcb,
        (byte) 0xae, 0x7b, 0x30, (byte) 0xb4, 0x77, (byte) 0xcb, 0x2d, (byte) 0xa3, (byte) 0x80, 0x30,
        (byte) 0xf2, 0x0c, 0x6a, 0x42, (byte) 0xb7, 0x3b, (byte) 0xbe, (byte) 0xac, 0x01, (byte) 0xfa
    };

    private Packets() {}

    /** A frame of an experimental type. */
    static byte[] frame(byte[] to, int size, int seed) {
        byte[] f = new byte[size];
        new Random(seed).nextBytes(f);
        System.arraycopy(to, 0, f, 0, 6);
        System.arraycopy(SOURCE, 0, f, 6, 6);
        put16(f, 12, 0x88b5);
        return f;
    }

    static byte[] tagged(byte[] frame, int tci) {
        byte[] f = new byte[frame.length + 4];
        System.arraycopy(frame, 0, f, 0, 12);
        put16(f, 12, 0x8100);
        put16(f, 14, tci);
        System.arraycopy(frame, 12, f, 16, frame.length - 12);
        return f;
    }

    /** An IPv4 packet with right checksums. */
    static byte[] ipv4(byte[] to, int src, int dst, int protocol, int srcPort, int dstPort, int size) {
        byte[] f = frame(to, size, src ^ dstPort);
        put16(f, 12, 0x0800);
        Arrays.fill(f, 14, 34, (byte) 0);
        f[14] = 0x45;
        put16(f, 16, size - 14);
        f[22] = 64;
        f[23] = (byte) protocol;
        put32(f, 26, src);
        put32(f, 30, dst);
        put16(f, 24, ~sum(f, 14, 34, 0) & 0xffff);
        transport(f, 34, protocol, srcPort, dstPort, 26, 8);
        return f;
    }

    /** An IPv6 packet with right checksums. */
    static byte[] ipv6(byte[] to, int last, int protocol, int srcPort, int dstPort, int size) {
        byte[] f = frame(to, size, last ^ dstPort);
        put16(f, 12, 0x86dd);
        Arrays.fill(f, 14, 54, (byte) 0);
        f[14] = 0x60;
        put16(f, 18, size - 54);
        f[20] = (byte) protocol;
        f[21] = 64;
        put32(f, 22, 0x20010db8);
        put32(f, 34, last);
        put32(f, 38, 0x20010db8);
        put32(f, 50, 0xff);
        transport(f, 54, protocol, srcPort, dstPort, 22, 32);
        return f;
    }

    private static void transport(byte[] f, int at, int protocol, int srcPort, int dstPort, int addresses, int addressBytes) {
        int length = f.length - at;
        put16(f, at, srcPort);
        put16(f, at + 2, dstPort);
        if (protocol == UDP) {
            put16(f, at + 4, length);
        } else if (protocol == TCP) {
            f[at + 12] = 0x50;
        } else {
            return;
        }
        int checksum = at + (protocol == UDP ? 6 : 16);
        put16(f, checksum, 0);
        int sum = sum(f, addresses, addresses + addressBytes, protocol + length);
        put16(f, checksum, ~sum(f, at, f.length, sum) & 0xffff);
    }

    /** The ones' complement sum of 16-bit words (RFC 1071) and what was summed before. */
    static int sum(byte[] f, int from, int to, int before) {
        int sum = before;
        for (int i = from; i < to; i++) {
            sum += (i - from) % 2 == 0 ? (f[i] & 0xff) << 8 : f[i] & 0xff;
        }
        while (sum > 0xffff) {
            sum = (sum & 0xffff) + (sum >>> 16);
        }
        return sum;
    }

    /** The Toeplitz hash: for every bit of the input that is set, the 32 bits of the key from there on are added up, without carry. */
    static int toeplitz(byte[] key, byte[] frame, int from, int bytes) {
        int hash = 0;
        for (int bit = 0; bit < 8 * bytes; bit++) {
            if ((frame[from + bit / 8] & 0x80 >> bit % 8) != 0) {
                for (int k = 0; k < 32; k++) {
                    int at = bit + k;
                    if ((key[at / 8] & 0x80 >> at % 8) != 0) {
                        hash ^= 0x80000000 >>> k;
                    }
                }
            }
        }
        return hash;
    }

    static void put16(byte[] f, int at, int value) {
        f[at] = (byte) (value >> 8);
        f[at + 1] = (byte) value;
    }

    static void put32(byte[] f, int at, int value) {
        put16(f, at, value >>> 16);
        put16(f, at + 2, value);
    }
}
