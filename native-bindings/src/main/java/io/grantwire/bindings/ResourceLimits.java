package io.grantwire.bindings;

import io.grantwire.bindings.gen.libc.LibC;
import io.grantwire.bindings.gen.libc.rlimit;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** This process's soft limits. */
public final class ResourceLimits {
    /** What a limit reads when there is none. */
    public static final long UNLIMITED = Long.MAX_VALUE;

    private static final MethodHandle GETRLIMIT =
            CaptureState.link(LibC.getrlimit$address(), LibC.getrlimit$descriptor());

    private ResourceLimits() {}

    /** Bytes of memory it may lock ({@code ulimit -l}, there in KiB); {@link #UNLIMITED} if any. */
    public static long memlock() {
        return soft(LibC.RLIMIT_MEMLOCK(), "RLIMIT_MEMLOCK");
    }

    /** Descriptors it may have open ({@code ulimit -n}). */
    public static long openFiles() {
        return soft(LibC.RLIMIT_NOFILE(), "RLIMIT_NOFILE");
    }

    private static long soft(int resource, String name) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment limit = rlimit.allocate(arena);
            int rc = (int) GETRLIMIT.invokeExact(CaptureState.segment(), resource, limit);
            if (rc < 0) {
                throw new NativeException("getrlimit(" + name + ")", CaptureState.errno());
            }
            // RLIM_INFINITY is all ones.
            long value = rlimit.rlim_cur(limit);
            return value < 0 ? UNLIMITED : value;
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
    }
}
