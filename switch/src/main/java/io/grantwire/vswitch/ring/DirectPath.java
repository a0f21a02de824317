package io.grantwire.vswitch.ring;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** A frame from one guest's transmit ring straight into another's receive ring: one copy. */
public final class DirectPath {
    private static final ValueLayout.OfLong BE64 =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final MemorySegment ALL = DeviceRing.ALL;
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
        int chain = from.winPos;
        if (from.buffers(chain) == 1) {
            return ALL.get(BE64, from.window[2 * chain]);
        }
        from.read(0, from.scratch, 0, 8);
        return from.scratch.get(BE64, 0);
    }

    /**
     * Copies the first frame of one ring into the first chain of another, header included, and
     * completes the latter; the caller has compared the lengths, and completes the former.
     *
     * @param first8 the frame's first eight bytes, as {@link #first8} gave them
     */
    public static void copy(DeviceRing from, DeviceRing to, long first8) {
        int len = from.frameBytes();
        if (from.buffers(from.winPos) == 1 && to.buffers(to.winPos) == 1) {
            long at = to.window[2 * to.winPos];
            DeviceRing.clearHeader(at);
            MemorySegment.copy(ALL, from.window[2 * from.winPos], ALL, at + HEADER, (long) len);
            ALL.set(BE64, at + HEADER, first8);
        } else {
            gather(from, to, len, first8);
        }
        to.complete(len + HEADER);
    }

    /** Buffer by buffer; lengths are those the walker kept, whatever the guests do meanwhile. */
    private static void gather(DeviceRing from, DeviceRing to, int len, long first8) {
        to.write(0, ZERO_HEADER, 0, HEADER);
        int at = HEADER;
        int chain = from.winPos;
        for (int buffer = 0; at < len + HEADER; buffer++) {
            int n = from.length(chain, buffer);
            to.write(at, ALL, from.place(chain, buffer), n);
            at += n;
        }
        to.scratch.set(BE64, 0, first8);
        to.write(HEADER, to.scratch, 0, 8);
    }
}
