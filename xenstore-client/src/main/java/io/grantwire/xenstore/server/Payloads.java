package io.grantwire.xenstore.server;

import io.grantwire.xenstore.XsWire;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Takes request payloads apart with the tolerance of xenstored: where strings are expected, bytes
 * after the last NUL are not looked at.
 */
final class Payloads {
    private Payloads() {}

    /** All strings that have their NUL. */
    static List<String> strings(byte[] payload) {
        List<String> strings = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < payload.length; i++) {
            if (payload[i] == 0) {
                strings.add(XsWire.text(Arrays.copyOfRange(payload, from, i)));
                from = i + 1;
            }
        }
        return strings;
    }

    /** The single string of a payload whose only NUL is its last byte. */
    static String one(byte[] payload) throws StoreError {
        List<String> strings = strings(payload);
        if (strings.size() != 1 || payload[payload.length - 1] != 0) {
            throw new StoreError(StoreErrno.EINVAL);
        }
        return strings.getFirst();
    }

    /** A number as C's atoi reads it: leading digits, else 0; saturates. */
    static int leadingNumber(String text) {
        int value = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < '0' || c > '9') {
                break;
            }
            value = Math.min(value * 10 + (c - '0'), 100_000_000);
        }
        return value;
    }
}
