package io.grantwire.pmd.xenvirt;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class IndexPageTest {
    private static MemorySegment page() {
        MemorySegment page = Arena.ofAuto().allocate(IndexPage.PAGE_SIZE, IndexPage.PAGE_SIZE);
        page.fill((byte) 0xee);
        return page;
    }

    private static List<MemorySegment> encode(int[] grefs) {
        List<MemorySegment> pages = new ArrayList<>();
        for (int at = 0; at < grefs.length; ) {
            MemorySegment page = page();
            at += IndexPage.encode(page, grefs, at);
            pages.add(page);
        }
        return pages;
    }

    @Test
    void recordsAreGrantThenFrameNumberInLittleEndian() {
        MemorySegment page = page();
        assertEquals(2, IndexPage.encode(page, new int[] {0x01020304, 9}, 0));
        byte[] bytes = page.toArray(ValueLayout.JAVA_BYTE);
        assertArrayEquals(
                new byte[] {4, 3, 2, 1, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0},
                java.util.Arrays.copyOf(bytes, 16));
        for (int i = 16; i < 4096; i++) {
            assertEquals(0, bytes[i], "the rest is zero");
        }
    }

    @Test
    void regionsOfAnySizeComeBackAsTheyWere() {
        for (int n : new int[] {1, 3, 511, 512, 513, 1024, 32768}) {
            int[] grefs = IntStream.range(8, 8 + n).toArray();
            List<MemorySegment> pages = encode(grefs);
            assertEquals(IndexPage.pagesFor(n), pages.size());
            assertArrayEquals(grefs, IndexPage.decodeAll(pages).orThrow());
        }
    }

    @Test
    void zeroAndNegativeGrantsEndTheList() {
        for (int end : new int[] {0, -1, Integer.MIN_VALUE}) {
            List<MemorySegment> pages = encode(new int[] {8, 9, end, 10});
            assertArrayEquals(new int[] {8, 9}, IndexPage.decodeAll(pages).orThrow());
        }
    }

    @Test
    void onlyTheLastPageMayBeShort() {
        List<MemorySegment> pages =
                List.of(encode(new int[] {8}).getFirst(), encode(new int[] {9}).getFirst());
        assertTrue(
                assertInstanceOf(Parsed.Bad.class, IndexPage.decodeAll(pages))
                        .reason()
                        .contains("index page 0 ends after 1 grants"));
    }

    @Test
    void emptyAndEndlessListsAreRefused() {
        assertInstanceOf(Parsed.Bad.class, IndexPage.decodeAll(List.of()));
        MemorySegment empty = page();
        empty.fill((byte) 0);
        assertInstanceOf(Parsed.Bad.class, IndexPage.decodeAll(List.of(empty)));
        assertInstanceOf(
                Parsed.Bad.class,
                IndexPage.decodeAll(
                        java.util.Collections.nCopies(65, encode(new int[] {8}).get(0))));
    }

    @Test
    void aRegionNeverFillsItsIndexPagesExactly() {
        assertEquals(1, IndexPage.avoidFullIndex(1));
        assertEquals(513, IndexPage.avoidFullIndex(512));
        assertEquals(1025, IndexPage.avoidFullIndex(1024));
    }
}
