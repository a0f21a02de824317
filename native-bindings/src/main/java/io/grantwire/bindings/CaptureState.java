package io.grantwire.bindings;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Links native functions so that {@code errno} is saved by the call itself, and holds the place it
 * is saved in.
 *
 * <p>The JVM may run other native code between a downcall's return and the next line of Java, so
 * {@code errno} cannot be asked for afterwards. Each thread has one capture segment and one small
 * scratch segment, reused by every call it makes: a fresh arena per call costs several times the
 * call.
 */
final class CaptureState {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final StructLayout LAYOUT = Linker.Option.captureStateLayout();
    private static final long ERRNO_OFFSET =
            LAYOUT.byteOffset(MemoryLayout.PathElement.groupElement("errno"));
    private static final Linker.Option CAPTURE_ERRNO = Linker.Option.captureCallState("errno");

    /** Bytes of scratch memory per thread; enough for a counter or a small structure. */
    static final long SCRATCH_BYTES = 256;

    private static final ThreadLocal<CaptureState> CURRENT =
            ThreadLocal.withInitial(CaptureState::new);

    private final MemorySegment capture;
    private final MemorySegment scratch;

    private CaptureState() {
        // Automatic arena: released when the thread and with it this object is gone. Only the
        // owning
        // thread ever touches the segments.
        Arena arena = Arena.ofAuto();
        capture = arena.allocate(LAYOUT);
        scratch = arena.allocate(SCRATCH_BYTES, 16);
    }

    /** The calling thread's capture segment: the first argument of every linked handle. */
    static MemorySegment segment() {
        return CURRENT.get().capture;
    }

    /** The calling thread's scratch memory; valid until the next face call on this thread. */
    static MemorySegment scratch() {
        return CURRENT.get().scratch;
    }

    /**
     * The error number that the calling thread's latest linked call left. Meaningful only when that
     * call's return value reported a failure.
     */
    static int errno() {
        return CURRENT.get().capture.get(ValueLayout.JAVA_INT, ERRNO_OFFSET);
    }

    /**
     * Links a function; the handle takes {@link #segment()} before the function's own arguments.
     */
    static MethodHandle link(MemorySegment address, FunctionDescriptor descriptor) {
        return LINKER.downcallHandle(address, descriptor, CAPTURE_ERRNO);
    }

    /**
     * Links a variadic function for one specialised descriptor.
     *
     * @param fixed how many leading arguments the prototype names
     */
    static MethodHandle linkVariadic(
            MemorySegment address, FunctionDescriptor descriptor, int fixed) {
        return LINKER.downcallHandle(
                address, descriptor, CAPTURE_ERRNO, Linker.Option.firstVariadicArg(fixed));
    }

    /** Turns what {@code invokeExact} declares into something callers need not declare. */
    static RuntimeException unexpected(Throwable t) {
        if (t instanceof RuntimeException e) {
            return e;
        }
        if (t instanceof Error e) {
            throw e;
        }
        return new IllegalStateException("native call failed", t);
    }
}
