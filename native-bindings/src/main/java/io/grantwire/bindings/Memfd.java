package io.grantwire.bindings;

import io.grantwire.bindings.gen.libc.LibC;
import java.lang.foreign.Arena;
import java.lang.invoke.MethodHandle;

/** Anonymous shared memory that lives as long as a descriptor or mapping of it does. */
public final class Memfd {
    private static final MethodHandle MEMFD_CREATE =
            CaptureState.link(LibC.memfd_create$address(), LibC.memfd_create$descriptor());
    private static final MethodHandle FTRUNCATE =
            CaptureState.link(LibC.ftruncate$address(), LibC.ftruncate$descriptor());
    private static final MethodHandle FALLOCATE =
            CaptureState.link(LibC.fallocate$address(), LibC.fallocate$descriptor());

    private Memfd() {}

    /** Seals that fix the size for ever: whoever maps it cannot be faulted by a shrink. */
    public static int fixedSizeSeals() {
        return LibC.F_SEAL_SHRINK() | LibC.F_SEAL_GROW() | LibC.F_SEAL_SEAL();
    }

    /**
     * Makes a memory file of a fixed size with every page present, so that touching it never runs
     * out of memory (SIGBUS) later.
     *
     * @param name shown in {@code /proc/<pid>/fd} and {@code maps}
     * @param size bytes; whole huge pages when {@code hugePages}
     * @param hugePages whether to take huge pages of the default size
     * @param seals {@code F_SEAL_*} to apply, or 0; see {@link #fixedSizeSeals}
     * @throws NativeException {@code ENOSPC} or {@code ENOMEM} when there is not enough
     */
    public static Fd create(String name, long size, boolean hugePages, int seals) {
        if (!hugePages) {
            checkFits(name, size, MemInfo.bytes("MemAvailable") + MemInfo.bytes("SwapFree"));
        }
        int flags = LibC.MFD_CLOEXEC() | LibC.MFD_ALLOW_SEALING();
        if (hugePages) {
            flags |= LibC.MFD_HUGETLB();
        }
        int n;
        try (Arena arena = Arena.ofConfined()) {
            n =
                    (int)
                            MEMFD_CREATE.invokeExact(
                                    CaptureState.segment(), arena.allocateFrom(name), flags);
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
        if (n < 0) {
            throw failed("memfd_create(" + name + ")", size, hugePages, CaptureState.errno());
        }
        Fd fd = Fd.adopt(n, "memfd:" + name);
        try {
            if (truncate0(n, size) < 0) {
                int errno = CaptureState.errno();
                throw failed(
                        "ftruncate(" + fd.what() + ", " + size + " bytes)", size, hugePages, errno);
            }
            allocate(fd, size, hugePages);
            if (seals != 0) {
                fd.fcntl(LibC.F_ADD_SEALS(), seals, "F_ADD_SEALS");
            }
            return fd;
        } catch (RuntimeException e) {
            fd.close();
            throw e;
        }
    }

    /**
     * The seals of a memory file, for a receiver that must not be faulted by its sender.
     *
     * @throws NativeException {@code EINVAL} if it is not a file that can be sealed
     */
    public static int seals(Fd fd) {
        return fd.fcntl(LibC.F_GET_SEALS(), 0, "F_GET_SEALS");
    }

    /**
     * The kernel grants a memory file page by page until it kills processes to find more: refuse
     * what cannot fit before it starts.
     */
    static void checkFits(String name, long size, long available) {
        if (available > 0 && size > available) {
            throw failed("memfd_create(" + name + ")", size, false, LibC.ENOMEM());
        }
    }

    private static void allocate(Fd fd, long size, boolean hugePages) {
        while (fallocate0(fd.value(), size) < 0) {
            int errno = CaptureState.errno();
            if (errno != LibC.EINTR()) {
                throw failed(
                        "fallocate(" + fd.what() + ", " + size + " bytes)", size, hugePages, errno);
            }
        }
    }

    private static NativeException failed(String call, long size, boolean huge, int errno) {
        return new NativeException(
                call, errno, huge ? Hints.hugePages(size, errno) : Hints.memory(size, errno));
    }

    private static int truncate0(int fd, long size) {
        try {
            return (int) FTRUNCATE.invokeExact(CaptureState.segment(), fd, size);
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
    }

    private static int fallocate0(int fd, long size) {
        try {
            return (int) FALLOCATE.invokeExact(CaptureState.segment(), fd, 0, 0L, size);
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
    }
}
