package io.grantwire.bindings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.bindings.gen.libc.LibC;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class MemfdTest {
    private static Path pathOf(Fd fd) {
        return Path.of("/proc/self/fd/" + fd.value());
    }

    @Test
    void aSealedMemoryFileCanNeitherShrinkNorGrowNorLoseItsSeals() throws Exception {
        try (Fd fd = Memfd.create("sealed", 8192, false, Memfd.fixedSizeSeals());
                RandomAccessFile file = new RandomAccessFile(pathOf(fd).toFile(), "rw")) {
            assertThrows(IOException.class, () -> file.setLength(4096));
            assertThrows(IOException.class, () -> file.setLength(1 << 20));
            assertEquals(8192, fd.size());
            NativeException e =
                    assertThrows(
                            NativeException.class,
                            () -> fd.fcntl(LibC.F_ADD_SEALS(), LibC.F_SEAL_WRITE(), "F_ADD_SEALS"));
            assertEquals("EPERM", e.errnoName());
            assertEquals(Memfd.fixedSizeSeals(), Memfd.seals(fd));
        }
    }

    @Test
    void withoutSealsItCanShrink() throws Exception {
        try (Fd fd = Memfd.create("open", 8192, false, 0);
                RandomAccessFile file = new RandomAccessFile(pathOf(fd).toFile(), "rw")) {
            file.setLength(4096);
            assertEquals(4096, fd.size());
            assertEquals(0, Memfd.seals(fd));
        }
    }

    @Test
    void itsPagesArePresentFromTheStart() throws Exception {
        try (Fd fd = Memfd.create("present", 1 << 20, false, 0)) {
            // 512-byte blocks that the file has.
            assertEquals((1 << 20) / 512L, blocks(fd));
        }
    }

    private static long blocks(Fd fd) throws Exception {
        java.lang.Process stat =
                new ProcessBuilder(
                                "stat",
                                "-L",
                                "-c",
                                "%b",
                                "/proc/" + Process.pid() + "/fd/" + fd.value())
                        .start();
        return Long.parseLong(new String(stat.getInputStream().readAllBytes()).strip());
    }

    @Test
    void itIsKnownByItsName() throws Exception {
        try (Fd fd = Memfd.create("grantwire-name", 4096, false, 0)) {
            assertTrue(Files.readSymbolicLink(pathOf(fd)).toString().contains("grantwire-name"));
        }
    }

    @Test
    void anOrdinaryFileHasNoSeals() {
        try (Fd fd = Fd.open("/dev/null", LibC.O_RDWR())) {
            assertEquals(
                    "EINVAL",
                    assertThrows(NativeException.class, () -> Memfd.seals(fd)).errnoName());
        }
    }

    /** On the check alone: a real attempt takes the machine's memory before it fails. */
    @Test
    void moreThanThereIsIsRefusedBeforeAnyIsTaken() {
        NativeException e =
                assertThrows(
                        NativeException.class,
                        () -> Memfd.checkFits("huge", (1L << 30) + 1, 1L << 30));
        assertEquals("ENOMEM", e.errnoName());
        assertEquals("memfd_create(huge)", e.call());
        assertTrue(e.hint().startsWith("1024 MiB asked for"), e.hint());
        Memfd.checkFits("fits", 1L << 30, 1L << 30);
    }

    @Test
    void theKernelTellsHowMuchMemoryThereIs() {
        assertTrue(MemInfo.bytes("MemTotal") > MemInfo.bytes("MemAvailable"));
        assertTrue(MemInfo.bytes("MemAvailable") > 0);
        assertEquals(0, MemInfo.bytes("NoSuchFigure"));
    }
}
