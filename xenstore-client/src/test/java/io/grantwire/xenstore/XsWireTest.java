package io.grantwire.xenstore;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class XsWireTest {

    @Test
    void headerIsFourWordsInMachineOrder() {
        byte[] m = XsWire.encode(XsType.WRITE, 7, 9, XsWire.joinRaw("/a", new byte[] {0, -1}));
        ByteBuffer b = ByteBuffer.wrap(m).order(ByteOrder.nativeOrder());
        assertEquals(11, b.getInt());
        assertEquals(7, b.getInt());
        assertEquals(9, b.getInt());
        assertEquals(5, b.getInt());
        assertArrayEquals(new byte[] {'/', 'a', 0, 0, -1}, tail(m));
    }

    @Test
    void everyTypeHasItsNumberFromTheHeaderFile() {
        assertEquals(0, XsType.CONTROL.code());
        assertEquals(15, XsType.WATCH_EVENT.code());
        assertEquals(16, XsType.ERROR.code());
        assertEquals(19, XsType.SET_TARGET.code());
        assertNull(XsType.of(20));
        assertEquals(XsType.RESET_WATCHES, XsType.of(21));
        assertEquals(26, XsType.SET_QUOTA.code());
        assertNull(XsType.of(27));
        assertNull(XsType.of(-1));
        assertEquals("type 4294967295", XsType.nameOf(-1));
    }

    @Test
    void decodesMessagesThatArriveByteByByte() {
        byte[] one = XsWire.encode(XsType.READ, 1, 0, XsWire.join("/x"));
        byte[] two = XsWire.encode(XsType.ERROR, -2, 5, XsWire.join("ENOENT"));
        ByteBuffer in = ByteBuffer.allocate(100);
        byte[] stream = new byte[one.length + two.length];
        System.arraycopy(one, 0, stream, 0, one.length);
        System.arraycopy(two, 0, stream, one.length, two.length);
        int messages = 0;
        for (byte b : stream) {
            in.put(b).flip();
            XsMessage m = XsWire.decode(in);
            if (m != null) {
                messages++;
                assertEquals(messages == 1 ? 1 : -2, m.reqId());
                assertEquals(messages == 1 ? "/x" : "ENOENT", XsWire.first(m.payload()));
                assertEquals(0, in.remaining());
            }
            in.compact();
        }
        assertEquals(2, messages);
    }

    @Test
    void refusesLengthsOverTheLimitBeforeAllocating() {
        for (int length : new int[] {4097, Integer.MAX_VALUE, Integer.MIN_VALUE, -1}) {
            ByteBuffer b = ByteBuffer.allocate(16).order(ByteOrder.nativeOrder());
            b.putInt(12, length);
            assertThrows(XsProtocolException.class, () -> XsWire.decode(b));
            assertThrows(XsProtocolException.class, () -> XsWire.payloadLength(b));
        }
        ByteBuffer most = ByteBuffer.allocate(16).order(ByteOrder.nativeOrder());
        most.putInt(12, 4096);
        assertEquals(4096, XsWire.payloadLength(most));
        assertNull(XsWire.decode(most));
        assertThrows(
                IllegalArgumentException.class,
                () -> XsWire.encode(XsType.WRITE, 0, 0, new byte[4097]));
    }

    @Test
    void splitsStringsAndKeepsEmptyOnes() {
        assertEquals(List.of(), XsWire.split(new byte[0]));
        assertEquals(List.of(""), XsWire.split(new byte[1]));
        assertEquals(List.of("a", "", "b"), XsWire.split(XsWire.join("a", "", "b")));
        assertThrows(XsProtocolException.class, () -> XsWire.split(new byte[] {'a', 0, 'b'}));
        assertThrows(XsProtocolException.class, () -> XsWire.first(new byte[] {'a'}));
        assertThrows(XsProtocolException.class, () -> XsWire.afterFirst(new byte[0]));
        assertArrayEquals(new byte[0], XsWire.afterFirst(new byte[] {'a', 0}));
    }

    @Test
    void refusesStringsThatCannotBeSent() {
        assertThrows(IllegalArgumentException.class, () -> XsWire.join("a\0b"));
        assertThrows(IllegalArgumentException.class, () -> XsWire.join("\u0100"));
        assertThrows(IllegalArgumentException.class, () -> XsWire.bytes("\u20ac"));
        assertArrayEquals(new byte[] {(byte) 0xff, 0}, XsWire.bytes("\u00ff\0"));
    }

    @Test
    void parsesNumbersAndNothingElse() {
        assertEquals(0, XsWire.number("0"));
        assertEquals(-1, XsWire.number("4294967295"));
        for (String bad : List.of("", "-1", "+1", " 1", "1a", "4294967296", "00000000001")) {
            assertThrows(XsProtocolException.class, () -> XsWire.number(bad), bad);
        }
    }

    @Test
    void anyBytesDecodeToAMessageOrAreRefused() {
        Random random = new Random(25);
        for (int round = 0; round < 20_000; round++) {
            byte[] bytes = new byte[random.nextInt(64)];
            random.nextBytes(bytes);
            if (bytes.length >= 16 && random.nextBoolean()) {
                ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).putInt(12, bytes.length - 16);
            }
            try {
                ByteBuffer in = ByteBuffer.wrap(bytes);
                XsMessage m = XsWire.decode(in);
                if (m != null) {
                    assertArrayEquals(
                            bytes.length == in.position()
                                    ? bytes
                                    : java.util.Arrays.copyOf(bytes, in.position()),
                            XsWire.encode(m));
                    XsWire.split(m.payload());
                }
            } catch (XsProtocolException expected) {
                // Refused: that is all hostile bytes may cause.
            }
        }
    }

    private static byte[] tail(byte[] message) {
        return java.util.Arrays.copyOfRange(message, XsWire.HEADER_SIZE, message.length);
    }
}
