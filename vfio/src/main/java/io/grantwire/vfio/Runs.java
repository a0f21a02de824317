package io.grantwire.vfio;

import io.grantwire.bindings.Mapping;
import java.lang.foreign.MemorySegment;

/**
 * How memory is made of runs of adjacent frames.
 *
 * @param shift log2 of a run's bytes; 62 when all is one
 * @param addresses where each run begins
 */
record Runs(int shift, long[] addresses) {
    private static final int ONE = 62;

    /**
     * Looks where memory lies.
     *
     * @param most the longest runs to look for, a power of two
     */
    static Runs of(MemorySegment memory, FrameTable frames, long most) {
        long page = Mapping.pageSize();
        int count = Math.toIntExact(memory.byteSize() / page);
        long[] pages = new long[count];
        for (int i = 0; i < count; i++) {
            pages[i] = frames.frameOf(memory.address() + i * page) * page;
        }
        if (together(pages, 0, count, page)) {
            return new Runs(ONE, new long[] {pages[0]});
        }
        long run = most;
        while (run > page && !inRunsOf(pages, (int) Math.min(run / page, count), page)) {
            run /= 2;
        }
        int step = (int) (run / page);
        long[] addresses = new long[(count + step - 1) / step];
        for (int i = 0; i < addresses.length; i++) {
            addresses[i] = pages[i * step];
        }
        return new Runs(Long.numberOfTrailingZeros(run), addresses);
    }

    private static boolean inRunsOf(long[] pages, int step, long page) {
        for (int i = 0; i < pages.length; i += step) {
            if (!together(pages, i, Math.min(i + step, pages.length), page)) {
                return false;
            }
        }
        return true;
    }

    private static boolean together(long[] pages, int from, int to, long page) {
        for (int i = from + 1; i < to; i++) {
            if (pages[i] != pages[i - 1] + page) {
                return false;
            }
        }
        return true;
    }
}
