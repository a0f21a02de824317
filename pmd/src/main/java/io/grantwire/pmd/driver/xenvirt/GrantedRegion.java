package io.grantwire.pmd.driver.xenvirt;

import io.grantwire.gntalloc.GrantShare;
import io.grantwire.gntalloc.GrantSharer;
import io.grantwire.pmd.xenvirt.IndexPage;
import io.grantwire.pmd.xenvirt.XenvirtKeys;
import java.lang.foreign.MemorySegment;

/**
 * Memory granted to domain 0 together with the index pages that list its grants. Everything is
 * granted for writing, index pages too, because the original back end maps all of it so.
 *
 * <p>Source: xenvirt protocol (docs/protocol.md). Owned by whoever made it; nobody may touch the
 * memory after {@link #close()}.
 */
final class GrantedRegion implements AutoCloseable {
    /** Xenvirt grants to the control domain only. */
    static final int BACKEND_DOMID = 0;

    private final GrantShare data;
    private final GrantShare index;

    private GrantedRegion(GrantShare data, GrantShare index) {
        this.data = data;
        this.index = index;
    }

    /**
     * Shares zeroed pages.
     *
     * @param pages how many, at most {@link XenvirtKeys#MAX_REGION_PAGES}; should be none of the
     *     sizes that {@link IndexPage#avoidFullIndex} avoids
     * @throws io.grantwire.bindings.NativeException when there are not enough grants; nothing stays
     *     shared then
     */
    static GrantedRegion share(GrantSharer sharer, int pages) {
        if (pages < 1 || pages > XenvirtKeys.MAX_REGION_PAGES) {
            throw new IllegalArgumentException(
                    pages + " pages are not 1 to " + XenvirtKeys.MAX_REGION_PAGES);
        }
        GrantShare data = sharer.share(BACKEND_DOMID, pages, true);
        GrantShare index = null;
        try {
            index = sharer.share(BACKEND_DOMID, IndexPage.pagesFor(pages), true);
            int[] grefs = grefs(data);
            for (int page = 0; page < index.pages(); page++) {
                MemorySegment to =
                        index.segment()
                                .asSlice((long) page * IndexPage.PAGE_SIZE, IndexPage.PAGE_SIZE);
                IndexPage.encode(to, grefs, page * IndexPage.RECORDS);
            }
            return new GrantedRegion(data, index);
        } catch (RuntimeException e) {
            if (index != null) {
                index.close();
            }
            data.close();
            throw e;
        }
    }

    private static int[] grefs(GrantShare share) {
        int[] grefs = new int[share.pages()];
        for (int i = 0; i < grefs.length; i++) {
            grefs[i] = share.gref(i);
        }
        return grefs;
    }

    /** The memory, as long as it is shared. */
    MemorySegment segment() {
        return data.segment();
    }

    /** Its address, as the back end is told it. */
    long va() {
        return data.segment().address();
    }

    int pages() {
        return data.pages();
    }

    /** The index pages' grants, as a key lists them. */
    String grefList() {
        return XenvirtKeys.formatGrefs(grefs(index));
    }

    /** Ends the grants, index pages first; nothing is thrown. */
    @Override
    public void close() {
        index.close();
        data.close();
    }
}
