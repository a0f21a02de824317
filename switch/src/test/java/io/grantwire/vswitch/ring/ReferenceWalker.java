package io.grantwire.vswitch.ring;

import io.grantwire.pmd.hostile.RawRing;
import io.grantwire.pmd.virtio.SplitRingLayout;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * The rules of a ring once more, as plainly as they can be written: for memory that keeps still,
 * {@link DeviceRing} must come to the same chains and the same verdict. It looks at one ring, once.
 */
final class ReferenceWalker {
    private static final ValueLayout.OfLong U64 =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt U32 =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort U16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** A part of a buffer: which range, where in it, how many bytes. */
    record Piece(int range, long offset, int length) {}

    /** A chain: its head, and the bytes of it that count; of a transmit chain the frame alone. */
    record Chain(int head, List<Piece> pieces) {
        int bytes() {
            return pieces.stream().mapToInt(Piece::length).sum();
        }
    }

    private final RawRing ring;
    private final boolean receive;
    private final List<GuestRange> ranges;

    /** The good chains, in order, up to the first bad one. */
    final List<Chain> chains = new ArrayList<>();

    /** Why it ended, or null. */
    RejectReason verdict;

    private ReferenceWalker(RawRing ring, boolean receive, List<GuestRange> ranges) {
        this.ring = ring;
        this.receive = receive;
        this.ranges = ranges;
    }

    /** Walks everything from {@code used.idx} to {@code avail.idx}. */
    static ReferenceWalker walk(RawRing ring, boolean receive, List<GuestRange> ranges) {
        ReferenceWalker walker = new ReferenceWalker(ring, receive, ranges);
        walker.verdict = walker.walk();
        return walker;
    }

    private RejectReason walk() {
        int size = ring.layout.size();
        int at = ring.usedIdx();
        int offered = ring.availIdx() - at & 0xffff;
        if (offered > size) {
            return RejectReason.AVAIL_IDX_JUMP;
        }
        for (int i = 0; i < offered; i++) {
            int head = u16(ring.layout.availEntry(at + i & size - 1));
            if (head >= size) {
                return RejectReason.HEAD_OUT_OF_RANGE;
            }
            RejectReason bad = chain(head, size);
            if (bad != null) {
                return bad;
            }
        }
        return null;
    }

    private RejectReason chain(int head, int size) {
        List<Piece> pieces = new ArrayList<>();
        int index = head;
        int skip = receive ? 0 : DeviceRing.HEADER;
        long total = 0;
        for (int hops = 1; ; hops++) {
            long desc = SplitRingLayout.desc(index);
            int flags = u16(desc + SplitRingLayout.DESC_FLAGS);
            if ((flags & SplitRingLayout.F_INDIRECT) != 0) {
                return RejectReason.INDIRECT;
            }
            boolean write = (flags & SplitRingLayout.F_WRITE) != 0;
            if (write != receive) {
                return receive ? RejectReason.NOT_WRITABLE : RejectReason.NOT_READABLE;
            }
            long length = Integer.toUnsignedLong(ring.memory.get(U32, desc + 8));
            total += length;
            if (total > DeviceRing.MAX_CHAIN_BYTES) {
                return RejectReason.CHAIN_TOO_LONG;
            }
            if (length > skip) {
                RejectReason bad = buffer(ring.memory.get(U64, desc), (int) length, skip, pieces);
                if (bad != null) {
                    return bad;
                }
                skip = 0;
            } else {
                skip -= (int) length;
            }
            if ((flags & SplitRingLayout.F_NEXT) == 0) {
                break;
            }
            if (hops == size) {
                return RejectReason.CHAIN_LOOP;
            }
            index = u16(desc + SplitRingLayout.DESC_NEXT);
            if (index >= size) {
                return RejectReason.NEXT_OUT_OF_RANGE;
            }
        }
        if (total <= DeviceRing.HEADER) {
            return RejectReason.CHAIN_TOO_SHORT;
        }
        chains.add(new Chain(head, pieces));
        return null;
    }

    private RejectReason buffer(long address, int length, int skip, List<Piece> pieces) {
        boolean begins = false;
        for (int r = 0; r < ranges.size(); r++) {
            GuestRange range = ranges.get(r);
            boolean first = inside(address, range);
            boolean last = inside(address + length - 1, range);
            // A range does not wrap, so a buffer with both ends inside is inside.
            if (first && last) {
                pieces.add(new Piece(r, address - range.address() + skip, length - skip));
                return null;
            }
            begins |= first;
        }
        return begins ? RejectReason.ADDRESS_OVERRUN : RejectReason.ADDRESS_UNKNOWN;
    }

    private static boolean inside(long address, GuestRange range) {
        return Long.compareUnsigned(address, range.address()) >= 0
                && Long.compareUnsigned(address, range.last()) <= 0;
    }

    private int u16(long at) {
        return ring.memory.get(U16, at) & 0xffff;
    }
}
