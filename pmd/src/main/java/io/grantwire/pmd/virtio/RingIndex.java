package io.grantwire.pmd.virtio;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Free-running 16-bit ring indices: their arithmetic, and the only ordered accesses that the packet
 * path makes. An index is an {@code int} from 0 to 65535 everywhere outside the shared memory.
 *
 * <p>Source: VIRTIO 1.2 sections 2.7.6 and 2.7.8.
 */
public final class RingIndex {
    private static final VarHandle U16 =
            ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

    private RingIndex() {}

    /** How far {@code to} is ahead of {@code from}, 0 to 65535. */
    public static int delta(int to, int from) {
        return (to - from) & 0xffff;
    }

    /** {@code index} moved on by {@code n}. */
    public static int advance(int index, int n) {
        return (index + n) & 0xffff;
    }

    /**
     * Whether a peer that asked to be told at {@code event} has to be told, now that the index has
     * moved from {@code from} to {@code to} (section 2.7.10, {@code vring_need_event}).
     */
    public static boolean needsEvent(int event, int to, int from) {
        return delta(delta(to, event), 1) < delta(to, from);
    }

    /** The ring slot of an index; {@code mask} is the ring's size less one. */
    public static int slot(int index, int mask) {
        return index & mask;
    }

    /**
     * Reads an index the peer publishes. What the peer wrote before it published is visible
     * afterwards; pairs with the peer's {@link #release}. The value is the peer's: check its
     * distance before use.
     *
     * @param offset of the 16-bit field, even
     */
    public static int acquire(MemorySegment ring, long offset) {
        return (short) U16.getAcquire(ring, offset) & 0xffff;
    }

    /**
     * Publishes an index of ours. What we wrote before is visible to a peer that reads the new
     * value; pairs with the peer's {@link #acquire}.
     *
     * @param offset of the 16-bit field, even
     */
    public static void release(MemorySegment ring, long offset, int index) {
        U16.setRelease(ring, offset, (short) index);
    }
}
