package io.grantwire.gntalloc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What sharing and mapping pages must do, whoever does it. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
abstract class GrantContractTest {
    private static final int PAGE = GrantSharer.PAGE_SIZE;

    /** Both ends of one conversation: a domain that grants, a domain that maps. */
    protected record Pair(GrantSharer sharer, int granterDomid, GrantMapper mapper, int mapperDomid)
            implements AutoCloseable {
        @Override
        public void close() {
            mapper.close();
            sharer.close();
        }
    }

    private Pair pair;

    /** Opens both ends. Called before each test. */
    protected abstract Pair open();

    @BeforeEach
    void openPair() {
        pair = open();
    }

    @AfterEach
    void closePair() {
        if (pair != null) {
            pair.close();
        }
    }

    private GrantShare share(int pages, boolean writable) {
        return pair.sharer().share(pair.mapperDomid(), pages, writable);
    }

    private GrantMapping map(boolean writable, int... grefs) {
        return pair.mapper().map(pair.granterDomid(), grefs, writable);
    }

    protected static int[] grefs(GrantShare share) {
        return IntStream.range(0, share.pages()).map(share::gref).toArray();
    }

    private static byte get(MemorySegment memory, long at) {
        return memory.get(ValueLayout.JAVA_BYTE, at);
    }

    private static void put(MemorySegment memory, long at, int value) {
        memory.set(ValueLayout.JAVA_BYTE, at, (byte) value);
    }

    @Test
    void bytesGoBothWaysThroughSharedPages() {
        try (GrantShare share = share(3, true);
                GrantMapping mapping = map(true, grefs(share))) {
            for (int p = 0; p < 3; p++) {
                put(share.segment(), (long) p * PAGE + p, 10 + p);
                put(mapping.segment(), (long) p * PAGE + 100, 20 + p);
            }
            for (int p = 0; p < 3; p++) {
                assertEquals(10 + p, get(mapping.segment(), (long) p * PAGE + p));
                assertEquals(20 + p, get(share.segment(), (long) p * PAGE + 100));
            }
        }
    }

    @Test
    void aShareIsZeroedAndContiguousWithDistinctReferencesFromEightOn() {
        try (GrantShare share = share(40, true)) {
            assertEquals(40L * PAGE, share.segment().byteSize());
            assertEquals(40, share.pages());
            assertEquals(pair.mapperDomid(), share.domid());
            assertEquals(-1, share.segment().mismatch(MemorySegment.ofArray(new byte[40 * PAGE])));
            Set<Integer> distinct = new HashSet<>();
            for (int gref : grefs(share)) {
                assertTrue(gref >= 8, "gref " + gref);
                assertTrue(distinct.add(gref), "gref " + gref + " twice");
            }
        }
    }

    @Test
    void pagesUsedBeforeAreZeroedAgain() {
        try (GrantShare share = share(8, true)) {
            share.segment().fill((byte) 0x5A);
        }
        try (GrantShare share = share(8, true)) {
            assertEquals(-1, share.segment().mismatch(MemorySegment.ofArray(new byte[8 * PAGE])));
        }
    }

    @Test
    void aMappingFollowsTheOrderOfTheListWithRepeats() {
        try (GrantShare share = share(4, true)) {
            for (int p = 0; p < 4; p++) {
                put(share.segment(), (long) p * PAGE, 40 + p);
            }
            int[] order = {3, 1, 1, 0, 2, 3};
            int[] list = Arrays.stream(order).map(share::gref).toArray();
            try (GrantMapping mapping = map(true, list)) {
                assertEquals(order.length, mapping.pages());
                assertEquals((long) order.length * PAGE, mapping.segment().byteSize());
                assertEquals(pair.granterDomid(), mapping.domid());
                for (int i = 0; i < order.length; i++) {
                    assertEquals(40 + order[i], get(mapping.segment(), (long) i * PAGE));
                }
            }
        }
    }

    @Test
    void pagesOfSeveralSharesMakeOneRange() {
        try (GrantShare a = share(2, true);
                GrantShare b = share(2, true);
                GrantMapping mapping = map(true, b.gref(1), a.gref(0), b.gref(0), a.gref(1))) {
            put(b.segment(), PAGE, 1);
            put(a.segment(), 0, 2);
            put(b.segment(), 0, 3);
            put(a.segment(), PAGE, 4);
            for (int i = 0; i < 4; i++) {
                assertEquals(i + 1, get(mapping.segment(), (long) i * PAGE));
            }
        }
    }

    @Test
    void aGrantForReadingIsNotMappedForWriting() {
        try (GrantShare share = share(2, false)) {
            assertThrows(GrantMapException.class, () -> map(true, grefs(share)));
            put(share.segment(), 5, 77);
            try (GrantMapping mapping = map(false, grefs(share))) {
                assertEquals(77, get(mapping.segment(), 5));
                assertTrue(mapping.segment().isReadOnly());
            }
        }
    }

    @Test
    void aWritableGrantMayBeMappedForReadingOnly() {
        try (GrantShare share = share(1, true);
                GrantMapping reading = map(false, grefs(share));
                GrantMapping writing = map(true, grefs(share))) {
            put(writing.segment(), 9, 3);
            assertEquals(3, get(reading.segment(), 9));
            assertTrue(reading.segment().isReadOnly());
            assertFalse(writing.segment().isReadOnly());
        }
    }

    @Test
    void oneBadReferenceRefusesTheWholeListAndIsNamed() {
        try (GrantShare share = share(3, true)) {
            int absent = share.gref(2) + 5000;
            GrantMapException e =
                    assertThrows(
                            GrantMapException.class,
                            () -> map(true, share.gref(0), share.gref(1), absent, share.gref(2)));
            assertEquals(absent, e.gref());
            assertEquals(pair.granterDomid(), e.domid());
            assertEquals(0, pair.mapper().mappedPages());
            // Nothing was left behind that would stand in the way.
            try (GrantMapping mapping = map(true, grefs(share))) {
                assertEquals(3, mapping.pages());
                assertEquals(3, pair.mapper().mappedPages());
            }
        }
    }

    @Test
    void reservedAndSenselessReferencesAreRefused() {
        for (int gref : new int[] {0, 7, -1, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
            assertThrows(GrantMapException.class, () -> map(true, gref), "gref " + gref);
        }
        assertEquals(0, pair.mapper().mappedPages());
    }

    @Test
    void pagesGrantedToAnotherDomainAreRefused() {
        int other = pair.mapperDomid() == 77 ? 78 : 77;
        try (GrantShare share = pair.sharer().share(other, 1, true)) {
            GrantMapException e =
                    assertThrows(GrantMapException.class, () -> map(true, share.gref(0)));
            assertEquals(share.gref(0), e.gref());
        }
    }

    @Test
    void revokedPagesAreRefused() {
        GrantShare share = share(2, true);
        int[] grefs = grefs(share);
        map(true, grefs).close();
        share.close();
        assertThrows(GrantMapException.class, () -> map(true, grefs));
    }

    @Test
    void aMappingOutlivesItsShare() {
        GrantShare share = share(2, true);
        put(share.segment(), PAGE + 1, 99);
        try (GrantMapping mapping = map(true, grefs(share))) {
            share.close();
            assertEquals(99, get(mapping.segment(), PAGE + 1));
            put(mapping.segment(), 0, 1);
            // What is shared next must be other pages.
            try (GrantShare next = share(2, true)) {
                assertEquals(0, get(next.segment(), 0));
                put(next.segment(), PAGE + 1, 55);
                assertEquals(99, get(mapping.segment(), PAGE + 1));
            }
        }
    }

    @Test
    void theAskedByteIsClearedWhenTheShareIsClosed() {
        GrantShare share = share(2, true);
        share.segment().fill((byte) 0xA5);
        share.clearByteOnUnmap(PAGE + 7);
        try (GrantMapping mapping = map(true, grefs(share))) {
            assertEquals((byte) 0xA5, get(mapping.segment(), PAGE + 7));
            share.close();
            assertEquals(0, get(mapping.segment(), PAGE + 7));
            assertEquals((byte) 0xA5, get(mapping.segment(), PAGE + 6));
            assertEquals((byte) 0xA5, get(mapping.segment(), PAGE + 8));
            assertEquals((byte) 0xA5, get(mapping.segment(), 7));
        }
    }

    @Test
    void aLaterUnmapNotificationReplacesAnEarlierOne() {
        GrantShare share = share(2, true);
        share.segment().fill((byte) 1);
        share.clearByteOnUnmap(10);
        share.clearByteOnUnmap(PAGE + 20);
        share.clearByteOnUnmap(PAGE + 21);
        try (GrantMapping mapping = map(true, grefs(share))) {
            share.close();
            assertEquals(1, get(mapping.segment(), 10));
            assertEquals(1, get(mapping.segment(), PAGE + 20));
            assertEquals(0, get(mapping.segment(), PAGE + 21));
        }
    }

    @Test
    void notificationOutsideTheShareIsRefusedAtOnce() {
        try (GrantShare share = share(1, true)) {
            assertThrows(IndexOutOfBoundsException.class, () -> share.clearByteOnUnmap(PAGE));
            assertThrows(IndexOutOfBoundsException.class, () -> share.clearByteOnUnmap(-1));
        }
    }

    @Test
    void mappedPagesAreCounted() {
        try (GrantShare share = share(5, true)) {
            assertEquals(0, pair.mapper().mappedPages());
            GrantMapping a = map(true, grefs(share));
            GrantMapping b = map(true, share.gref(0));
            assertEquals(6, pair.mapper().mappedPages());
            a.close();
            assertEquals(1, pair.mapper().mappedPages());
            b.close();
            assertEquals(0, pair.mapper().mappedPages());
        }
    }

    @Test
    void closingTwiceDoesNothing() {
        GrantShare share = share(1, true);
        GrantMapping mapping = map(true, share.gref(0));
        mapping.close();
        mapping.close();
        share.close();
        share.close();
        assertEquals(0, pair.mapper().mappedPages());
        pair.close();
        pair.close();
    }

    @Test
    void closingTheDevicesClosesWhatIsOpen() {
        GrantShare share = share(2, true);
        map(true, grefs(share));
        pair.mapper().close();
        assertEquals(0, pair.mapper().mappedPages());
        pair.sharer().close();
        share.close();
        assertThrows(RuntimeException.class, () -> share(1, true));
        assertThrows(RuntimeException.class, () -> map(true, share.gref(0)));
    }

    @Test
    void senselessArgumentsAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> share(0, true));
        assertThrows(IllegalArgumentException.class, () -> pair.sharer().share(-1, 1, true));
        assertThrows(IllegalArgumentException.class, () -> map(true));
        assertThrows(
                IllegalArgumentException.class, () -> pair.mapper().map(-1, new int[] {8}, true));
    }

    @Test
    void aHundredCyclesLeakNoDescriptorAndNoMapping() {
        for (int warmUp = 0; warmUp < 3; warmUp++) {
            cycle();
        }
        int descriptors = Leaks.descriptors();
        Set<String> maps = Leaks.grantMappings();
        int available = pair.sharer().available();
        for (int i = 0; i < 100; i++) {
            cycle();
        }
        assertEquals(available, pair.sharer().available());
        assertEquals(0, pair.mapper().mappedPages());
        assertEquals(maps, Leaks.grantMappings());
        // Others in this JVM may open a file now and then; a leak would be a hundred.
        assertTrue(
                Leaks.descriptors() < descriptors + 20,
                descriptors + " descriptors became " + Leaks.descriptors());
    }

    private void cycle() {
        GrantShare share = share(9, true);
        share.clearByteOnUnmap(4);
        GrantMapping mapping = map(true, grefs(share));
        int[] bad = grefs(share);
        bad[8] = share.gref(0) + 7777;
        assertThrows(GrantMapException.class, () -> map(true, bad));
        share.close();
        mapping.close();
    }

    @Test
    void aWholePoolIsSharedAndMapped() {
        int pages = Math.min(900, pair.sharer().available());
        try (GrantShare share = share(pages, true);
                GrantMapping mapping = map(true, grefs(share))) {
            for (int p = 0; p < pages; p++) {
                share.segment().set(ValueLayout.JAVA_INT, (long) p * PAGE + 8, p);
            }
            for (int p = 0; p < pages; p++) {
                assertEquals(p, mapping.segment().get(ValueLayout.JAVA_INT, (long) p * PAGE + 8));
            }
        }
    }
}
