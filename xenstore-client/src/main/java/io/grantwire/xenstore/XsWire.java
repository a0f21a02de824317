package io.grantwire.xenstore;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The codec of the xenstore wire protocol: a 16-byte header {@code {u32 type, u32 req_id, u32
 * tx_id, u32 len}} in the machine's byte order, and {@code len} bytes of payload, at most 4096.
 *
 * <p>Pure functions without state or I/O; any thread. Everything decoded may come from a hostile
 * peer: lengths are checked before anything is allocated, and what does not follow the format is a
 * {@link XsProtocolException}. Text is ISO-8859-1, so that every byte survives the way through a
 * {@code String} and back.
 *
 * <p>Format: {@code xen/include/public/io/xs_wire.h}; payloads: {@code docs/misc/xenstore.txt} of
 * the Xen tree.
 */
public final class XsWire {
    /** Bytes of a header. */
    public static final int HEADER_SIZE = 16;

    /** Most bytes of payload in one message, in either direction. */
    public static final int PAYLOAD_MAX = 4096;

    /** The payload of a success reply that carries no data. */
    public static final String OK = "OK";

    private static final int TYPE_OFFSET = 0;
    private static final int REQ_ID_OFFSET = 4;
    private static final int TX_ID_OFFSET = 8;
    private static final int LENGTH_OFFSET = 12;

    private static final byte[] NOTHING = new byte[0];

    private XsWire() {}

    // Messages

    /**
     * A whole message, header and payload.
     *
     * @throws IllegalArgumentException when the payload is over {@link #PAYLOAD_MAX}
     */
    public static byte[] encode(int type, int reqId, int txId, byte[] payload) {
        if (payload.length > PAYLOAD_MAX) {
            throw new IllegalArgumentException(
                    "a xenstore payload of "
                            + payload.length
                            + " bytes is over the limit of "
                            + PAYLOAD_MAX);
        }
        byte[] message = new byte[HEADER_SIZE + payload.length];
        ByteBuffer b = ByteBuffer.wrap(message).order(ByteOrder.nativeOrder());
        b.putInt(TYPE_OFFSET, type);
        b.putInt(REQ_ID_OFFSET, reqId);
        b.putInt(TX_ID_OFFSET, txId);
        b.putInt(LENGTH_OFFSET, payload.length);
        System.arraycopy(payload, 0, message, HEADER_SIZE, payload.length);
        return message;
    }

    /** A whole message, header and payload. */
    public static byte[] encode(XsType type, int reqId, int txId, byte[] payload) {
        return encode(type.code(), reqId, txId, payload);
    }

    /** A whole message of these fields. */
    public static byte[] encode(XsMessage message) {
        return encode(message.type(), message.reqId(), message.txId(), message.payload());
    }

    /**
     * Takes one message off the front of a buffer that is being filled from a stream.
     *
     * @param in position at the start of a message, limit at the end of what has arrived; the
     *     position moves behind the message, or stays when null is returned. The buffer's byte
     *     order is neither used nor changed.
     * @return the message, or null while it has not arrived completely
     * @throws XsProtocolException when the header announces more than {@link #PAYLOAD_MAX} bytes:
     *     the stream cannot be followed any further
     */
    public static XsMessage decode(ByteBuffer in) {
        if (in.remaining() < HEADER_SIZE) {
            return null;
        }
        ByteBuffer b = in.duplicate().order(ByteOrder.nativeOrder());
        int at = b.position();
        int length = payloadLength(b, at);
        if (b.remaining() - HEADER_SIZE < length) {
            return null;
        }
        byte[] payload = length == 0 ? NOTHING : new byte[length];
        b.get(at + HEADER_SIZE, payload);
        in.position(at + HEADER_SIZE + length);
        return new XsMessage(
                b.getInt(at + TYPE_OFFSET),
                b.getInt(at + REQ_ID_OFFSET),
                b.getInt(at + TX_ID_OFFSET),
                payload);
    }

    /**
     * The payload length a header announces, for a transport that reads header and payload apart.
     *
     * @param header a buffer that holds a whole header from its position on; it is not changed
     * @throws XsProtocolException when it is over {@link #PAYLOAD_MAX}
     */
    public static int payloadLength(ByteBuffer header) {
        return payloadLength(header.duplicate().order(ByteOrder.nativeOrder()), header.position());
    }

    private static int payloadLength(ByteBuffer nativeOrder, int at) {
        int length = nativeOrder.getInt(at + LENGTH_OFFSET);
        // Unsigned: a length with the top bit set is huge, not negative.
        if (Integer.compareUnsigned(length, PAYLOAD_MAX) > 0) {
            throw new XsProtocolException(
                    "a xenstore message announces "
                            + Integer.toUnsignedString(length)
                            + " bytes of payload; the limit is "
                            + PAYLOAD_MAX);
        }
        return length;
    }

    // Payloads, outgoing

    /**
     * Strings one after the other, each with its NUL.
     *
     * @throws IllegalArgumentException when a string has a NUL or a character above U+00FF
     */
    public static byte[] join(String... strings) {
        return join(List.of(strings));
    }

    /**
     * Strings one after the other, each with its NUL.
     *
     * @throws IllegalArgumentException when a string has a NUL or a character above U+00FF
     */
    public static byte[] join(List<String> strings) {
        int size = 0;
        for (String s : strings) {
            size += s.length() + 1;
        }
        byte[] payload = new byte[size];
        int at = 0;
        for (String s : strings) {
            at = put(s, payload, at);
        }
        return payload;
    }

    /** A string with its NUL and then raw bytes to the end, as WRITE has it. */
    public static byte[] joinRaw(String first, byte[] rest) {
        byte[] payload = new byte[first.length() + 1 + rest.length];
        int at = put(first, payload, 0);
        System.arraycopy(rest, 0, payload, at, rest.length);
        return payload;
    }

    private static int put(String s, byte[] to, int at) {
        for (int i = 0; i < s.length(); i++) {
            char c = s.charAt(i);
            if (c == 0 || c > 0xff) {
                throw new IllegalArgumentException(
                        "a xenstore string cannot hold the character U+"
                                + Integer.toHexString(0x10000 | c).substring(1));
            }
            to[at + i] = (byte) c;
        }
        return at + s.length() + 1;
    }

    /**
     * Text as bytes, without a NUL; for values, which may hold NULs.
     *
     * @throws IllegalArgumentException when there is a character above U+00FF
     */
    public static byte[] bytes(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) > 0xff) {
                throw new IllegalArgumentException(
                        "a xenstore value cannot hold the character U+"
                                + Integer.toHexString(0x10000 | text.charAt(i)).substring(1)
                                + "; write bytes instead");
            }
        }
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    // Payloads, incoming

    /** Bytes as text, each byte one character. */
    public static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    /**
     * All the strings of a payload, each ended by its NUL; an empty payload has none.
     *
     * @throws XsProtocolException when the last string has no NUL
     */
    public static List<String> split(byte[] payload) {
        List<String> strings = new ArrayList<>();
        int from = 0;
        while (from < payload.length) {
            int end = nul(payload, from);
            if (end < 0) {
                throw new XsProtocolException("the last string of a xenstore payload has no NUL");
            }
            strings.add(text(payload, from, end));
            from = end + 1;
        }
        return strings;
    }

    /**
     * The first string of a payload.
     *
     * @throws XsProtocolException when it has no NUL
     */
    public static String first(byte[] payload) {
        return text(payload, 0, firstEnd(payload));
    }

    /**
     * What follows the first string and its NUL.
     *
     * @throws XsProtocolException when the first string has no NUL
     */
    public static byte[] afterFirst(byte[] payload) {
        int from = firstEnd(payload) + 1;
        byte[] rest = new byte[payload.length - from];
        System.arraycopy(payload, from, rest, 0, rest.length);
        return rest;
    }

    /**
     * An unsigned 32-bit decimal number, for instance a transaction id.
     *
     * @return its bits
     * @throws XsProtocolException when the text is anything else
     */
    public static int number(String text) {
        // Bounded before parsing: ten digits always fit a long.
        boolean digits = !text.isEmpty() && text.length() <= 10;
        long value = 0;
        for (int i = 0; digits && i < text.length(); i++) {
            char c = text.charAt(i);
            digits = c >= '0' && c <= '9';
            value = value * 10 + (c - '0');
        }
        if (!digits || value > 0xffff_ffffL) {
            throw new XsProtocolException("not a 32-bit decimal number in a xenstore payload");
        }
        return (int) value;
    }

    private static int firstEnd(byte[] payload) {
        int end = nul(payload, 0);
        if (end < 0) {
            throw new XsProtocolException("the first string of a xenstore payload has no NUL");
        }
        return end;
    }

    private static int nul(byte[] payload, int from) {
        for (int i = from; i < payload.length; i++) {
            if (payload[i] == 0) {
                return i;
            }
        }
        return -1;
    }

    private static String text(byte[] payload, int from, int to) {
        return new String(payload, from, to - from, StandardCharsets.ISO_8859_1);
    }
}
