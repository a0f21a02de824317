package io.grantwire.bindings;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.bindings.gen.libc.LibC;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FdTest {
    private static final int NOT_AN_IOCTL = 0x7F7F;

    @TempDir Path dir;

    @Test
    void writesAndReadsBackWhatWasWritten() throws Exception {
        Path file = dir.resolve("data");
        try (Arena arena = Arena.ofConfined();
                Fd out = Fd.open(file.toString(), LibC.O_WRONLY() | LibC.O_CREAT(), 0600)) {
            assertEquals(5, out.write(arena.allocateFrom("hello").asSlice(0, 5)));
            assertEquals(5, out.size());
        }
        assertEquals("hello", Files.readString(file));
        try (Arena arena = Arena.ofConfined();
                Fd in = Fd.open(file.toString(), LibC.O_RDONLY())) {
            MemorySegment buf = arena.allocate(16);
            assertEquals(2, in.read(buf, 0, 2));
            assertEquals(3, in.read(buf.asSlice(2)));
            assertEquals(0, in.read(buf.asSlice(5)), "end of file");
            assertArrayEquals("hello".getBytes(), buf.asSlice(0, 5).toArray(ValueLayout.JAVA_BYTE));
        }
    }

    @Test
    void anAbsentFileIsReportedWithItsPathAndErrno() {
        Path absent = dir.resolve("absent");
        NativeException e =
                assertThrows(
                        NativeException.class, () -> Fd.open(absent.toString(), LibC.O_RDONLY()));
        assertEquals("ENOENT", e.errnoName());
        assertEquals("open(" + absent + ")", e.call());
        assertTrue(e.getMessage().contains("No such file or directory"), e.getMessage());
    }

    @Test
    void anAbsentXenDeviceComesWithTheModuleToLoad() {
        NativeException e =
                assertThrows(
                        NativeException.class,
                        () -> Fd.open("/dev/xen/gntalloc-absent", LibC.O_RDWR()));
        assertTrue(e.hint().startsWith("on a Xen domain load it with: modprobe"), e.hint());
        assertEquals(
                "on a Xen domain load it with: modprobe xen-gntalloc",
                Hints.open("/dev/xen/gntalloc", LibC.ENOENT()));
        assertTrue(Hints.open("/dev/net/tun", LibC.EACCES()).contains("cap_net_admin"));
    }

    @Test
    void aClosedDescriptorSaysSoByName() {
        Fd fd = Fd.open("/dev/null", LibC.O_RDWR());
        fd.close();
        fd.close();
        assertFalse(fd.isOpen());
        NativeException e = assertThrows(NativeException.class, fd::value);
        assertEquals("EBADF", e.errnoName());
        assertTrue(e.getMessage().contains("/dev/null"), e.getMessage());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buf = arena.allocate(8);
            assertThrows(NativeException.class, () -> fd.read(buf));
            assertThrows(NativeException.class, () -> fd.write(buf));
            assertThrows(NativeException.class, () -> fd.ioctl(NOT_AN_IOCTL, buf));
        }
    }

    @Test
    void aSecondCloseDoesNotCloseSomebodyElsesDescriptor() {
        Fd first = Fd.open("/dev/null", LibC.O_RDWR());
        int number = first.value();
        first.close();
        // The kernel gives out the lowest free number, so one of these normally has the old one.
        try (Fd second = Fd.open("/dev/null", LibC.O_RDWR())) {
            first.close();
            try (Arena arena = Arena.ofConfined()) {
                assertEquals(1, second.write(arena.allocate(1)), "was number " + number);
            }
        }
    }

    @Test
    void everyDescriptorIsClosedOnExec() {
        try (Fd fd = Fd.open("/dev/null", LibC.O_RDWR());
                Fd copy = fd.duplicate();
                EventFd event = EventFd.create();
                Epoll epoll = Epoll.create();
                Fd memory = Memfd.create("test", 4096, false, 0)) {
            for (Fd each : new Fd[] {fd, copy, event.fd(), epoll.fd(), memory}) {
                int flags = each.fcntl(LibC.F_GETFD(), 0, "F_GETFD");
                assertTrue((flags & LibC.FD_CLOEXEC()) != 0, each.toString());
            }
        }
    }

    @Test
    void anUnknownIoctlIsAnErrorWithItsNumber() {
        try (Fd fd = Fd.open("/dev/null", LibC.O_RDWR());
                Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(8);
            NativeException e =
                    assertThrows(NativeException.class, () -> fd.ioctl(NOT_AN_IOCTL, argument));
            assertEquals("ENOTTY", e.errnoName());
            assertEquals("ioctl(/dev/null, 0x7f7f)", e.call());
            assertThrows(NativeException.class, () -> fd.ioctl(NOT_AN_IOCTL, 0L));
        }
    }

    @Test
    void aNonBlockingReadOfNothingIsMinusOne() {
        UnixSocket[] pair = UnixSocket.pair(UnixSocket.Type.STREAM);
        try (UnixSocket a = pair[0];
                UnixSocket b = pair[1];
                Arena arena = Arena.ofConfined()) {
            MemorySegment buf = arena.allocate(8);
            a.fd().setNonBlocking(true);
            assertEquals(-1, a.fd().read(buf));
            assertFalse(a.fd().pollReadable(Duration.ZERO));
            assertEquals(8, b.fd().write(buf));
            assertTrue(a.fd().pollReadable(Duration.ofSeconds(10)));
            assertEquals(8, a.fd().read(buf));
            while (b.fd().pollWritable(Duration.ZERO)) {
                b.fd().setNonBlocking(true);
                if (b.fd().write(buf) < 0) {
                    break;
                }
            }
            assertFalse(b.fd().pollWritable(Duration.ZERO));
        }
    }

    @Test
    void aPollLastsAsLongAsAsked() {
        UnixSocket[] pair = UnixSocket.pair(UnixSocket.Type.STREAM);
        try (UnixSocket a = pair[0];
                UnixSocket _ = pair[1]) {
            long start = System.nanoTime();
            assertFalse(a.fd().pollReadable(Duration.ofMillis(30)));
            assertTrue(System.nanoTime() - start >= 30_000_000, "woke too early");
        }
    }

    @Test
    void errorNumbersHaveTheirNames() {
        assertEquals("ENOENT", Errno.nameOf(2));
        assertEquals("EAGAIN", Errno.nameOf(11));
        assertEquals("ENOTSUP", Errno.nameOf(95));
        assertEquals("errno 4711", Errno.nameOf(4711));
        assertEquals(11, Errno.numberOf("EWOULDBLOCK"));
        assertEquals(-1, Errno.numberOf("ENOSUCHNAME"));
        assertEquals("No such file or directory", Errno.messageOf(2));
    }
}
