package io.grantwire.gntalloc.emulated;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A cursor over one message. Reading is bounded by what arrived and fails with {@link Malformed};
 * the bytes may come from a hostile process. Not thread-safe.
 */
final class Message {
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED;

    private final MemorySegment buffer;
    private int position;
    private int limit;

    /** A message that breaks the rules of {@link HypervisorWire}. */
    static final class Malformed extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Malformed(String what) {
            super(what, null, false, false);
        }
    }

    /**
     * @param buffer room for the longest message
     */
    Message(MemorySegment buffer) {
        this.buffer = buffer;
    }

    /** The whole buffer, to receive into. */
    MemorySegment buffer() {
        return buffer;
    }

    /** What has been written, to send. */
    MemorySegment written() {
        return buffer.asSlice(0, position);
    }

    /** Starts writing at the beginning. */
    Message clear() {
        position = 0;
        limit = (int) buffer.byteSize();
        return this;
    }

    /** Starts reading a message of so many bytes. */
    Message received(int bytes) {
        position = 0;
        limit = bytes;
        return this;
    }

    Message put(int value) {
        buffer.set(U32, position, value);
        position += 4;
        return this;
    }

    /** Overwrites a number written earlier. */
    void putAt(int at, int value) {
        buffer.set(U32, at, value);
    }

    /** A number written earlier. */
    int getAt(int at) {
        return buffer.get(U32, at);
    }

    /** Where the next number goes. */
    int position() {
        return position;
    }

    /** Puts the length in bytes and the text, cut to so many bytes. */
    Message putText(String text, int maxBytes) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (bytes.length > maxBytes) {
            bytes = Arrays.copyOf(bytes, maxBytes);
        }
        put(bytes.length);
        MemorySegment.copy(bytes, 0, buffer, ValueLayout.JAVA_BYTE, position, bytes.length);
        position += bytes.length;
        return this;
    }

    int get() {
        if (limit - position < 4) {
            throw new Malformed("too short");
        }
        int value = buffer.get(U32, position);
        position += 4;
        return value;
    }

    /** A count, checked against its bounds, both inclusive. */
    int getCount(String what, int min, int max) {
        int value = get();
        if (value < min || value > max) {
            throw new Malformed(what + " out of range");
        }
        return value;
    }

    String getText(int maxBytes) {
        int length = getCount("text length", 0, maxBytes);
        if (limit - position < length) {
            throw new Malformed("too short");
        }
        byte[] bytes = new byte[length];
        MemorySegment.copy(buffer, ValueLayout.JAVA_BYTE, position, bytes, 0, length);
        position += length;
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** Checks that nothing is left over, which also catches a packet that was cut. */
    void end() {
        if (position != limit) {
            throw new Malformed("bytes left over");
        }
    }
}
