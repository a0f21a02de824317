package io.grantwire.vswitch.ring;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;

/** One state of a ring through {@link DeviceRing} and {@link ReferenceWalker}: both must agree. */
final class RingCheck {
    private final MemorySegment here =
            java.lang.foreign.Arena.ofAuto().allocate(DeviceRing.MAX_CHAIN_BYTES + 64);

    /**
     * Serves all that the ring offers.
     *
     * @return the verdict; null when the ring is good
     * @throws AssertionError when the two do not agree, or the walker did something it must not
     */
    RejectReason run(RingScript script, boolean receive) {
        ReferenceWalker expected = ReferenceWalker.walk(script.ring, receive, script.ranges);
        byte[] table = script.ring.descriptorTable();
        DeviceRing ring =
                receive
                        ? DeviceRing.receive(script.ring.memory, script.ring.layout, script.memory)
                        : DeviceRing.transmit(
                                script.ring.memory, script.ring.layout, script.memory);
        int used = script.ring.usedIdx();
        int done = 0;
        while (ring.fill() > 0) {
            check(done < expected.chains.size(), "more chains than the reference has");
            ReferenceWalker.Chain chain = expected.chains.get(done);
            int bytes = ring.frameBytes();
            check(chain.bytes() - (receive ? DeviceRing.HEADER : 0) == bytes, "bytes of a chain");
            if (receive) {
                fill(ring, script, chain, bytes + DeviceRing.HEADER, done);
            } else {
                ring.read(0, here, 0, bytes);
                compare(script.ranges, chain, "read");
            }
            ring.complete(receive ? bytes + DeviceRing.HEADER : 0);
            done++;
        }
        check(done == expected.chains.size(), done + " chains, not " + expected.chains.size());
        check(ring.violation() == expected.verdict, ring.violation() + ", not " + expected.verdict);
        check(Arrays.equals(table, script.ring.descriptorTable()), "the table was written");
        check(script.ring.usedIdx() == used, "told the guest before publish");
        ring.publish();
        check((script.ring.usedIdx() - used & 0xffff) == done, "used.idx");
        for (ReferenceWalker.Chain chain : expected.chains) {
            check(script.ring.usedId() == chain.head(), "used id");
            script.ring.takeUsed();
        }
        return ring.violation();
    }

    /** Writes a pattern into a receive chain, and looks that it is there and nowhere else. */
    private void fill(
            DeviceRing ring, RingScript script, ReferenceWalker.Chain chain, int length, int seed) {
        if (overlap(chain.pieces())) {
            // A guest may post one place twice; then the order of writes decides.
            ring.write(0, here, 0, length);
            return;
        }
        for (int i = 0; i < length; i++) {
            here.set(ValueLayout.JAVA_BYTE, i, (byte) (seed * 31 + i * 13 + 1));
        }
        ring.write(0, here, 0, length);
        compare(script.ranges, chain, "written");
    }

    private static boolean overlap(List<ReferenceWalker.Piece> pieces) {
        for (int i = 0; i < pieces.size(); i++) {
            for (int j = 0; j < i; j++) {
                ReferenceWalker.Piece a = pieces.get(i);
                ReferenceWalker.Piece b = pieces.get(j);
                if (a.range() == b.range()
                        && a.offset() < b.offset() + b.length()
                        && b.offset() < a.offset() + a.length()) {
                    return true;
                }
            }
        }
        return false;
    }

    private void compare(List<GuestRange> ranges, ReferenceWalker.Chain chain, String what) {
        long at = 0;
        for (ReferenceWalker.Piece piece : chain.pieces()) {
            long differs =
                    MemorySegment.mismatch(
                            here,
                            at,
                            at + piece.length(),
                            ranges.get(piece.range()).segment(),
                            piece.offset(),
                            piece.offset() + piece.length());
            check(differs == -1, "bytes " + what);
            at += piece.length();
        }
    }

    static void check(boolean good, String what) {
        if (!good) {
            throw new AssertionError(what);
        }
    }
}
