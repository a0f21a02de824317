package io.grantwire.gntalloc.emulated;

import io.grantwire.bindings.Mapping;
import io.grantwire.gntalloc.GrantShare;
import io.grantwire.gntalloc.GrantSharer;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;

/** Pages shared through the emulated hypervisor. Thread-safe, but for the pages' contents. */
final class EmulatedShare implements GrantShare {
    /**
     * A piece of the share, made by the hypervisor in one go.
     *
     * @param id the hypervisor's name for it
     * @param frame number of its first page, as grant entries have it
     * @param firstPage index of its first page in the share
     * @param pages how many
     */
    record Extent(int id, int frame, int firstPage, int pages) {}

    private final EmulatedSharer sharer;
    private final int domid;
    private final int[] grefs;
    private final Mapping range;
    private final List<Extent> extents;
    private Extent notified;
    private boolean closed;

    EmulatedShare(
            EmulatedSharer sharer, int domid, int[] grefs, Mapping range, List<Extent> extents) {
        this.sharer = sharer;
        this.domid = domid;
        this.grefs = grefs;
        this.range = range;
        this.extents = extents;
    }

    @Override
    public int domid() {
        return domid;
    }

    @Override
    public int pages() {
        return grefs.length;
    }

    @Override
    public int gref(int index) {
        return grefs[index];
    }

    @Override
    public MemorySegment segment() {
        return range.segment();
    }

    @Override
    public synchronized void clearByteOnUnmap(long offset) {
        Objects.checkIndex(offset, range.length());
        if (closed) {
            throw new IllegalStateException("the share is closed");
        }
        int page = (int) (offset / GrantSharer.PAGE_SIZE);
        Extent extent = extents.get(page / HypervisorWire.MAX_EXTENT_PAGES);
        int within = (int) (offset - (long) extent.firstPage() * GrantSharer.PAGE_SIZE);
        sharer.notifyOnEnd(extent.id(), within);
        if (notified != null && notified != extent) {
            sharer.notifyOnEnd(notified.id(), HypervisorWire.NO_OFFSET);
        }
        notified = extent;
    }

    int[] grefs() {
        return grefs;
    }

    Mapping range() {
        return range;
    }

    List<Extent> extents() {
        return extents;
    }

    synchronized void markClosed() {
        closed = true;
    }

    @Override
    public void close() {
        markClosed();
        sharer.end(this);
    }
}
