package io.grantwire.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class IovaAllocatorTest {
    private static final long MIB = 1 << 20;
    private static final long PAGE = 4096;

    private IovaAllocator allocator;

    @BeforeEach
    void make() {
        allocator = new IovaAllocator();
    }

    /** What an x86 machine names: all but the window of interrupt messages. */
    private void setUsual() {
        allocator.setRanges(
                List.of(
                        new IovaRange(0, 0xfedf_ffffL),
                        new IovaRange(0xfef0_0000L, (1L << 39) - 1)));
    }

    private long take(long bytes, long align) {
        return allocator.take(bytes, align).orElseThrow();
    }

    @Test
    void theLowestAddressesComeFirstButNeverThoseNearZero() {
        setUsual();
        assertEquals(MIB, take(PAGE, PAGE));
        assertEquals(MIB + PAGE, take(PAGE, PAGE));
        assertEquals(2 * MIB, take(2 * MIB, 2 * MIB));
        assertEquals(MIB + 2 * PAGE, take(PAGE, PAGE));
    }

    @Test
    void whatIsGivenBackIsGivenOutAgain() {
        setUsual();
        long first = take(PAGE, PAGE);
        take(PAGE, PAGE);
        allocator.giveBack(first);
        assertEquals(first, take(PAGE, PAGE));
        assertThrows(IllegalArgumentException.class, () -> allocator.giveBack(first + 1));
    }

    @Test
    void nothingLiesInOrAcrossTheWindowOfInterruptMessages() {
        setUsual();
        List<long[]> taken = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            long at = take(1L << 30, 1L << 21);
            assertTrue(at + (1L << 30) <= 0xfee0_0000L || at >= 0xfef0_0000L, Long.toHexString(at));
            taken.add(new long[] {at, 1L << 30});
        }
        assertApart(taken);
    }

    @Test
    void aFullSpaceSaysSo() {
        allocator.setRanges(List.of(new IovaRange(MIB, 2 * MIB - 1)));
        assertEquals(OptionalLong.empty(), allocator.take(2 * MIB, PAGE));
        assertEquals(OptionalLong.of(MIB), allocator.take(MIB, PAGE));
        assertEquals(OptionalLong.empty(), allocator.take(PAGE, PAGE));
    }

    @Test
    void rangesThatMakeNoSenseAreLeftOut() {
        allocator.setRanges(
                List.of(
                        new IovaRange(-1, 5),
                        new IovaRange(9 * MIB, 8 * MIB),
                        new IovaRange(Long.MIN_VALUE, -1)));
        assertEquals(OptionalLong.empty(), allocator.take(PAGE, PAGE));
    }

    @Test
    void addressesOfMoreThan63BitsAreNotGivenOut() {
        allocator.setRanges(List.of(new IovaRange(Long.MAX_VALUE - 3 * PAGE, -1)));
        assertEquals(OptionalLong.of(Long.MAX_VALUE - 3 * PAGE + 1), allocator.take(PAGE, PAGE));
        assertEquals(OptionalLong.empty(), allocator.take(4 * PAGE, PAGE));
        assertEquals(OptionalLong.empty(), allocator.take(Long.MAX_VALUE, PAGE));
    }

    @Test
    void rangesMayShrinkWhileAddressesAreTaken() {
        setUsual();
        long before = take(PAGE, PAGE);
        allocator.setRanges(List.of(new IovaRange(16 * MIB, 32 * MIB - 1)));
        assertEquals(16 * MIB, take(PAGE, PAGE));
        allocator.giveBack(before);
        assertEquals(16 * MIB + PAGE, take(PAGE, PAGE));
    }

    @Test
    void manyTakenAndGivenBackNeverOverlap() {
        setUsual();
        Random random = new Random(7);
        List<long[]> taken = new ArrayList<>();
        for (int i = 0; i < 2000; i++) {
            if (taken.size() > 50 && random.nextBoolean()) {
                allocator.giveBack(taken.remove(random.nextInt(taken.size()))[0]);
            } else {
                long bytes = PAGE * (1 + random.nextInt(600));
                long align = PAGE << random.nextInt(10);
                long at = take(bytes, align);
                assertEquals(0, at % align);
                taken.add(new long[] {at, bytes});
            }
        }
        assertApart(taken);
    }

    private static void assertApart(List<long[]> taken) {
        taken.sort((a, b) -> Long.compare(a[0], b[0]));
        for (int i = 1; i < taken.size(); i++) {
            assertTrue(taken.get(i - 1)[0] + taken.get(i - 1)[1] <= taken.get(i)[0]);
        }
    }
}
