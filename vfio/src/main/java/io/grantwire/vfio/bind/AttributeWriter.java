package io.grantwire.vfio.bind;

import io.grantwire.bindings.Fd;
import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.gen.libc.LibC;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Writes attributes of sysfs; what the kernel answers to a write is the outcome of the request. */
@FunctionalInterface
public interface AttributeWriter {
    /**
     * Writes a value with one system call, which the kernel takes as one request.
     *
     * @throws NativeException with what the kernel answered
     */
    void write(Path file, String value);

    /** Writes for real. */
    static AttributeWriter kernel() {
        return (file, value) -> {
            try (Fd fd = Fd.open(file.toString(), LibC.O_WRONLY() | LibC.O_TRUNC());
                    Arena arena = Arena.ofConfined()) {
                byte[] bytes = value.getBytes(StandardCharsets.US_ASCII);
                MemorySegment buffer = arena.allocate(bytes.length);
                MemorySegment.copy(
                        bytes, 0, buffer, java.lang.foreign.ValueLayout.JAVA_BYTE, 0, bytes.length);
                if (fd.write(buffer) != bytes.length) {
                    throw new NativeException("write(" + file + ")", LibC.EIO());
                }
            }
        };
    }
}
