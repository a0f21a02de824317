package io.grantwire.pmd.driver.igb;

import java.util.Arrays;
import java.util.HexFormat;

/** IPv4 and IPv6 packets with TCP or UDP in Ethernet frames, put together byte by byte. */
final class Packets {
    static final int TCP = 6;
    static final int UDP = 17;

    private Packets() {}

    /** A packet with right checksums. */
    static byte[] ipv4(String src, String dst, int protocol, int srcPort, int dstPort, int size) {
        byte[] f = IgbBed.frame(size, 3);
        put16(f, 12, 0x0800);
        Arrays.fill(f, 14, 34, (byte) 0);
        f[14] = 0x45;
        put16(f, 16, size - 14);
        f[22] = 64;
        f[23] = (byte) protocol;
        address(f, 26, src);
        address(f, 30, dst);
        put16(f, 24, ~ModelReceiver.sum(f, 14, 34) & 0xffff);
        put16(f, 34, srcPort);
        put16(f, 36, dstPort);
        l4(f, 34, protocol, size - 34, 26, 8);
        return f;
    }

    /** A packet with right checksums. */
    static byte[] ipv6(int protocol, int size) {
        byte[] f = IgbBed.frame(size, 4);
        put16(f, 12, 0x86dd);
        f[14] = 0x60;
        put16(f, 18, size - 54);
        f[20] = (byte) protocol;
        f[21] = 64;
        System.arraycopy(HexFormat.of().parseHex("20010db8000000000000000000000001"), 0, f, 22, 16);
        System.arraycopy(HexFormat.of().parseHex("20010db80000000000000000000000ff"), 0, f, 38, 16);
        l4(f, 54, protocol, size - 54, 22, 32);
        return f;
    }

    private static void l4(byte[] f, int at, int protocol, int length, int from, int addresses) {
        int checksum = at + (protocol == TCP ? 16 : 6);
        if (protocol == UDP) {
            put16(f, at + 4, length);
        } else {
            f[at + 12] = 0x50;
        }
        put16(f, checksum, 0);
        int sum =
                ModelReceiver.sum(f, at, at + length)
                        + ModelReceiver.sum(f, from, from + addresses)
                        + protocol
                        + length;
        sum = (sum & 0xffff) + (sum >>> 16);
        sum = (sum & 0xffff) + (sum >>> 16);
        put16(f, checksum, ~sum & 0xffff);
    }

    static void put16(byte[] f, int at, int value) {
        f[at] = (byte) (value >> 8);
        f[at + 1] = (byte) value;
    }

    private static void address(byte[] f, int at, String dotted) {
        for (String part : dotted.split("\\.")) {
            f[at++] = (byte) Integer.parseInt(part);
        }
    }
}
