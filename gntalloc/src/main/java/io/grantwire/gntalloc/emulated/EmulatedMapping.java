package io.grantwire.gntalloc.emulated;

import io.grantwire.bindings.Mapping;
import io.grantwire.gntalloc.GrantMapping;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/** Another domain's pages, mapped through the emulated hypervisor. */
final class EmulatedMapping implements GrantMapping {
    private final EmulatedMapper mapper;
    private final int domid;
    private final int pages;
    private final Mapping range;
    private final MemorySegment segment;
    private final List<Integer> handles;
    private final int pieces;
    private final AtomicBoolean closed = new AtomicBoolean();

    EmulatedMapping(
            EmulatedMapper mapper,
            int domid,
            int pages,
            Mapping range,
            boolean writable,
            List<Integer> handles,
            int pieces) {
        this.mapper = mapper;
        this.domid = domid;
        this.pages = pages;
        this.range = range;
        this.segment = writable ? range.segment() : range.segment().asReadOnly();
        this.handles = handles;
        this.pieces = pieces;
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

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            mapper.end(this, range, handles, pieces);
        }
    }
}
