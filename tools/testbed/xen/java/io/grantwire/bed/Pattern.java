package io.grantwire.bed;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Bytes that differ from page to page and from one writer to the other. */
final class Pattern {
    static final int PAGE = 4096;

    private Pattern() {}

    private static long word(int seed, int page, int at) {
        return (seed * 0x9E3779B97F4A7C15L) ^ ((long) page << 32) ^ (at * 0xBF58476D1CE4E5B9L);
    }

    /** Fills a page but for its first eight bytes, which belong to the tests of notification. */
    static void fill(MemorySegment pages, int seed) {
        for (long p = 0; p < pages.byteSize() / PAGE; p++) {
            for (int i = 8; i < PAGE; i += 8) {
                pages.set(ValueLayout.JAVA_LONG, p * PAGE + i, word(seed, (int) p, i));
            }
        }
    }

    /** The first wrong page, or -1. */
    static int firstWrong(MemorySegment pages, int seed) {
        for (long p = 0; p < pages.byteSize() / PAGE; p++) {
            for (int i = 8; i < PAGE; i += 8) {
                if (pages.get(ValueLayout.JAVA_LONG, p * PAGE + i) != word(seed, (int) p, i)) {
                    return (int) p;
                }
            }
        }
        return -1;
    }
}
