package io.grantwire.gntalloc;

import io.grantwire.bindings.Mapping;
import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.gen.libc.LibC;
import io.grantwire.bindings.gen.xen.Xen;
import io.grantwire.bindings.gen.xen.ioctl_gntdev_grant_ref;
import io.grantwire.bindings.gen.xen.ioctl_gntdev_map_grant_ref;
import io.grantwire.bindings.gen.xen.ioctl_gntdev_set_max_grants;
import io.grantwire.bindings.gen.xen.ioctl_gntdev_unmap_grant_ref;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Maps pages through {@code /dev/xen/gntdev} (xen/gntdev.h). A list is registered with the device
 * in batches, each of which is mapped by itself at its place in one reserved range; the hypervisor
 * is asked for a batch when it is mapped, and refuses a batch as a whole.
 */
public final class GntdevMapper implements GrantMapper {
    /** The device. */
    public static final Path DEVICE = Path.of("/dev/xen/gntdev");

    /** Grants registered with one call; fewer when the kernel wants it so. */
    static final int BATCH = 1024;

    private static final String MODULE = "xen-gntdev";
    private static final Logger LOG = LoggerFactory.getLogger(GntdevMapper.class);
    private static final long PAGE = GrantSharer.PAGE_SIZE;
    private static final long REFS = ioctl_gntdev_map_grant_ref.refs$offset();
    private static final long REF = ioctl_gntdev_grant_ref.sizeof();

    /** How long the granting domain may take to bring a page back from its swap. */
    private static final long PAGING_NANOS = Duration.ofSeconds(10).toNanos();

    private static final long PAGING_INTERVAL_NANOS = Duration.ofMillis(1).toNanos();

    private final XenDevice device;
    private final Deque<GntdevMapping> open = new ArrayDeque<>();
    private int batch = BATCH;
    private int mappedPages;
    private boolean closed;

    /** Grants registered with one call: where the device has them, how many. */
    record Batch(long index, int count) {}

    GntdevMapper(XenDevice device) {
        this.device = device;
        raiseMaximum();
    }

    /**
     * Opens the device.
     *
     * @throws NativeException when it is absent or refused, with what to type
     */
    public static GntdevMapper open() {
        XenDeviceFile device = XenDeviceFile.open(DEVICE);
        return new GntdevMapper(device);
    }

    /** Why the device cannot be used here, with what to type next; empty when it can. */
    public static Optional<String> unavailable() {
        return XenDeviceFile.unavailable(DEVICE, MODULE);
    }

    @Override
    public String description() {
        return device.path();
    }

    /** Only the kernels of long ago knew this; for the others it is an unknown request. */
    private void raiseMaximum() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment request = ioctl_gntdev_set_max_grants.allocate(arena);
            ioctl_gntdev_set_max_grants.count(request, 1 << 20);
            device.ioctl(Xen.IOCTL_GNTDEV_SET_MAX_GRANTS(), request);
        } catch (NativeException e) {
            LOG.debug("the device has no limit to raise: {}", e.getMessage());
        }
    }

    @Override
    public synchronized GrantMapping map(int domid, int[] grefs, boolean writable) {
        if (domid < 0 || domid >= Xen.DOMID_FIRST_RESERVED()) {
            throw new IllegalArgumentException("no domain has the id " + domid);
        }
        if (grefs.length == 0) {
            throw new IllegalArgumentException("no grants to map");
        }
        if (closed) {
            throw new NativeException("map", LibC.EBADF(), "the mapper was closed");
        }
        int[] list = grefs.clone();
        int prot = writable ? Mapping.READ | Mapping.WRITE : Mapping.READ;
        List<Batch> batches = new ArrayList<>();
        XenDevice.Range range = device.reserve(list.length * PAGE);
        int done = 0;
        int most = batch;
        try {
            while (done < list.length) {
                int count = Math.min(most, list.length - done);
                Optional<Batch> registered = register(domid, list, done, count);
                if (registered.isEmpty()) {
                    most = count / 2;
                    continue;
                }
                // Smaller ones did help: go on with them.
                batch = most;
                batches.add(registered.get());
                mapPages(range, done * PAGE, registered.get(), prot);
                done += count;
            }
        } catch (RuntimeException e) {
            release(range, batches);
            if (e instanceof Refused) {
                int count = batches.getLast().count();
                int bad = firstRefused(domid, list, done, count, prot);
                throw new GrantMapException(domid, bad, reason(writable));
            }
            throw e;
        }
        GntdevMapping mapping =
                new GntdevMapping(this, domid, list.length, range, writable, batches);
        open.push(mapping);
        mappedPages += list.length;
        return mapping;
    }

    private static String reason(boolean writable) {
        return "the hypervisor refuses it: not granted to this domain"
                + (writable ? " for writing" : "")
                + ", revoked, or no tracking entries left (xl dmesg says which)";
    }

    /**
     * Registers part of a list with the device.
     *
     * @return empty when there may be fewer in one call, so that smaller batches can help
     */
    private Optional<Batch> register(int domid, int[] grefs, int from, int count) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment request = arena.allocate(REFS + count * REF, 8);
            ioctl_gntdev_map_grant_ref.count(request, count);
            for (int i = 0; i < count; i++) {
                MemorySegment ref = request.asSlice(REFS + i * REF, REF);
                ioctl_gntdev_grant_ref.domid(ref, domid);
                ioctl_gntdev_grant_ref.ref(ref, grefs[from + i]);
            }
            device.ioctl(Xen.IOCTL_GNTDEV_MAP_GRANT_REF(), request);
            return Optional.of(new Batch(ioctl_gntdev_map_grant_ref.index(request), count));
        } catch (NativeException e) {
            if (e.errno() == LibC.EINVAL() && count > 1) {
                return Optional.empty();
            }
            String hint =
                    e.errno() == LibC.ENOMEM() || e.errno() == LibC.EINVAL()
                            ? "the driver's limit may be too low: modprobe -r "
                                    + MODULE
                                    + "; modprobe "
                                    + MODULE
                                    + " limit=1048576"
                            : null;
            throw NativeFailure.of(
                    "GNTDEV_MAP_GRANT_REF(" + count + " grants) on " + device.path(), e, hint);
        }
    }

    /** The device refused to map a batch: one of its grants is bad. */
    private static final class Refused extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Refused(NativeException cause) {
            super(cause.getMessage(), cause, false, false);
        }
    }

    /** Maps a registered batch; waits for pages that the granting domain has swapped out. */
    private void mapPages(XenDevice.Range range, long at, Batch part, int prot) {
        retrying(() -> range.map(at, part.index(), part.count() * PAGE, prot));
    }

    private static void retrying(Runnable mmap) {
        long start = System.nanoTime();
        while (true) {
            try {
                mmap.run();
                return;
            } catch (NativeException e) {
                if (e.errno() == LibC.EINVAL()) {
                    throw new Refused(e);
                }
                if (e.errno() != LibC.EAGAIN() || System.nanoTime() - start > PAGING_NANOS) {
                    throw e;
                }
                LockSupport.parkNanos(PAGING_INTERVAL_NANOS);
            }
        }
    }

    /**
     * Finds the first bad grant of a refused batch by trying parts of it, since the device does not
     * say.
     *
     * @return the grant reference, or -1 when all of them can be mapped now
     */
    private int firstRefused(int domid, int[] grefs, int from, int count, int prot) {
        int good = from;
        int end = from + count;
        while (end - good > 1) {
            int middle = (good + end) >>> 1;
            if (mappable(domid, grefs, good, middle - good, prot)) {
                good = middle;
            } else {
                end = middle;
            }
        }
        return mappable(domid, grefs, good, 1, prot) ? -1 : grefs[good];
    }

    private boolean mappable(int domid, int[] grefs, int from, int count, int prot) {
        Optional<Batch> part;
        try {
            part = register(domid, grefs, from, count);
        } catch (NativeException e) {
            LOG.debug("looking for the bad grant: {}", e.getMessage());
            return false;
        }
        if (part.isEmpty()) {
            return false;
        }
        Batch probe = part.get();
        try {
            retrying(() -> device.map(probe.index(), probe.count() * PAGE, prot).close());
            return true;
        } catch (Refused | NativeException e) {
            return false;
        } finally {
            unregister(probe);
        }
    }

    /** Ends a mapping, unless it has been. */
    synchronized void end(GntdevMapping mapping) {
        if (open.remove(mapping)) {
            mappedPages -= mapping.pages();
            release(mapping.range(), mapping.batches());
        }
    }

    /** Unmaps, then has the device forget the grants, newest first. */
    private void release(XenDevice.Range range, List<Batch> batches) {
        range.close();
        for (Batch part : batches.reversed()) {
            unregister(part);
        }
    }

    private void unregister(Batch part) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment request = ioctl_gntdev_unmap_grant_ref.allocate(arena);
            ioctl_gntdev_unmap_grant_ref.index(request, part.index());
            ioctl_gntdev_unmap_grant_ref.count(request, part.count());
            device.ioctl(Xen.IOCTL_GNTDEV_UNMAP_GRANT_REF(), request);
        } catch (NativeException e) {
            LOG.warn("unmapping {} grants: {}", part.count(), e.getMessage());
        }
    }

    @Override
    public synchronized int mappedPages() {
        return mappedPages;
    }

    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        while (!open.isEmpty()) {
            end(open.peek());
        }
        device.close();
    }
}
