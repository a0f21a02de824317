package io.grantwire.pmd.xenvirt;

import io.grantwire.pmd.virtio.PeerMemory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/**
 * Index pages ("grant nodes"): granted pages that list the grant references of a region's pages.
 *
 * <p>A page is 512 records of 8 bytes, {@code u32 gref} then {@code u32 pfn}, little endian; record
 * i describes page i of the region. The frame number is never used by a back end and is written as
 * zero. A grant reference that is zero or negative ends the list, so only a region's last index
 * page may be short. Source: xenvirt protocol (docs/protocol.md).
 */
public final class IndexPage {
    /** Bytes of a page. */
    public static final int PAGE_SIZE = 4096;

    /** Records of a page. */
    public static final int RECORDS = 512;

    /** Bytes of a record. */
    public static final int RECORD_SIZE = 8;

    /** Offset of {@code u32 gref} in a record. */
    public static final int GREF = 0;

    /** Offset of {@code u32 pfn} in a record. */
    public static final int PFN = 4;

    private static final ValueLayout.OfInt U32 =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private IndexPage() {}

    /** How many index pages list {@code pages} pages. */
    public static int pagesFor(int pages) {
        return (pages + RECORDS - 1) / RECORDS;
    }

    /**
     * A number of pages, at least {@code pages}, that the original back end can map: it fails on
     * regions whose every index page is full.
     */
    public static int avoidFullIndex(int pages) {
        return pages % RECORDS == 0 ? pages + 1 : pages;
    }

    /**
     * Writes one index page; what is left of it becomes zero.
     *
     * @param page 4096 bytes
     * @param grefs the region's grant references
     * @param from the first one that belongs on this page
     * @return how many were written, at most 512
     */
    public static int encode(MemorySegment page, int[] grefs, int from) {
        int n = Math.min(RECORDS, grefs.length - from);
        for (int i = 0; i < n; i++) {
            page.set(U32, (long) i * RECORD_SIZE + GREF, grefs[from + i]);
            page.set(U32, (long) i * RECORD_SIZE + PFN, 0);
        }
        page.asSlice((long) n * RECORD_SIZE, PAGE_SIZE - (long) n * RECORD_SIZE).fill((byte) 0);
        return n;
    }

    /**
     * Reads one index page, each record once, up to its terminator.
     *
     * @param page 4096 bytes that the peer may be changing
     * @param out where the grant references go; room for 512 at {@code at}
     * @return how many there were, 0 to 512
     */
    public static int decode(MemorySegment page, int[] out, int at) {
        for (int i = 0; i < RECORDS; i++) {
            int gref = PeerMemory.read32(page, (long) i * RECORD_SIZE + GREF);
            if (gref <= 0) {
                return i;
            }
            out[at + i] = gref;
        }
        return RECORDS;
    }

    /**
     * Reads a region's index pages.
     *
     * @param pages its index pages in order, at most {@link XenvirtKeys#MAX_INDEX_PAGES}
     * @return the region's grant references, at least one; refused when the list is empty or when a
     *     page other than the last is short
     */
    public static Parsed<int[]> decodeAll(List<MemorySegment> pages) {
        if (pages.isEmpty() || pages.size() > XenvirtKeys.MAX_INDEX_PAGES) {
            return Parsed.bad(
                    pages.size() + " index pages, not 1 to " + XenvirtKeys.MAX_INDEX_PAGES);
        }
        int[] grefs = new int[pages.size() * RECORDS];
        int count = 0;
        for (int i = 0; i < pages.size(); i++) {
            int n = decode(pages.get(i), grefs, count);
            count += n;
            if (n < RECORDS && i < pages.size() - 1) {
                return Parsed.bad(
                        "index page " + i + " ends after " + n + " grants, but is not the last");
            }
        }
        if (count == 0) {
            return Parsed.bad("index page lists no grant");
        }
        return Parsed.ok(Arrays.copyOf(grefs, count));
    }
}
