package io.grantwire.bindings;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import io.grantwire.bindings.gen.libc.LibC;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class PinnedPagesTest {
    private static final long PAGE = Mapping.pageSize();

    @Test
    void pinnedMemoryStaysUsableAndLeavesNoDescriptor() throws Exception {
        try (Mapping memory = Mapping.anonymous(16 * PAGE)) {
            long before = status("VmPin:");
            PinnedPages pin;
            try {
                pin = PinnedPages.pin(memory.segment());
            } catch (NativeException e) {
                abort("io_uring cannot be had here: " + e.getMessage());
                return;
            }
            memory.segment().fill((byte) 3);
            assertEquals(before + 16 * PAGE / 1024, status("VmPin:"));
            pin.close();
            pin.close();
            assertEquals(3, memory.segment().get(JAVA_BYTE, 16 * PAGE - 1));
        }
    }

    /** KiB of a line of this process's status. */
    private static long status(String key) throws Exception {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith(key))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void lockedMemoryIsAllPresent() throws Exception {
        try (Mapping memory = Mapping.anonymous(4 * PAGE)) {
            memory.excludeFromForks();
            memory.lock();
            long kib = status("VmLck:");
            assertTrue(kib >= 4 * PAGE / 1024, "VmLck: " + kib);
        }
    }

    @Test
    void lockingMoreThanTheLimitNamesTheCommandThatRaisesIt() {
        String hint = Hints.locking(1 << 20, LibC.ENOMEM());
        assertTrue(hint.startsWith("1024 KiB are to be locked"), hint);
        assertTrue(hint.contains("ulimit -l unlimited"), hint);
        assertEquals(null, Hints.locking(1 << 20, LibC.EINVAL()));
    }

    @Test
    void aFileIsReadAndWrittenAtAPlace() throws Exception {
        Path file = Files.createTempFile("place", "");
        try (Fd fd = Fd.open(file.toString(), LibC.O_RDWR());
                Mapping memory = Mapping.anonymous(PAGE)) {
            memory.segment().set(JAVA_BYTE, 0, (byte) 42);
            assertEquals(4, fd.pwrite(memory.segment().asSlice(0, 4), 100));
            assertEquals(104, fd.size());
            assertEquals(1, fd.pread(memory.segment().asSlice(8, 1), 100));
            assertEquals(42, memory.segment().get(JAVA_BYTE, 8));
            assertEquals(0, fd.pread(memory.segment(), 104));
            assertEquals(0, fd.read(memory.segment().asSlice(0, 1)) - 1);
        } finally {
            Files.delete(file);
        }
    }
}
