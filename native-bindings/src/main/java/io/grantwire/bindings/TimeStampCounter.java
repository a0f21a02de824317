package io.grantwire.bindings;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * The processor's time-stamp counter, whose ticks are what DPDK's benchmarks call cycles. It runs
 * at a constant rate on every x86-64 processor of the last fifteen years, whatever the clock does.
 *
 * <p>Thread-safe. Meant for calibrating another clock, not for the packet path.
 */
public final class TimeStampCounter {
    /** {@code rdtsc; shl rdx, 32; or rax, rdx; ret} (AMD64 manual volume 3, RDTSC). */
    private static final byte[] CODE = {
        0x0f, 0x31, 0x48, (byte) 0xc1, (byte) 0xe2, 0x20, 0x48, 0x09, (byte) 0xd0, (byte) 0xc3
    };

    private static final int EXECUTE = 4;

    private final MethodHandle read;

    private TimeStampCounter(MemorySegment code) {
        this.read =
                Linker.nativeLinker()
                        .downcallHandle(
                                code,
                                FunctionDescriptor.of(ValueLayout.JAVA_LONG),
                                Linker.Option.critical(false));
    }

    /**
     * The counter of this machine.
     *
     * @return empty when the processor is no x86-64, or the kernel lets nobody make code
     */
    public static Optional<TimeStampCounter> open() {
        if (!System.getProperty("os.arch").equals("amd64")) {
            return Optional.empty();
        }
        long page = Mapping.pageSize();
        try (Fd file = Memfd.create("tsc", page, false, 0)) {
            // Written through one mapping, run through another: no page is ever both.
            try (Mapping writable = Mapping.shared(file, 0, page, Mapping.READ | Mapping.WRITE)) {
                MemorySegment.copy(
                        MemorySegment.ofArray(CODE), 0, writable.segment(), 0, CODE.length);
            }
            // Stays for the life of the process: a call may be under way at any time.
            Mapping code = Mapping.shared(file, 0, page, Mapping.READ | EXECUTE);
            return Optional.of(new TimeStampCounter(code.segment()));
        } catch (NativeException e) {
            return Optional.empty();
        }
    }

    /** The counter now. */
    public long read() {
        try {
            return (long) read.invokeExact();
        } catch (Throwable t) {
            throw CaptureState.unexpected(t);
        }
    }
}
