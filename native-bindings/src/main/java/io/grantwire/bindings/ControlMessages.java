package io.grantwire.bindings;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.grantwire.bindings.gen.libc.LibC;
import io.grantwire.bindings.gen.libc.cmsghdr;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Ancillary data of {@code sendmsg} and {@code recvmsg}: a sequence of headers, each followed by
 * its data and padded to the machine word (the {@code CMSG_*} macros of sys/socket.h).
 */
final class ControlMessages {
    private static final long WORD = Long.BYTES;
    private static final long HEADER = cmsghdr.sizeof();

    private ControlMessages() {}

    /** Bytes that one message with so many descriptors takes ({@code CMSG_SPACE}). */
    static long rightsSpace(int count) {
        return HEADER + align((long) count * Integer.BYTES);
    }

    /** One SCM_RIGHTS message. */
    static MemorySegment rights(int[] fds, Arena arena) {
        MemorySegment control = arena.allocate(rightsSpace(fds.length), WORD);
        cmsghdr.cmsg_len(control, HEADER + (long) fds.length * Integer.BYTES);
        cmsghdr.cmsg_level(control, LibC.SOL_SOCKET());
        cmsghdr.cmsg_type(control, LibC.SCM_RIGHTS());
        MemorySegment.copy(fds, 0, control, JAVA_INT, HEADER, fds.length);
        return control;
    }

    /** The descriptors of every SCM_RIGHTS message in what the kernel delivered. */
    static int[] rights(MemorySegment control) {
        int[] fds = new int[0];
        long at = 0;
        while (control.byteSize() - at >= HEADER) {
            MemorySegment header = control.asSlice(at);
            long length = cmsghdr.cmsg_len(header);
            if (length < HEADER || length > header.byteSize()) {
                break;
            }
            if (cmsghdr.cmsg_level(header) == LibC.SOL_SOCKET()
                    && cmsghdr.cmsg_type(header) == LibC.SCM_RIGHTS()) {
                int count = (int) ((length - HEADER) / Integer.BYTES);
                int from = fds.length;
                fds = Arrays.copyOf(fds, from + count);
                MemorySegment.copy(header, JAVA_INT, HEADER, fds, from, count);
            }
            at += align(length);
        }
        return fds;
    }

    private static long align(long bytes) {
        return (bytes + WORD - 1) & -WORD;
    }
}
