package io.grantwire.vswitch.ring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class GuestMemoryTest {
    private static GuestRange range(String name, long address, long bytes) {
        return new GuestRange(name, address, Arena.ofAuto().allocate(bytes, 4096));
    }

    private static RejectReason reason(GuestMemory memory, long address, long length) {
        long place = memory.translate(address, length);
        assertTrue(place < 0, () -> "accepted as " + Long.toHexString(place));
        return RejectReason.decode(place);
    }

    @Test
    void findsABufferInsideARange() {
        GuestMemory memory = GuestMemory.of(List.of(range("0", 0x7f00_0000_0000L, 8192)));
        long place = memory.translate(0x7f00_0000_0010L, 100);
        assertEquals(0, GuestMemory.rangeOf(place));
        assertEquals(16, GuestMemory.offsetOf(place));
    }

    @Test
    void findsTheRangeAmongSeveral() {
        List<GuestRange> ranges = new ArrayList<>();
        for (int i = 0; i < GuestMemory.MAX_RANGES; i++) {
            ranges.add(range("pool " + i, 0x1000_0000L * (16 - i), 4096));
        }
        GuestMemory memory = GuestMemory.of(ranges);
        assertEquals(16, memory.ranges());
        for (int i = 0; i < 16; i++) {
            long place = memory.translate(0x1000_0000L * (16 - i) + 4095, 1);
            assertEquals(i, GuestMemory.rangeOf(place));
            assertEquals(4095, GuestMemory.offsetOf(place));
        }
    }

    @Test
    void theEndIsExclusive() {
        GuestMemory memory = GuestMemory.of(List.of(range("0", 0x1000, 4096)));
        assertEquals(0, GuestMemory.offsetOf(memory.translate(0x1000, 4096)));
        assertEquals(4095, GuestMemory.offsetOf(memory.translate(0x1fff, 1)));
        assertEquals(RejectReason.ADDRESS_OVERRUN, reason(memory, 0x1000, 4097));
        assertEquals(RejectReason.ADDRESS_OVERRUN, reason(memory, 0x1fff, 2));
        assertEquals(RejectReason.ADDRESS_UNKNOWN, reason(memory, 0x2000, 1));
    }

    @Test
    void anAddressInNoRangeIsRefused() {
        GuestMemory memory = GuestMemory.of(List.of(range("0", 0x10000, 4096)));
        assertEquals(RejectReason.ADDRESS_UNKNOWN, reason(memory, 0, 10));
        assertEquals(RejectReason.ADDRESS_UNKNOWN, reason(memory, 0xffff, 2));
        assertEquals(RejectReason.ADDRESS_UNKNOWN, reason(memory, -1, 1));
        assertEquals(RejectReason.ADDRESS_UNKNOWN, reason(memory, Long.MIN_VALUE, 1));
    }

    @Test
    void aLengthThatWouldWrapIsRefused() {
        GuestMemory memory = GuestMemory.of(List.of(range("0", -8192L, 8192)));
        assertEquals(4096, GuestMemory.offsetOf(memory.translate(-4096L, 4096)));
        assertEquals(RejectReason.ADDRESS_OVERRUN, reason(memory, -4096L, 4097));
        assertEquals(RejectReason.ADDRESS_OVERRUN, reason(memory, -1L, 0xffff_ffffL));
        assertEquals(RejectReason.ADDRESS_UNKNOWN, reason(memory, 0L, 0xffff_ffffL));
    }

    @Test
    void aBufferAcrossTwoAdjacentRangesIsRefused() {
        GuestMemory memory =
                GuestMemory.of(List.of(range("0", 0x1000, 4096), range("1", 0x2000, 4096)));
        assertEquals(RejectReason.ADDRESS_OVERRUN, reason(memory, 0x1ff0, 32));
    }

    @Test
    void overlappingRangesAreRefusedByName() {
        String message =
                assertThrows(
                                IllegalArgumentException.class,
                                () ->
                                        GuestMemory.of(
                                                List.of(
                                                        range("pool 0", 0x1000, 8192),
                                                        range("pool 1", 0x2fff, 4096))))
                        .getMessage();
        assertEquals("pool 0 and pool 1 overlap", message);
    }

    @Test
    void aRangeAroundTheEndOfTheAddressSpaceIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> range("0", -4096L, 8192));
        assertEquals(-1L, range("0", -4096L, 4096).last());
    }

    @Test
    void moreThanSixteenRangesAreRefused() {
        List<GuestRange> ranges = new ArrayList<>();
        for (int i = 0; i < 17; i++) {
            ranges.add(range("" + i, 0x10000L * (i + 1), 4096));
        }
        assertThrows(IllegalArgumentException.class, () -> GuestMemory.of(ranges));
        assertThrows(IllegalArgumentException.class, () -> GuestMemory.of(List.of()));
    }

    @Test
    void agreesWithUnboundedArithmetic() {
        SplittableRandom random = new SplittableRandom(7);
        GuestMemory memory =
                GuestMemory.of(
                        List.of(
                                range("0", 0x7fff_ffff_f000L, 4096),
                                range("1", 0x8000_0000_0000_0000L - 4096, 8192),
                                range("2", -4096L, 4096)));
        for (int i = 0; i < 200_000; i++) {
            long base = memory.address(random.nextInt(3));
            long address = base + random.nextInt(-10_000, 10_000);
            long length = random.nextInt(5) == 0 ? random.nextLong(1L << 32) : random.nextInt(9000);
            long place = memory.translate(address, length);
            int expected = -1;
            for (int r = 0; r < 3; r++) {
                var first = new java.math.BigInteger(Long.toUnsignedString(memory.address(r)));
                var end = first.add(java.math.BigInteger.valueOf(memory.size(r)));
                var from = new java.math.BigInteger(Long.toUnsignedString(address));
                var to = from.add(java.math.BigInteger.valueOf(length));
                if (from.compareTo(first) >= 0 && to.compareTo(end) <= 0) {
                    expected = r;
                }
            }
            assertEquals(expected, place < 0 ? -1 : GuestMemory.rangeOf(place));
            if (place >= 0) {
                assertEquals(address - memory.address(expected), GuestMemory.offsetOf(place));
            }
        }
    }
}
