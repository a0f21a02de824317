package io.grantwire.pmd.net;

import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;

/**
 * An Ethernet (MAC-48) address, immutable.
 *
 * <p>On the packet path addresses are bare {@code long}s in the same form as {@link #value()}, see
 * {@link EtherHeader}.
 *
 * @param value the 48 bits as a number: the first byte on the wire is the most significant, so
 *     {@code 00:11:22:33:44:55} is {@code 0x001122334455L}
 */
public record MacAddress(long value) {
    /** Length on the wire in bytes. */
    public static final int LENGTH = 6;

    /** All 48 bits. */
    public static final long MASK = 0xFFFF_FFFF_FFFFL;

    /** Group bit (individual/group, first bit on the wire) in {@link #value()}. */
    public static final long GROUP_BIT = 1L << 40;

    /** Locally administered bit in {@link #value()}. */
    public static final long LOCAL_BIT = 1L << 41;

    /** ff:ff:ff:ff:ff:ff. */
    public static final MacAddress BROADCAST = new MacAddress(MASK);

    /** 00:00:00:00:00:00, which belongs to nobody. */
    public static final MacAddress ZERO = new MacAddress(0);

    private static final char[] HEX = "0123456789abcdef".toCharArray();

    /**
     * @throws IllegalArgumentException when bits above the 48th are set
     */
    public MacAddress {
        if ((value & ~MASK) != 0) {
            throw new IllegalArgumentException(
                    "MAC address 0x" + Long.toHexString(value) + " has more than 48 bits");
        }
    }

    /**
     * Reads the form {@code 00:11:22:aa:BB:cc}; {@code -} may stand for {@code :}, one or two hex
     * digits per byte.
     *
     * @throws IllegalArgumentException when the text is anything else
     */
    public static MacAddress parse(String text) {
        long value = 0;
        int bytes = 0;
        int digits = 0;
        int current = 0;
        char separator = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            int digit = hexDigit(c);
            if (digit >= 0 && digits < 2) {
                current = current << 4 | digit;
                digits++;
            } else if ((c == ':' || c == '-')
                    && digits > 0
                    && bytes < LENGTH - 1
                    && (separator == 0 || separator == c)) {
                separator = c;
                value = value << 8 | current;
                bytes++;
                digits = 0;
                current = 0;
            } else {
                throw malformed(text);
            }
        }
        if (digits == 0 || bytes != LENGTH - 1) {
            throw malformed(text);
        }
        return new MacAddress(value << 8 | current);
    }

    /** A random unicast address with the locally administered bit set, as tools make them up. */
    public static MacAddress random() {
        long bits = ThreadLocalRandom.current().nextLong() & MASK;
        return new MacAddress(bits & ~GROUP_BIT | LOCAL_BIT);
    }

    /** The address whose six bytes are these, first byte first. */
    public static MacAddress of(byte[] bytes) {
        if (bytes.length != LENGTH) {
            throw new IllegalArgumentException("a MAC address has 6 bytes, not " + bytes.length);
        }
        long value = 0;
        for (byte b : bytes) {
            value = value << 8 | (b & 0xFF);
        }
        return new MacAddress(value);
    }

    /** The six bytes, first byte first; a fresh array. */
    public byte[] bytes() {
        byte[] bytes = new byte[LENGTH];
        for (int i = 0; i < LENGTH; i++) {
            bytes[i] = (byte) (value >>> 40 - 8 * i);
        }
        return bytes;
    }

    /** Whether it addresses a group; the broadcast address does. */
    public boolean isMulticast() {
        return (value & GROUP_BIT) != 0;
    }

    /** Whether it addresses everybody. */
    public boolean isBroadcast() {
        return value == MASK;
    }

    /** Whether it is all zeroes. */
    public boolean isZero() {
        return value == 0;
    }

    /** Whether one station may own it: neither a group address nor all zeroes. */
    public boolean isValidUnicast() {
        return !isMulticast() && !isZero();
    }

    /** Whether it was chosen locally and not by a maker. */
    public boolean isLocallyAdministered() {
        return (value & LOCAL_BIT) != 0;
    }

    /** Lower-case hex bytes between colons: {@code 00:11:22:33:44:55}. */
    @Override
    public String toString() {
        return format(value);
    }

    /** The same form for a bare address. */
    public static String format(long value) {
        char[] text = new char[17];
        for (int i = 0; i < LENGTH; i++) {
            int b = (int) (value >>> 40 - 8 * i);
            text[3 * i] = HEX[b >> 4 & 0xF];
            text[3 * i + 1] = HEX[b & 0xF];
            if (i < LENGTH - 1) {
                text[3 * i + 2] = ':';
            }
        }
        return new String(text);
    }

    /** The same form in capitals, as some of the original tools print it. */
    public String toUpperCaseString() {
        return toString().toUpperCase(Locale.ROOT);
    }

    private static int hexDigit(char c) {
        return c < 128 ? Character.digit(c, 16) : -1;
    }

    private static IllegalArgumentException malformed(String text) {
        return new IllegalArgumentException(
                "'" + text + "' is not a MAC address; write it as 00:11:22:33:44:55");
    }
}
