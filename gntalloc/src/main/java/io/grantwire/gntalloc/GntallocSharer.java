package io.grantwire.gntalloc;

import io.grantwire.bindings.Mapping;
import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.gen.libc.LibC;
import io.grantwire.bindings.gen.xen.Xen;
import io.grantwire.bindings.gen.xen.ioctl_gntalloc_alloc_gref;
import io.grantwire.bindings.gen.xen.ioctl_gntalloc_dealloc_gref;
import io.grantwire.bindings.gen.xen.ioctl_gntalloc_unmap_notify;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Shares pages through {@code /dev/xen/gntalloc} (xen/gntalloc.h). The kernel allocates and zeroes
 * the pages; it keeps a page that a peer still has mapped after its share ended.
 *
 * <p>Pages are asked for in chunks, so that no kernel is made to allocate by a large number before
 * it has looked at its limit.
 */
public final class GntallocSharer implements GrantSharer {
    /** The device. */
    public static final Path DEVICE = Path.of("/dev/xen/gntalloc");

    /** Pages that all processes of this system may share together, a decimal number. */
    static final Path LIMIT = Path.of("/sys/module/xen_gntalloc/parameters/limit");

    /** Pages asked for with one call. */
    static final int CHUNK = 1024;

    private static final String MODULE = "xen-gntalloc";
    private static final Logger LOG = LoggerFactory.getLogger(GntallocSharer.class);
    private static final int PROT = Mapping.READ | Mapping.WRITE;
    private static final long GREFS = ioctl_gntalloc_alloc_gref.gref_ids$offset();

    private final XenDevice device;
    private final Path limitFile;
    private final Deque<GntallocShare> open = new ArrayDeque<>();
    private int pagesShared;
    private boolean closed;

    /** Pages of one call: where the device has them, how many. */
    record Chunk(long index, int pages) {}

    GntallocSharer(XenDevice device, Path limitFile) {
        this.device = device;
        this.limitFile = limitFile;
    }

    /**
     * Opens the device.
     *
     * @throws NativeException when it is absent or refused, with what to type
     */
    public static GntallocSharer open() {
        return new GntallocSharer(XenDeviceFile.open(DEVICE), LIMIT);
    }

    /** Why the device cannot be used here, with what to type next; empty when it can. */
    public static Optional<String> unavailable() {
        return XenDeviceFile.unavailable(DEVICE, MODULE);
    }

    @Override
    public String description() {
        return device.path();
    }

    @Override
    public synchronized GrantShare share(int domid, int pages, boolean writable) {
        if (domid < 0 || domid >= Xen.DOMID_FIRST_RESERVED()) {
            throw new IllegalArgumentException("no domain has the id " + domid);
        }
        if (pages < 1) {
            throw new IllegalArgumentException("cannot share " + pages + " pages");
        }
        if (closed) {
            throw new NativeException("share", LibC.EBADF(), "the sharer was closed");
        }
        if (pages > available()) {
            throw new NativeException(
                    "share " + pages + " pages by " + device.path(), LibC.ENOSPC(), raise(pages));
        }
        int[] grefs = new int[pages];
        List<Chunk> chunks = new ArrayList<>();
        XenDevice.Range range = device.reserve((long) pages * PAGE_SIZE);
        try {
            for (int done = 0; done < pages; ) {
                int count = Math.min(pages - done, CHUNK);
                Chunk chunk = allocate(domid, count, writable, grefs, done, pages);
                chunks.add(chunk);
                long at = (long) done * PAGE_SIZE;
                range.map(at, chunk.index(), (long) count * PAGE_SIZE, PROT);
                done += count;
            }
        } catch (RuntimeException e) {
            release(range, chunks);
            throw e;
        }
        GntallocShare share = new GntallocShare(this, domid, grefs, range, chunks);
        open.push(share);
        pagesShared += pages;
        return share;
    }

    private Chunk allocate(
            int domid, int count, boolean writable, int[] grefs, int from, int wanted) {
        // The kernel copies the structure of one reference in and out, however few are asked for.
        long size = Math.max(ioctl_gntalloc_alloc_gref.sizeof(), GREFS + 4L * count);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment request = arena.allocate(size, 8);
            ioctl_gntalloc_alloc_gref.domid(request, (short) domid);
            ioctl_gntalloc_alloc_gref.flags(
                    request, (short) (writable ? Xen.GNTALLOC_FLAG_WRITABLE() : 0));
            ioctl_gntalloc_alloc_gref.count(request, count);
            try {
                device.ioctl(Xen.IOCTL_GNTALLOC_ALLOC_GREF(), request);
            } catch (NativeException e) {
                throw refused(e, count, wanted);
            }
            MemorySegment.copy(request, ValueLayout.JAVA_INT, GREFS, grefs, from, count);
            return new Chunk(ioctl_gntalloc_alloc_gref.index(request), count);
        }
    }

    private NativeException refused(NativeException e, int count, int wanted) {
        // The limit is known to leave room for this process: others have used it up, or there is no
        // free entry in the grant table, which the kernel reports in the same way.
        String hint = null;
        if (e.errno() == LibC.ENOSPC()) {
            hint =
                    raise(wanted)
                            + "; if that is not it, the domain's grant table is full: raise"
                            + " max_grant_frames in its xl configuration (512 grants a frame, 64"
                            + " frames by default)";
        }
        return NativeFailure.of(
                "GNTALLOC_ALLOC_GREF(" + count + " of " + wanted + " pages) on " + device.path(),
                e,
                hint);
    }

    /** How to get room for more pages than the module's limit allows. */
    private String raise(int wanted) {
        int limit = limit();
        long need = Integer.highestOneBit(Math.max(pagesShared + wanted, 1)) * 4L;
        return "the system shares at most "
                + (limit < 0 ? "a fixed number of" : limit)
                + " pages and this process has "
                + pagesShared
                + "; raise the limit with: echo "
                + need
                + " > "
                + LIMIT
                + " (or modprobe "
                + MODULE
                + " limit="
                + need
                + ")";
    }

    /** The system's limit, or -1 when it cannot be read. */
    private int limit() {
        try {
            return Integer.parseInt(Files.readString(limitFile).trim());
        } catch (IOException | NumberFormatException e) {
            return -1;
        }
    }

    /** Asks for a byte to be cleared at the end, or with {@code clear} false not any more. */
    void notifyOnUnmap(long index, boolean clear) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment request = ioctl_gntalloc_unmap_notify.allocate(arena);
            ioctl_gntalloc_unmap_notify.index(request, index);
            ioctl_gntalloc_unmap_notify.action(request, clear ? Xen.UNMAP_NOTIFY_CLEAR_BYTE() : 0);
            device.ioctl(Xen.IOCTL_GNTALLOC_SET_UNMAP_NOTIFY(), request);
        } catch (NativeException e) {
            throw NativeFailure.of("GNTALLOC_SET_UNMAP_NOTIFY on " + device.path(), e, null);
        }
    }

    /** Ends a share, unless it has been. */
    synchronized void end(GntallocShare share) {
        if (open.remove(share)) {
            pagesShared -= share.pages();
            release(share.range(), share.chunks());
        }
    }

    /** Unmaps, then ends the grants, newest first. */
    private void release(XenDevice.Range range, List<Chunk> chunks) {
        range.close();
        for (Chunk chunk : chunks.reversed()) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment request = ioctl_gntalloc_dealloc_gref.allocate(arena);
                ioctl_gntalloc_dealloc_gref.index(request, chunk.index());
                ioctl_gntalloc_dealloc_gref.count(request, chunk.pages());
                device.ioctl(Xen.IOCTL_GNTALLOC_DEALLOC_GREF(), request);
            } catch (NativeException e) {
                LOG.warn("ending {} grants: {}", chunk.pages(), e.getMessage());
            }
        }
    }

    /**
     * {@inheritDoc}
     *
     * <p>Here an upper bound: the limit is the whole system's, and what other processes share is
     * not known.
     */
    @Override
    public synchronized int available() {
        int limit = limit();
        return limit < 0 ? Integer.MAX_VALUE : Math.max(0, limit - pagesShared);
    }

    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        while (!open.isEmpty()) {
            GntallocShare share = open.peek();
            share.markClosed();
            end(share);
        }
        device.close();
    }
}
