package io.grantwire.tools.xenstore;

import java.io.ByteArrayOutputStream;

/**
 * Values as the Xen tools show them and take them: printable ASCII stands for itself, {@code \n},
 * {@code \r}, {@code \t} and {@code \\} for what they do in C, any other byte is {@code \} and up
 * to three octal digits on output, {@code \x} and two hex digits or up to three octal ones on
 * input.
 */
final class StoreValues {
    private StoreValues() {}

    /** The value to show. */
    static String shown(byte[] value) {
        StringBuilder text = new StringBuilder(value.length);
        for (byte signed : value) {
            int b = signed & 0xff;
            switch (b) {
                case '\n' -> text.append("\\n");
                case '\r' -> text.append("\\r");
                case '\t' -> text.append("\\t");
                case '\\' -> text.append("\\\\");
                default -> {
                    if (b >= ' ' && b <= '~') {
                        text.append((char) b);
                    } else if (b < 8) {
                        text.append("\\00").append(b);
                    } else {
                        text.append(String.format("\\x%02x", b));
                    }
                }
            }
        }
        return text.toString();
    }

    /** The value that was typed. */
    static byte[] typed(String text) {
        byte[] bytes = text.getBytes(java.nio.charset.StandardCharsets.UTF_8);
        ByteArrayOutputStream value = new ByteArrayOutputStream(bytes.length);
        int i = 0;
        while (i < bytes.length) {
            if (bytes[i] != '\\' || i + 1 == bytes.length) {
                value.write(bytes[i++]);
                continue;
            }
            int c = bytes[i + 1];
            i += 2;
            switch (c) {
                case 'n' -> value.write('\n');
                case 'r' -> value.write('\r');
                case 't' -> value.write('\t');
                case '\\' -> value.write('\\');
                case 'x' -> {
                    int digits = digits(bytes, i, 2, 16);
                    value.write(number(bytes, i, digits, 16));
                    i += digits;
                }
                default -> {
                    int digits = digits(bytes, i - 1, 3, 8);
                    if (digits == 0) {
                        value.write(c);
                    } else {
                        value.write(number(bytes, i - 1, digits, 8));
                        i += digits - 1;
                    }
                }
            }
        }
        return value.toByteArray();
    }

    private static int digits(byte[] bytes, int from, int most, int radix) {
        int n = 0;
        while (n < most
                && from + n < bytes.length
                && Character.digit((char) (bytes[from + n] & 0xff), radix) >= 0) {
            n++;
        }
        return n;
    }

    private static int number(byte[] bytes, int from, int digits, int radix) {
        int number = 0;
        for (int i = from; i < from + digits; i++) {
            number = number * radix + Character.digit((char) bytes[i], radix);
        }
        return number;
    }
}
