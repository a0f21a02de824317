package io.grantwire.gntalloc;

import java.lang.foreign.MemorySegment;
import java.util.List;

/** Another domain's pages, mapped through gntdev. */
final class GntdevMapping implements GrantMapping {
    private final GntdevMapper mapper;
    private final int domid;
    private final int pages;
    private final XenDevice.Range range;
    private final MemorySegment segment;
    private final List<GntdevMapper.Batch> batches;

    GntdevMapping(
            GntdevMapper mapper,
            int domid,
            int pages,
            XenDevice.Range range,
            boolean writable,
            List<GntdevMapper.Batch> batches) {
        this.mapper = mapper;
        this.domid = domid;
        this.pages = pages;
        this.range = range;
        this.segment = writable ? range.segment() : range.segment().asReadOnly();
        this.batches = batches;
    }

    @Override
    public int domid() {
        return domid;
    }

    @Override
    public int pages() {
        return pages;
    }

    @Override
    public MemorySegment segment() {
        return segment;
    }

    XenDevice.Range range() {
        return range;
    }

    List<GntdevMapper.Batch> batches() {
        return batches;
    }

    @Override
    public void close() {
        mapper.end(this);
    }
}
