package io.grantwire.bindings;

import io.grantwire.bindings.gen.libc.LibC;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Memory obtained with {@code mmap}.
 *
 * <p>The segment carries no liveness check, so that the packet path pays none and closing one
 * mapping does not stop every thread: <em>whoever closes it must first have made sure that no
 * thread touches it any more</em>. A touch after {@link #close} crashes the process or reads
 * another mapping.
 */
public final class Mapping implements AutoCloseable {
    /** Pages may be read ({@code PROT_READ}). */
    public static final int READ = 1;

    /** Pages may be written ({@code PROT_WRITE}). */
    public static final int WRITE = 2;

    private static final MethodHandle MMAP =
            CaptureState.link(LibC.mmap$address(), LibC.mmap$descriptor());
    private static final MethodHandle MUNMAP =
            CaptureState.link(LibC.munmap$address(), LibC.munmap$descriptor());
    private static final MethodHandle MADVISE =
            CaptureState.link(LibC.madvise$address(), LibC.madvise$descriptor());

    private static final MethodHandle MLOCK =
            CaptureState.link(LibC.mlock$address(), LibC.mlock$descriptor());

    /** linux/mman.h since 5.14; libc's headers may be older. */
    private static final int MADV_POPULATE_WRITE = 23;

    private static final long PAGE = LibC.sysconf(LibC._SC_PAGESIZE());

    private final MemorySegment segment;
    private final long mappedBytes;
    private final boolean reservation;
    private final AtomicBoolean closed = new AtomicBoolean();
    // Pieces {address, length} of the reservation that another mapping of this process got into.
    private final List<long[]> lost = new CopyOnWriteArrayList<>();

    private Mapping(long address, long length, long mappedBytes, boolean reservation) {
        this.segment = MemorySegment.ofAddress(address).reinterpret(length);
        this.mappedBytes = mappedBytes;
        this.reservation = reservation;
    }

    /** The kernel's page size in bytes. */
    public static long pageSize() {
        return PAGE;
    }

    /**
     * Maps part of a file or device, shared ({@code MAP_SHARED}).
     *
     * @param offset bytes, a multiple of the page size; what it means is the device's business
     * @param length bytes
     * @param prot {@link #READ}, {@link #WRITE} or both
     * @throws NativeException if the kernel refuses
     */
    public static Mapping shared(Fd fd, long offset, long length, int prot) {
        checkLength(length);
        long at = mmap0(0, length, prot, LibC.MAP_SHARED(), fd.value(), offset);
        if (at == -1) {
            throw failed(describe(fd, offset, length), length, CaptureState.errno());
        }
        return new Mapping(at, length, length, false);
    }

    /**
     * Maps zeroed private memory, readable and writable.
     *
     * @throws NativeException if there is not enough
     */
    public static Mapping anonymous(long length) {
        checkLength(length);
        long at = mmap0(0, length, READ | WRITE, LibC.MAP_PRIVATE() | LibC.MAP_ANONYMOUS(), -1, 0);
        if (at == -1) {
            throw failed("mmap(" + length + " bytes)", length, CaptureState.errno());
        }
        return new Mapping(at, length, length, false);
    }

    /**
     * Maps zeroed private memory on huge pages of the default size, all present from the start.
     *
     * @param length bytes; what is taken is rounded up to whole huge pages
     * @throws NativeException {@code ENOMEM} with the command that reserves enough, if there are
     *     too few
     */
    public static Mapping hugePages(long length) {
        checkLength(length);
        long size = Math.max(HugePages.defaultSize(), PAGE);
        long rounded = Math.addExact(length, size - 1) / size * size;
        int flags =
                LibC.MAP_PRIVATE()
                        | LibC.MAP_ANONYMOUS()
                        | LibC.MAP_HUGETLB()
                        | LibC.MAP_POPULATE();
        long at = mmap0(0, rounded, READ | WRITE, flags, -1, 0);
        if (at == -1) {
            int errno = CaptureState.errno();
            throw new NativeException(
                    "mmap(" + length + " bytes of huge pages)",
                    errno,
                    Hints.hugePages(length, errno));
        }
        return new Mapping(at, length, rounded, false);
    }

    /**
     * Reserves address space without memory: touching it is a fault until {@link #mapFixed} puts
     * something there.
     *
     * @throws NativeException if the address space is exhausted
     */
    public static Mapping reserve(long length) {
        checkLength(length);
        long at = mmap0(0, length, LibC.PROT_NONE(), reserveFlags(), -1, 0);
        if (at == -1) {
            throw failed("mmap(reserve " + length + " bytes)", length, CaptureState.errno());
        }
        return new Mapping(at, length, length, true);
    }

    /**
     * Maps part of a file or device, shared, at a fixed place of this reservation.
     *
     * @param at bytes from the reservation's start, a multiple of the page size
     * @param offset bytes in the file
     * @param length bytes; must lie inside the reservation
     * @param prot {@link #READ}, {@link #WRITE} or both
     * @throws NativeException if the kernel refuses; the range is then reserved as before
     */
    public void mapFixed(long at, Fd fd, long offset, long length, int prot) {
        long address = placeOf(at, length);
        int flags = LibC.MAP_SHARED() | LibC.MAP_FIXED();
        if (mmap0(address, length, prot, flags, fd.value(), offset) == -1) {
            int errno = CaptureState.errno();
            restoreReservation(address, length);
            throw failed(describe(fd, offset, length), length, errno);
        }
    }

    /**
     * Takes away what {@link #mapFixed} put in a range; the range stays reserved.
     *
     * @param at bytes from the reservation's start, a multiple of the page size
     * @param length bytes
     */
    public void unmapFixed(long at, long length) {
        long address = placeOf(at, length);
        int flags = reserveFlags() | LibC.MAP_FIXED();
        if (mmap0(address, length, LibC.PROT_NONE(), flags, -1, 0) == -1) {
            throw failed("mmap(reserve " + length + " bytes)", length, CaptureState.errno());
        }
    }

    /**
     * Makes every page present now, so that no thread takes a page fault on first touch; best
     * effort (kernels before 5.14 cannot). The mapping must be writable.
     */
    public void populate() {
        checkOpen();
        madvise0(segment.address(), mappedBytes, MADV_POPULATE_WRITE);
    }

    /** Asks for transparent huge pages under this memory; best effort, ask before touching it. */
    public void adviseHugePages() {
        checkOpen();
        madvise0(segment.address(), mappedBytes, LibC.MADV_HUGEPAGE());
    }

    /**
     * Makes every page present, and keeps them all in memory until {@link #close}.
     *
     * @throws NativeException {@code ENOMEM} or {@code EPERM} with what to type, when the process
     *     may not lock that much
     */
    public void lock() {
        checkOpen();
        if (mlock0(segment.address(), mappedBytes) != 0) {
            int errno = CaptureState.errno();
            throw new NativeException(
                    "mlock(" + mappedBytes + " bytes)", errno, Hints.locking(mappedBytes, errno));
        }
    }

    /**
     * Leaves these pages out of forked processes, so that none is ever moved by copying on write;
     * best effort.
     */
    public void excludeFromForks() {
        checkOpen();
        madvise0(segment.address(), mappedBytes, LibC.MADV_DONTFORK());
    }

    /** Leaves these pages out of core dumps; best effort. */
    public void excludeFromDumps() {
        checkOpen();
        madvise0(segment.address(), mappedBytes, LibC.MADV_DONTDUMP());
    }

    /**
     * The memory. Its scope is the global one: no thread is ever denied access, see the class
     * comment.
     */
    public MemorySegment segment() {
        return segment;
    }

    /** Its length in bytes. */
    public long length() {
        return segment.byteSize();
    }

    /** Whether {@link #close} has not been called yet. */
    public boolean isOpen() {
        return !closed.get();
    }

    /** Unmaps it; a second call does nothing. No thread may touch the segment any more. */
    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        long from = segment.address();
        long end = from + mappedBytes;
        lost.sort(Comparator.comparingLong(range -> range[0]));
        for (long[] range : lost) {
            if (range[0] > from) {
                munmap0(from, range[0] - from);
            }
            from = Math.max(from, range[0] + range[1]);
        }
        if (from < end) {
            munmap0(from, end - from);
        }
    }

    @Override
    public String toString() {
        return (closed.get() ? "closed mapping of " : "mapping of ") + length() + " bytes";
    }

    private long placeOf(long at, long length) {
        checkOpen();
        checkLength(length);
        if (!reservation) {
            throw new IllegalArgumentException("mapFixed needs a mapping made by reserve");
        }
        if (at < 0 || at % PAGE != 0 || at > length() - length) {
            throw new IllegalArgumentException(
                    "bytes "
                            + at
                            + " to "
                            + (at + length)
                            + " are not whole pages inside a reservation of "
                            + length()
                            + " bytes");
        }
        long address = segment.address() + at;
        for (long[] range : lost) {
            if (address < range[0] + range[1] && range[0] < address + length) {
                throw new NativeException(
                        "mmap(at " + at + ", " + length + " bytes)",
                        LibC.EEXIST(),
                        "an earlier failure here gave the range away; reserve anew");
            }
        }
        return address;
    }

    /**
     * A refused {@code MAP_FIXED} has already removed what was there. Reserve it again, but never
     * on top of a mapping that another thread got in the meantime.
     */
    private void restoreReservation(long address, long length) {
        int flags = reserveFlags() | LibC.MAP_FIXED_NOREPLACE();
        if (mmap0(address, length, LibC.PROT_NONE(), flags, -1, 0) == address) {
            return;
        }
        // EEXIST as well when the kernel refused before it removed anything.
        if (!AddressSpace.isReserved(address, length)) {
            lost.add(new long[] {address, length});
        }
    }

    private void checkOpen() {
        if (closed.get()) {
            throw new NativeException("use of " + this, LibC.EBADF(), "it was closed before");
        }
    }

    private static void checkLength(long length) {
        if (length <= 0) {
            throw new IllegalArgumentException("cannot map " + length + " bytes");
        }
    }

    private static int reserveFlags() {
        return LibC.MAP_PRIVATE() | LibC.MAP_ANONYMOUS() | LibC.MAP_NORESERVE();
    }

    private static String describe(Fd fd, long offset, long length) {
        return "mmap(" + fd.what() + ", offset " + offset + ", " + length + " bytes)";
    }

    private static NativeException failed(String call, long length, int errno) {
        return new NativeException(call, errno, Hints.memory(length, errno));
    }

    private static long mmap0(long at, long length, int prot, int flags, int fd, long offset) {
        try {
            MemorySegment address =
                    (MemorySegment)
                            MMAP.invokeExact(
                                    CaptureState.segment(),
                                    MemorySegment.ofAddress(at),
                                    length,
                                    prot,
                                    flags,
                                    fd,
                                    offset);
            return address.address();
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
    }

    private static void munmap0(long at, long length) {
        try {
            int ignored =
                    (int)
                            MUNMAP.invokeExact(
                                    CaptureState.segment(), MemorySegment.ofAddress(at), length);
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
    }

    private static int mlock0(long at, long length) {
        try {
            return (int)
                    MLOCK.invokeExact(CaptureState.segment(), MemorySegment.ofAddress(at), length);
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
    }

    private static void madvise0(long at, long length, int advice) {
        try {
            int ignored =
                    (int)
                            MADVISE.invokeExact(
                                    CaptureState.segment(),
                                    MemorySegment.ofAddress(at),
                                    length,
                                    advice);
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
    }
}
