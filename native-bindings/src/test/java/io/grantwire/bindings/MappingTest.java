package io.grantwire.bindings;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.grantwire.bindings.gen.libc.LibC;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class MappingTest {
    private static final long PAGE = Mapping.pageSize();
    private static final int RW = Mapping.READ | Mapping.WRITE;

    @Test
    void protectionBitsAreTheKernels() {
        assertEquals(LibC.PROT_READ(), Mapping.READ);
        assertEquals(LibC.PROT_WRITE(), Mapping.WRITE);
    }

    @Test
    void anonymousMemoryIsZeroedAndWritable() {
        try (Mapping m = Mapping.anonymous(3 * PAGE)) {
            assertEquals(3 * PAGE, m.length());
            assertEquals(0, m.segment().get(JAVA_LONG, 2 * PAGE));
            m.segment().set(JAVA_LONG, 2 * PAGE, 42);
            assertEquals(42, m.segment().get(JAVA_LONG, 2 * PAGE));
        }
    }

    @Test
    void twoMappingsOfOneMemoryFileAreTheSameMemory() {
        try (Fd fd = Memfd.create("twice", 2 * PAGE, false, 0);
                Mapping a = Mapping.shared(fd, 0, 2 * PAGE, RW);
                Mapping b = Mapping.shared(fd, PAGE, PAGE, Mapping.READ)) {
            a.segment().set(JAVA_LONG, PAGE + 8, 7);
            assertEquals(7, b.segment().get(JAVA_LONG, 8));
        }
    }

    @Test
    void aMappingOutlivesItsDescriptor() {
        Fd fd = Memfd.create("outlives", PAGE, false, 0);
        try (Mapping m = Mapping.shared(fd, 0, PAGE, RW)) {
            fd.close();
            m.segment().set(JAVA_LONG, 0, 5);
            assertEquals(5, m.segment().get(JAVA_LONG, 0));
        }
    }

    @Test
    void fixedMappingsLieNextToEachOtherInsideTheReservation() {
        try (Fd one = Memfd.create("one", PAGE, false, 0);
                Fd two = Memfd.create("two", 2 * PAGE, false, 0);
                Mapping direct = Mapping.shared(two, 0, 2 * PAGE, RW);
                Mapping window = Mapping.reserve(4 * PAGE)) {
            window.mapFixed(0, two, PAGE, PAGE, RW);
            window.mapFixed(PAGE, one, 0, PAGE, RW);
            window.mapFixed(2 * PAGE, two, 0, PAGE, RW);
            MemorySegment bytes = window.segment();
            for (int i = 0; i < 3 * PAGE; i += 8) {
                bytes.set(JAVA_LONG, i, i);
            }
            assertEquals(8, direct.segment().get(JAVA_LONG, PAGE + 8));
            assertEquals(2 * PAGE + 16, direct.segment().get(JAVA_LONG, 16));
            window.unmapFixed(0, PAGE);
            assertTrue(AddressSpace.isReserved(bytes.address(), PAGE));
            assertEquals(2 * PAGE, bytes.get(JAVA_LONG, 2 * PAGE));
            window.mapFixed(0, two, PAGE, PAGE, Mapping.READ);
            assertEquals(8, bytes.get(JAVA_LONG, 8));
        }
    }

    @Test
    void aRefusedFixedMappingLeavesTheReservationUsable() {
        try (Fd readOnly = Fd.open("/etc/hostname", LibC.O_RDONLY());
                Fd memory = Memfd.create("memory", PAGE, false, 0);
                Mapping window = Mapping.reserve(2 * PAGE)) {
            NativeException e =
                    assertThrows(
                            NativeException.class, () -> window.mapFixed(0, readOnly, 0, PAGE, RW));
            assertEquals("EACCES", e.errnoName());
            assertTrue(AddressSpace.isReserved(window.segment().address(), 2 * PAGE));
            window.mapFixed(0, memory, 0, PAGE, RW);
            window.segment().set(JAVA_BYTE, 0, (byte) 1);
        }
    }

    @Test
    void placesOutsideTheReservationAreRefused() {
        try (Fd fd = Memfd.create("place", PAGE, false, 0);
                Mapping window = Mapping.reserve(2 * PAGE);
                Mapping plain = Mapping.anonymous(2 * PAGE)) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> window.mapFixed(2 * PAGE, fd, 0, PAGE, RW));
            assertThrows(
                    IllegalArgumentException.class,
                    () -> window.mapFixed(PAGE, fd, 0, 2 * PAGE, RW));
            assertThrows(
                    IllegalArgumentException.class, () -> window.mapFixed(-PAGE, fd, 0, PAGE, RW));
            assertThrows(
                    IllegalArgumentException.class, () -> window.mapFixed(100, fd, 0, PAGE, RW));
            assertThrows(IllegalArgumentException.class, () -> plain.mapFixed(0, fd, 0, PAGE, RW));
            assertThrows(IllegalArgumentException.class, () -> Mapping.anonymous(0));
        }
    }

    @Test
    void closingTwiceDoesNotUnmapSomebodyElsesMemory() {
        Mapping first = Mapping.anonymous(16 * PAGE);
        first.close();
        try (Mapping second = Mapping.anonymous(16 * PAGE)) {
            first.close();
            second.segment().fill((byte) 1);
            assertFalse(first.isOpen());
            assertEquals(
                    "EBADF",
                    assertThrows(NativeException.class, first::excludeFromDumps).errnoName());
        }
    }

    @Test
    void anImpossibleLengthIsAnErrorWithAdvice() {
        NativeException e =
                assertThrows(NativeException.class, () -> Mapping.anonymous(Long.MAX_VALUE - 4096));
        assertEquals("ENOMEM", e.errnoName());
        assertFalse(e.hint().isEmpty());
    }

    @Test
    void hugePagesEitherWorkOrSayHowToReserveThem() {
        long size = HugePages.defaultSize();
        assumeTrue(size > 0, "this kernel has no huge pages");
        int free =
                HugePages.pools().stream()
                        .filter(pool -> pool.sizeBytes() == size)
                        .mapToInt(HugePages.Pool::free)
                        .sum();
        long tooMuch = (free + 4L) * size;
        NativeException e =
                assertThrows(NativeException.class, () -> Mapping.hugePages(tooMuch).close());
        assertEquals("ENOMEM", e.errnoName());
        assertTrue(e.hint().contains("sysctl vm.nr_hugepages="), e.hint());
        if (free > 0) {
            try (Mapping m = Mapping.hugePages(1000)) {
                m.segment().fill((byte) 3);
                assertEquals(1000, m.length());
            }
        }
    }

    @Test
    void manyMappingsComeAndGoWithoutRunningOut() {
        assertDoesNotThrow(
                () -> IntStream.range(0, 70_000).forEach(i -> Mapping.reserve(PAGE).close()));
    }

    @Test
    void sharedSegmentsMayBeUsedFromAnyThread() throws Exception {
        try (Mapping m = Mapping.anonymous(PAGE);
                Arena _ = Arena.ofConfined()) {
            Thread t = Thread.ofPlatform().start(() -> m.segment().set(JAVA_LONG, 0, 9));
            t.join();
            assertEquals(9, m.segment().get(JAVA_LONG, 0));
        }
    }
}
