package io.grantwire.vswitch.ring;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** A frame from one guest's transmit ring straight into another's receive ring: one copy. */
public final class DirectPath {
    private static final ValueLayout.OfLong BE64 =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfLong U64 =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort U16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int HEADER = DeviceRing.HEADER;
    private static final MemorySegment ZERO_HEADER = Arena.global().allocate(HEADER).asReadOnly();

    private DirectPath() {}

    /**
     * The first eight bytes of the frame of a transmit ring's first chain, as a big-endian number:
     * the destination address in the upper 48 bits. The caller has checked that the frame has them.
     *
     * <p>The guest may change them afterwards. Whoever decides by this number hands the same number
     * to {@link #copy}, so that what is delivered is what was looked at.
     */
    public static long first8(DeviceRing from) {
        int buffer = from.firstBuffer[from.winPos];
        if (from.lengths[buffer] >= 8) {
            long place = from.places[buffer];
            return from.memory
                    .segment(GuestMemory.rangeOf(place))
                    .get(BE64, GuestMemory.offsetOf(place));
        }
        return gather8(from, buffer);
    }

    /** The same when the first buffer is shorter than that. */
    private static long gather8(DeviceRing from, int buffer) {
        long value = 0;
        int at = 0;
        for (int i = 0; i < 8; i++) {
            while (at == from.lengths[buffer]) {
                buffer++;
                at = 0;
            }
            long place = from.places[buffer] + at++;
            byte b =
                    from.memory
                            .segment(GuestMemory.rangeOf(place))
                            .get(ValueLayout.JAVA_BYTE, GuestMemory.offsetOf(place));
            value = value << 8 | b & 0xff;
        }
        return value;
    }

    /**
     * Copies the first frame of one ring into the first chain of another, header included, and
     * completes the latter; the caller has compared the lengths, and completes the former.
     *
     * @param first8 the frame's first eight bytes, as {@link #first8} gave them
     */
    public static void copy(DeviceRing from, DeviceRing to, long first8) {
        int len = from.frameBytes();
        int source = from.firstBuffer[from.winPos];
        int target = to.firstBuffer[to.winPos];
        if (from.firstBuffer[from.winPos + 1] - source == 1
                && to.firstBuffer[to.winPos + 1] - target == 1) {
            long place = to.places[target];
            MemorySegment pool = to.memory.segment(GuestMemory.rangeOf(place));
            long at = GuestMemory.offsetOf(place);
            pool.set(U64, at, 0L);
            pool.set(U16, at + 8, (short) 0);
            long origin = from.places[source];
            MemorySegment.copy(
                    from.memory.segment(GuestMemory.rangeOf(origin)),
                    GuestMemory.offsetOf(origin),
                    pool,
                    at + HEADER,
                    (long) len);
            pool.set(BE64, at + HEADER, first8);
        } else {
            gather(from, to, len, first8);
        }
        to.complete(len + HEADER);
    }

    /** Buffer by buffer; lengths are those the walker kept, whatever the guests do meanwhile. */
    private static void gather(DeviceRing from, DeviceRing to, int len, long first8) {
        to.write(to.winPos, 0, ZERO_HEADER, 0, HEADER);
        int at = HEADER;
        int buffer = from.firstBuffer[from.winPos];
        int end = from.firstBuffer[from.winPos + 1];
        for (; buffer < end; buffer++) {
            long place = from.places[buffer];
            int n = from.lengths[buffer];
            to.write(
                    to.winPos,
                    at,
                    from.memory.segment(GuestMemory.rangeOf(place)),
                    GuestMemory.offsetOf(place),
                    n);
            at += n;
        }
        assert at == len + HEADER;
        to.scratch.set(BE64, 0, first8);
        to.write(to.winPos, HEADER, to.scratch, 0, 8);
    }
}
