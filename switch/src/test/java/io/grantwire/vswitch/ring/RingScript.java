package io.grantwire.vswitch.ring;

import io.grantwire.pmd.hostile.RawRing;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Bytes as the contents of a small ring, so that a fuzzer reaches every depth of the walker by
 * changing few of them. The first says where the indices stand, the second how many entries are
 * offered; then an avail entry each; what follows are descriptors of seven bytes: what the address
 * counts from, address (two), length (two), flags, next.
 */
final class RingScript {
    static final int SIZE = 16;
    static final int POOL = 8192;
    private static final int DESC = 7;
    private static final long[] BASES = {0x10000, 0x7fff_ffff_0000L, -POOL};

    final RawRing ring;
    final List<GuestRange> ranges;
    final GuestMemory memory;

    RingScript() {
        Arena arena = Arena.ofAuto();
        ring = new RawRing(arena, SIZE);
        MemorySegment pools = arena.allocate(3L * POOL, 4096);
        for (long i = 0; i < pools.byteSize(); i++) {
            pools.set(java.lang.foreign.ValueLayout.JAVA_BYTE, i, (byte) (i * 7 + (i >> 8)));
        }
        ranges =
                List.of(
                        new GuestRange("0", BASES[0], pools.asSlice(0, POOL)),
                        new GuestRange("1", BASES[1], pools.asSlice(POOL, POOL)),
                        new GuestRange("2", BASES[2], pools.asSlice(2L * POOL, POOL)));
        memory = GuestMemory.of(ranges);
    }

    /** Writes a script into the ring. */
    void load(byte[] bytes) {
        ring.memory.fill((byte) 0);
        ring.startAt(at(bytes, 0) * 257);
        int offered = at(bytes, 1);
        int entries = offered % (SIZE + 1);
        for (int i = 0; i < entries; i++) {
            int entry = at(bytes, 2 + i);
            ring.offer(entry >= 0xe0 ? entry * 257 : entry % (SIZE + 1));
        }
        if (offered >= 0xc0) {
            ring.availIdx(ring.availIdx() + offered * 31);
        }
        int from = 2 + entries;
        for (int i = 0; i < SIZE; i++) {
            int d = from + i * DESC;
            int base = at(bytes, d);
            int offset = at(bytes, d + 1) | at(bytes, d + 2) << 8;
            int length = at(bytes, d + 3) | at(bytes, d + 4) << 8;
            long address =
                    base >= 0xf0
                            ? (long) (short) offset << (base & 15) * 4
                            : BASES[base % 3] + (base >= 0xe0 ? (short) offset : offset);
            int next = at(bytes, d + 6);
            ring.desc(
                    i,
                    address,
                    length >= 0xf000 ? length << 16 | length : length,
                    at(bytes, d + 5),
                    next >= 0xf0 ? next * 257 : next % (SIZE + 1));
        }
    }

    private static int at(byte[] bytes, int i) {
        return i < bytes.length ? bytes[i] & 0xff : 0;
    }
}
