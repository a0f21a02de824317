package io.grantwire.bindings;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.grantwire.bindings.gen.libc.iovec;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Pages that the kernel does not move while this object is open. Locked memory ({@link
 * Mapping#lock}) stays in memory but may still be moved to another frame, by compaction for
 * instance, which a device that was told the frame does not notice.
 *
 * <p>The kernel pins pages for as long as it takes for whoever registers them as buffers of an
 * io_uring (io_uring_register(2)), which is all that the ring is made for here.
 */
public final class PinnedPages implements AutoCloseable {
    // asm-generic/unistd.h: the same numbers on every architecture.
    private static final long IO_URING_SETUP = 425;
    private static final long IO_URING_REGISTER = 427;

    /** linux/io_uring.h */
    private static final int REGISTER_BUFFERS = 0;

    /** sizeof(struct io_uring_params). */
    private static final long PARAMS_BYTES = 120;

    /** What one buffer may be long at most. */
    private static final long MOST = 1L << 30;

    private static final MethodHandle SETUP =
            syscall(FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_INT, ADDRESS));
    private static final MethodHandle REGISTER =
            syscall(
                    FunctionDescriptor.of(
                            JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT));

    private final Fd ring;

    private PinnedPages(Fd ring) {
        this.ring = ring;
    }

    private static MethodHandle syscall(FunctionDescriptor descriptor) {
        return CaptureState.linkVariadic(
                Linker.nativeLinker().defaultLookup().findOrThrow("syscall"), descriptor, 1);
    }

    /**
     * Pins memory, which stays its owner's. Unmapping it does not free pinned pages: close this
     * first.
     *
     * @param memory writable, whole pages
     * @throws NativeException {@code ENOSYS} or {@code EPERM} where io_uring is not to be had,
     *     {@code ENOMEM} with what to type when the process may not lock that much
     */
    public static PinnedPages pin(MemorySegment memory) {
        long bytes = memory.byteSize();
        try (Arena arena = Arena.ofConfined()) {
            int fd = (int) setup0(1, arena.allocate(PARAMS_BYTES, 8));
            if (fd < 0) {
                throw new NativeException(
                        "io_uring_setup()",
                        CaptureState.errno(),
                        "allow it with: sysctl kernel.io_uring_disabled=0");
            }
            Fd ring = Fd.adopt(fd, "io_uring");
            int count = Math.toIntExact((bytes + MOST - 1) / MOST);
            MemorySegment buffers = iovec.allocateArray(count, arena);
            for (int i = 0; i < count; i++) {
                MemorySegment one = iovec.asSlice(buffers, i);
                MemorySegment part = memory.asSlice(i * MOST, Math.min(MOST, bytes - i * MOST));
                iovec.iov_base(one, part);
                iovec.iov_len(one, part.byteSize());
            }
            if (register0(fd, buffers, count) < 0) {
                int errno = CaptureState.errno();
                ring.close();
                throw new NativeException(
                        "io_uring_register(" + bytes + " bytes)",
                        errno,
                        Hints.locking(bytes, errno));
            }
            return new PinnedPages(ring);
        }
    }

    /** Lets the pages move again; a second call does nothing. */
    @Override
    public void close() {
        ring.close();
    }

    private static long setup0(int entries, MemorySegment params) {
        try {
            return (long)
                    SETUP.invokeExact(CaptureState.segment(), IO_URING_SETUP, entries, params);
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
    }

    private static long register0(int fd, MemorySegment buffers, int count) {
        try {
            return (long)
                    REGISTER.invokeExact(
                            CaptureState.segment(),
                            IO_URING_REGISTER,
                            fd,
                            REGISTER_BUFFERS,
                            buffers,
                            count);
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
    }
}
