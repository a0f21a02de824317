package io.grantwire.bindings;

import io.grantwire.bindings.gen.libc.LibC;
import io.grantwire.bindings.gen.libc.cpu_set_t;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;
import java.util.BitSet;

/** Which CPUs threads run on. */
public final class CpuAffinity {
    private static final MethodHandle GET =
            CaptureState.link(
                    LibC.sched_getaffinity$address(), LibC.sched_getaffinity$descriptor());
    private static final MethodHandle SET =
            CaptureState.link(
                    LibC.sched_setaffinity$address(), LibC.sched_setaffinity$descriptor());

    private CpuAffinity() {}

    /** How many CPUs this process may use. */
    public static int available() {
        return allowed().length;
    }

    /**
     * The CPUs this process may use, ascending: those of its first thread, which never pins itself.
     */
    public static int[] allowed() {
        return affinityOf(Process.pid());
    }

    /** The CPUs the calling thread may run on, ascending. */
    public static int[] ofCurrentThread() {
        return affinityOf(0);
    }

    /**
     * Binds the calling thread, which must be a platform thread, to one CPU.
     *
     * @throws NativeException {@code EINVAL} if this process may not use that CPU
     */
    public static void pinCurrentThread(int cpu) {
        restrictCurrentThread(cpu);
    }

    /**
     * Binds the calling thread, which must be a platform thread, to some CPUs.
     *
     * @throws NativeException {@code EINVAL} if this process may use none of them
     */
    public static void restrictCurrentThread(int... cpus) {
        if (Thread.currentThread().isVirtual()) {
            throw new IllegalArgumentException("a virtual thread cannot be bound to a CPU");
        }
        BitSet wanted = new BitSet();
        for (int cpu : cpus) {
            if (cpu < 0 || cpu >= cpu_set_t.sizeof() * Byte.SIZE) {
                throw new IllegalArgumentException("there is no CPU " + cpu);
            }
            wanted.set(cpu);
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment set = cpu_set_t.allocate(arena);
            MemorySegment.copy(
                    MemorySegment.ofArray(wanted.toByteArray()),
                    0,
                    set,
                    0,
                    wanted.toByteArray().length);
            int rc = (int) SET.invokeExact(CaptureState.segment(), 0, set.byteSize(), set);
            if (rc < 0) {
                int errno = CaptureState.errno();
                throw new NativeException(
                        "sched_setaffinity(CPU " + wanted + ")",
                        errno,
                        "this process may use CPUs " + Arrays.toString(allowed()));
            }
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
    }

    /** The CPU the calling thread runs on at this moment. */
    public static int currentCpu() {
        return LibC.sched_getcpu();
    }

    private static int[] affinityOf(int thread) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment set = cpu_set_t.allocate(arena);
            int rc = (int) GET.invokeExact(CaptureState.segment(), thread, set.byteSize(), set);
            if (rc < 0) {
                throw new NativeException("sched_getaffinity()", CaptureState.errno());
            }
            return BitSet.valueOf(set.asByteBuffer()).stream().toArray();
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
    }
}
