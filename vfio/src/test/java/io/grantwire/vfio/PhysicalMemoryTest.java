package io.grantwire.vfio;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.bindings.Mapping;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Memory at physical addresses, with frames that the test makes up. */
class PhysicalMemoryTest {
    private static final long PAGE = Mapping.pageSize();
    private static final long HUGE = 512 * PAGE;

    /** Pages keep the frames they were first seen in. */
    private static final class MadeUp implements FrameTable {
        private final Map<Long, Long> frames = new HashMap<>();
        private long next = 0x1000;
        private long step = 1;

        /** Frames of new pages lie that far from each other. */
        MadeUp everyNth(long n) {
            step = n;
            return this;
        }

        @Override
        public long frameOf(long address) {
            return frames.computeIfAbsent(address, a -> next += step);
        }

        @Override
        public String description() {
            return "made up";
        }
    }

    @Test
    void adjacentFramesAreOneRun() {
        try (Mapping memory = Mapping.anonymous(8 * PAGE)) {
            Runs runs = Runs.of(memory.segment(), new MadeUp(), HUGE);
            assertEquals(62, runs.shift());
            assertArrayEquals(new long[] {0x1001 * PAGE}, runs.addresses());
        }
    }

    @Test
    void framesApartAreRunsOfAPage() {
        try (Mapping memory = Mapping.anonymous(3 * PAGE)) {
            Runs runs = Runs.of(memory.segment(), new MadeUp().everyNth(2), HUGE);
            assertEquals(Long.numberOfTrailingZeros(PAGE), runs.shift());
            assertArrayEquals(
                    new long[] {0x1002 * PAGE, 0x1004 * PAGE, 0x1006 * PAGE}, runs.addresses());
        }
    }

    @Test
    void theLongestRunsThatAllHaveAreFound() {
        try (Mapping memory = Mapping.anonymous(10 * PAGE)) {
            long base = memory.segment().address();
            FrameTable inFours =
                    new FrameTable() {
                        @Override
                        public long frameOf(long address) {
                            long page = (address - base) / PAGE;
                            return 100 + page / 4 * 10 + page % 4;
                        }

                        @Override
                        public String description() {
                            return "";
                        }
                    };
            Runs runs = Runs.of(memory.segment(), inFours, HUGE);
            assertEquals(4 * PAGE, 1L << runs.shift());
            assertArrayEquals(new long[] {100 * PAGE, 110 * PAGE, 120 * PAGE}, runs.addresses());
        }
    }

    @Test
    void smallPiecesShareAHugePageAndGiveItBack() {
        List<Mapping> taken = new ArrayList<>();
        HugePageHeap heap = heap(taken);
        MadeUp frames = new MadeUp();
        PhysicalMapping first = heap.allocate(PAGE, m -> Runs.of(m, frames, HUGE));
        PhysicalMapping second = heap.allocate(2 * PAGE, m -> Runs.of(m, frames, HUGE));
        assertEquals(1, taken.size());
        assertEquals(first.busAddress(0) + PAGE, second.busAddress(0));
        first.segment().fill((byte) 1);
        first.close();
        first.close();
        PhysicalMapping again = heap.allocate(PAGE, m -> Runs.of(m, frames, HUGE));
        assertEquals(first.busAddress(0), again.busAddress(0));
        assertEquals(0, again.segment().get(JAVA_BYTE, PAGE - 1));
        again.close();
        second.close();
        assertTrue(taken.stream().noneMatch(Mapping::isOpen));
    }

    @Test
    void aLargePieceHasHugePagesOfItsOwn() {
        List<Mapping> taken = new ArrayList<>();
        HugePageHeap heap = heap(taken);
        MadeUp frames = new MadeUp();
        PhysicalMapping large = heap.allocate(HUGE + PAGE, m -> Runs.of(m, frames, HUGE));
        assertEquals(2 * HUGE, large.segment().byteSize());
        assertEquals(1, taken.size());
        large.close();
        assertTrue(taken.stream().noneMatch(Mapping::isOpen));
    }

    @Test
    void piecesNeverOverlapAndAllComesBack() {
        List<Mapping> taken = new ArrayList<>();
        HugePageHeap heap = heap(taken);
        MadeUp frames = new MadeUp();
        List<PhysicalMapping> live = new ArrayList<>();
        Random random = new Random(3);
        for (int i = 0; i < 1000; i++) {
            if (live.size() > 20 && random.nextBoolean()) {
                live.remove(random.nextInt(live.size())).close();
            } else {
                long bytes = PAGE * (1 + random.nextInt(40));
                PhysicalMapping piece = heap.allocate(bytes, m -> Runs.of(m, frames, HUGE));
                for (PhysicalMapping other : live) {
                    long distance = piece.busAddress(0) - other.busAddress(0);
                    assertTrue(distance >= other.segment().byteSize() || -distance >= bytes);
                }
                live.add(piece);
            }
        }
        live.forEach(PhysicalMapping::close);
        assertTrue(taken.stream().noneMatch(Mapping::isOpen));
    }

    @Test
    void aHugePageThatIsNotInOnePieceIsRefused() {
        List<Mapping> taken = new ArrayList<>();
        HugePageHeap heap = heap(taken);
        MadeUp frames = new MadeUp().everyNth(2);
        assertThrows(PciException.class, () -> heap.allocate(PAGE, m -> Runs.of(m, frames, HUGE)));
        assertTrue(taken.stream().noneMatch(Mapping::isOpen));
    }

    private static HugePageHeap heap(List<Mapping> taken) {
        return new HugePageHeap(
                HUGE,
                bytes -> {
                    Mapping memory = Mapping.anonymous(bytes);
                    taken.add(memory);
                    return memory;
                });
    }

    @Test
    void withoutHugePagesMemoryIsInPagesThatStay() {
        PhysicalDmaSpace space = new PhysicalDmaSpace(new MadeUp().everyNth(3), 0);
        assertEquals(PAGE, space.contiguousBytes());
        try (DmaMapping mapping = space.allocate(4 * PAGE)) {
            assertEquals(4, mapping.runs().length);
            assertEquals(mapping.busAddress(PAGE) + 7, mapping.busAddress(PAGE + 7));
            assertNotEquals(mapping.busAddress(PAGE), mapping.busAddress(0) + PAGE);
        }
        assertEquals("made up", space.description());
    }

    @Test
    void pagemapEntriesAreReadAndHiddenOnesSayWhy() {
        assertEquals(0x12345, PageMap.frame(1L << 63 | 1L << 61 | 0x12345));
        PciException absent = assertThrows(PciException.class, () -> PageMap.frame(0x12345));
        assertTrue(absent.getMessage().contains("EFAULT"));
        PciException hidden = assertThrows(PciException.class, () -> PageMap.frame(1L << 63));
        assertTrue(hidden.getMessage().contains("run as root"), hidden.getMessage());
    }

    @Test
    void aPageOfThisProcessHasAFrameWhereItMayBeKnown() {
        try (Mapping memory = Mapping.anonymous(2 * PAGE)) {
            MemorySegment segment = memory.segment();
            segment.fill((byte) 1);
            long first;
            try {
                first = PageMap.open().frameOf(segment.address());
            } catch (PciException hidden) {
                assertTrue(hidden.getMessage().contains("EPERM"), hidden.getMessage());
                return;
            }
            assertNotEquals(0, first);
            assertNotEquals(first, PageMap.open().frameOf(segment.address() + PAGE));
        }
    }

    @Test
    void resourceLinesAreReadAndOddOnesAreNoBar() {
        assertEquals(
                new SysfsResource(0x20000, 0x40200),
                SysfsResource.parse("0x00000000febc0000 0x00000000febdffff 0x0000000000040200"));
        assertTrue(SysfsResource.parse("0x0 0xfff 0x200").isMemory());
        for (String odd :
                List.of("", "0x0 0x0 0x0", "0x10 0xf 0x200", "1 2", "x y z", "0x0 0xfff 0x0")) {
            assertEquals(0, SysfsResource.parse(odd).size(), odd);
        }
        assertEquals(0, SysfsResource.parse("0x0 0xffffffffffffffffff 0x200").size(), "too long");
    }
}
