package io.grantwire.pmd.testkit;

import java.nio.ByteBuffer;

/**
 * The hash of receive-side scaling, bit by bit as Microsoft's "RSS Hashing Functions" defines it;
 * it shares nothing with drivers and models but the definition.
 */
public final class Toeplitz {
    private Toeplitz() {}

    /** The hash of some input under a key that is at least 4 bytes longer. */
    public static int hash(byte[] key, byte[] input) {
        int result = 0;
        for (int bit = 0; bit < input.length * 8; bit++) {
            if ((input[bit / 8] >> 7 - bit % 8 & 1) != 0) {
                result ^= window(key, bit);
            }
        }
        return result;
    }

    /** 32 bits of the key from a bit on. */
    private static int window(byte[] key, int from) {
        int window = 0;
        for (int i = from; i < from + 32; i++) {
            window = window << 1 | key[i / 8] >> 7 - i % 8 & 1;
        }
        return window;
    }

    /**
     * What is hashed of an Ethernet frame without tag: addresses of IPv4, and ports when it is TCP
     * and {@code ports} is set; null for other frames.
     */
    public static byte[] ipv4Input(byte[] frame, boolean ports) {
        if (frame.length < 34 || frame[12] != 8 || frame[13] != 0) {
            return null;
        }
        boolean tcp = ports && frame[23] == 6 && (frame[20] & 0x3F) == 0 && frame[21] == 0;
        ByteBuffer input = ByteBuffer.allocate(tcp ? 12 : 8).put(frame, 26, 8);
        if (tcp) {
            input.put(frame, 14 + (frame[14] & 0xF) * 4, 4);
        }
        return input.array();
    }
}
