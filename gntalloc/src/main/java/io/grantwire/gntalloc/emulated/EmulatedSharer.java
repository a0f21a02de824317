package io.grantwire.gntalloc.emulated;

import io.grantwire.bindings.Fd;
import io.grantwire.bindings.Mapping;
import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.gen.libc.LibC;
import io.grantwire.gntalloc.GrantShare;
import io.grantwire.gntalloc.GrantSharer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Shares pages that the emulated hypervisor makes, through a grant table that this process writes.
 */
final class EmulatedSharer implements GrantSharer {
    private static final Logger LOG = LoggerFactory.getLogger(EmulatedSharer.class);

    private final BrokerLink link;
    private final GrantTable table;
    private final String description;
    private final Deque<EmulatedShare> open = new ArrayDeque<>();
    private boolean closed;

    EmulatedSharer(BrokerLink link, GrantTable table, String description) {
        this.link = link;
        this.table = table;
        this.description = description;
    }

    @Override
    public String description() {
        return description;
    }

    @Override
    public synchronized GrantShare share(int domid, int pages, boolean writable) {
        if (domid < 0 || domid >= Broker.FIRST_RESERVED_DOMID) {
            throw new IllegalArgumentException("no domain has the id " + domid);
        }
        if (pages < 1) {
            throw new IllegalArgumentException("cannot share " + pages + " pages");
        }
        if (closed) {
            throw new NativeException("share", LibC.EBADF(), "the sharer was closed");
        }
        int[] grefs = table.take(pages);
        List<EmulatedShare.Extent> extents = new ArrayList<>();
        Mapping range = null;
        try {
            range = Mapping.reserve((long) pages * PAGE_SIZE);
            for (int done = 0; done < pages; ) {
                int n = Math.min(pages - done, HypervisorWire.MAX_EXTENT_PAGES);
                EmulatedShare.Extent extent = addExtent(range, done, n);
                extents.add(extent);
                done += n;
            }
            range.populate();
            for (EmulatedShare.Extent extent : extents) {
                for (int i = 0; i < extent.pages(); i++) {
                    int gref = grefs[extent.firstPage() + i];
                    table.grant(gref, domid, extent.frame() + i, writable);
                }
            }
            EmulatedShare share = new EmulatedShare(this, domid, grefs, range, extents);
            open.push(share);
            return share;
        } catch (RuntimeException e) {
            release(grefs, range, extents);
            throw e;
        }
    }

    /** Memory that the hypervisor made. */
    private record Made(int id, int frame, Fd memory) {}

    /** Has some pages made and maps them at their place in the share's range. */
    private EmulatedShare.Extent addExtent(Mapping range, int firstPage, int pages) {
        Made made =
                link.call(
                        HypervisorWire.EXTENT_CREATE,
                        request -> request.put(pages),
                        (reply, descriptors) -> {
                            if (descriptors.size() != 1) {
                                throw new Message.Malformed("no memory");
                            }
                            return new Made(reply.get(), reply.get(), descriptors.getFirst());
                        });
        try (Fd memory = made.memory()) {
            long at = (long) firstPage * PAGE_SIZE;
            long bytes = (long) pages * PAGE_SIZE;
            range.mapFixed(at, memory, 0, bytes, Mapping.READ | Mapping.WRITE);
        } catch (NativeException e) {
            endExtent(made.id());
            throw e;
        }
        return new EmulatedShare.Extent(made.id(), made.frame(), firstPage, pages);
    }

    /** Tells the hypervisor which byte to clear; see {@link GrantShare#clearByteOnUnmap}. */
    void notifyOnEnd(int extent, int offset) {
        link.call(HypervisorWire.NOTIFY_ON_END, request -> request.put(extent).put(offset));
    }

    /** Ends a share, unless it has been. */
    synchronized void end(EmulatedShare share) {
        if (open.remove(share)) {
            release(share.grefs(), share.range(), share.extents());
        }
    }

    private void release(int[] grefs, Mapping range, List<EmulatedShare.Extent> extents) {
        // Ours goes first, then the permission, then the pages themselves.
        if (range != null) {
            range.close();
        }
        table.end(grefs);
        for (EmulatedShare.Extent extent : extents) {
            endExtent(extent.id());
        }
    }

    private void endExtent(int id) {
        if (!link.usable()) {
            return;
        }
        try {
            link.call(HypervisorWire.EXTENT_END, request -> request.put(id));
        } catch (NativeException e) {
            LOG.debug("ending a share: {}", e.getMessage());
        }
    }

    @Override
    public int available() {
        DomainUsage usage = HypervisorClient.usage(link);
        return usage.pageLimit() - usage.pagesShared();
    }

    @Override
    public synchronized void close() {
        closed = true;
        while (!open.isEmpty()) {
            EmulatedShare share = open.peek();
            share.markClosed();
            end(share);
        }
    }
}
