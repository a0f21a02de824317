package io.grantwire.gntalloc;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;

/** Pages shared through gntalloc. Thread-safe, but for the pages' contents. */
final class GntallocShare implements GrantShare {
    private static final long NONE = -1;

    private final GntallocSharer sharer;
    private final int domid;
    private final int[] grefs;
    private final XenDevice.Range range;
    private final List<GntallocSharer.Chunk> chunks;
    private long notified = NONE;
    private boolean closed;

    GntallocShare(
            GntallocSharer sharer,
            int domid,
            int[] grefs,
            XenDevice.Range range,
            List<GntallocSharer.Chunk> chunks) {
        this.sharer = sharer;
        this.domid = domid;
        this.grefs = grefs;
        this.range = range;
        this.chunks = chunks;
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
        Objects.checkIndex(offset, (long) grefs.length * GrantSharer.PAGE_SIZE);
        if (closed) {
            throw new IllegalStateException("the share is closed");
        }
        long chunkBytes = (long) GntallocSharer.CHUNK * GrantSharer.PAGE_SIZE;
        long index = chunks.get((int) (offset / chunkBytes)).index() + offset % chunkBytes;
        sharer.notifyOnUnmap(index, true);
        // The kernel keeps one notification per page: one on another page would stay.
        if (notified != NONE && notified / GrantSharer.PAGE_SIZE != index / GrantSharer.PAGE_SIZE) {
            sharer.notifyOnUnmap(notified, false);
        }
        notified = index;
    }

    XenDevice.Range range() {
        return range;
    }

    List<GntallocSharer.Chunk> chunks() {
        return chunks;
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
