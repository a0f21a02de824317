package io.grantwire.bindings;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.bindings.UnixSocket.Type;
import io.grantwire.bindings.gen.libc.LibC;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(60)
class UnixSocketTest {
    @TempDir Path dir;

    private final Arena arena = Arena.ofAuto();

    private MemorySegment bytes(String text) {
        return arena.allocateFrom(text).asSlice(0, text.length());
    }

    private static String text(MemorySegment buf, int n) {
        return new String(buf.asSlice(0, n).toArray(JAVA_BYTE));
    }

    @ParameterizedTest
    @EnumSource(Type.class)
    void aListenerAcceptsAndTheTwoSidesTalk(Type type) {
        Path path = dir.resolve("s");
        try (UnixSocket listener = UnixSocket.listen(path, type, 4);
                UnixSocket client = UnixSocket.connect(path, type);
                UnixSocket server = listener.accept()) {
            MemorySegment buf = arena.allocate(64);
            client.send(bytes("ping"));
            assertEquals(4, server.receive(buf, null));
            assertEquals("ping", text(buf, 4));
            server.send(bytes("pong"));
            assertEquals(4, client.receive(buf, null));
            assertEquals("pong", text(buf, 4));
            assertEquals(Process.pid(), server.peerPid());
            assertEquals(Process.uid(), server.peerUid());
            client.shutdown();
            assertEquals(0, server.receive(buf, null), "end of conversation");
        }
    }

    @ParameterizedTest
    @EnumSource(Type.class)
    void aPassedDescriptorWorksOnTheOtherSide(Type type) {
        UnixSocket[] pair = UnixSocket.pair(type);
        try (UnixSocket a = pair[0];
                UnixSocket b = pair[1]) {
            try (Fd memory = Memfd.create("passed", 4096, false, Memfd.fixedSizeSeals());
                    Mapping mine = Mapping.shared(memory, 0, 4096, Mapping.WRITE);
                    Fd nothing = Fd.open("/dev/null", LibC.O_RDWR())) {
                mine.segment().set(JAVA_LONG, 8, 77);
                a.send(bytes("x"), memory.value(), nothing.value());
            }
            List<Fd> got = new ArrayList<>();
            assertEquals(1, b.receive(arena.allocate(8), got));
            assertEquals(2, got.size());
            try (Fd memory = got.get(0);
                    Fd nothing = got.get(1);
                    Mapping theirs = Mapping.shared(memory, 0, 4096, Mapping.READ)) {
                assertEquals(77, theirs.segment().get(JAVA_LONG, 8));
                assertEquals(4096, memory.size());
                assertEquals(Memfd.fixedSizeSeals(), Memfd.seals(memory));
                assertEquals(1, nothing.write(bytes("x")));
                int flags = memory.fcntl(LibC.F_GETFD(), 0, "F_GETFD");
                assertTrue((flags & LibC.FD_CLOEXEC()) != 0);
            }
        }
    }

    @Test
    void asManyDescriptorsAsTheKernelAllowsFitOneMessage() {
        UnixSocket[] pair = UnixSocket.pair(Type.SEQPACKET);
        try (UnixSocket a = pair[0];
                UnixSocket b = pair[1];
                Fd nothing = Fd.open("/dev/null", LibC.O_RDWR())) {
            int[] many = new int[UnixSocket.MAX_DESCRIPTORS];
            Arrays.fill(many, nothing.value());
            a.send(bytes("x"), many);
            List<Fd> got = new ArrayList<>();
            b.receive(arena.allocate(8), got);
            got.forEach(Fd::close);
            assertEquals(UnixSocket.MAX_DESCRIPTORS, got.size());
            assertThrows(IllegalArgumentException.class, () -> a.send(bytes("x"), new int[254]));
        }
    }

    @Test
    void descriptorsNobodyAskedForAreClosed() throws Exception {
        UnixSocket[] pair = UnixSocket.pair(Type.SEQPACKET);
        try (UnixSocket a = pair[0];
                UnixSocket b = pair[1];
                EventFd event = EventFd.create()) {
            long before = openDescriptors();
            for (int i = 0; i < 100; i++) {
                a.send(bytes("x"), event.fd().value());
                b.receive(arena.allocate(8), null);
            }
            assertTrue(openDescriptors() < before + 50, "descriptors leak");
        }
    }

    private static long openDescriptors() throws Exception {
        try (var list = Files.list(Path.of("/proc/self/fd"))) {
            return list.count();
        }
    }

    @Test
    void messagesKeepTheirBordersAndTooLongOnesAreAnError() {
        UnixSocket[] pair = UnixSocket.pair(Type.SEQPACKET);
        try (UnixSocket a = pair[0];
                UnixSocket b = pair[1]) {
            a.send(bytes("one"));
            a.send(bytes("three"));
            a.send(bytes("x"));
            MemorySegment buf = arena.allocate(4);
            assertEquals(3, b.receive(buf, null));
            NativeException e =
                    assertThrows(NativeException.class, () -> b.receive(buf, new ArrayList<>()));
            assertEquals("EMSGSIZE", e.errnoName());
            assertEquals(1, b.receive(buf, null));
        }
    }

    @Test
    void aStreamSendsMoreThanTheSocketBufferHolds() throws Exception {
        UnixSocket[] pair = UnixSocket.pair(Type.STREAM);
        try (UnixSocket a = pair[0];
                UnixSocket b = pair[1]) {
            int size = 4 << 20;
            a.fd().setNonBlocking(true);
            MemorySegment data = arena.allocate(size);
            data.set(JAVA_BYTE, size - 1, (byte) 9);
            CompletableFuture<Integer> reader =
                    CompletableFuture.supplyAsync(() -> {
                        MemorySegment buf = Arena.ofAuto().allocate(size);
                        int got = 0;
                        while (got < size) {
                            got += b.receive(buf.asSlice(got), null);
                        }
                        return (int) buf.get(JAVA_BYTE, size - 1);
                    });
            a.send(data);
            assertEquals(9, reader.get(30, TimeUnit.SECONDS));
        }
    }

    @Test
    void aSocketThatDoesNotBlockSaysSo() {
        UnixSocket[] pair = UnixSocket.pair(Type.SEQPACKET);
        try (UnixSocket a = pair[0];
                UnixSocket b = pair[1];
                UnixSocket listener = UnixSocket.listen(dir.resolve("l"), Type.STREAM, 1)) {
            a.fd().setNonBlocking(true);
            b.fd().setNonBlocking(true);
            listener.fd().setNonBlocking(true);
            assertNull(listener.accept());
            assertEquals(-1, b.receive(arena.allocate(8), null));
            while (a.trySend(bytes("x")) > 0) {
                assertTrue(a.fd().isOpen());
            }
            assertEquals(
                    "EAGAIN",
                    assertThrows(NativeException.class, () -> a.send(bytes("x"))).errnoName());
        }
    }

    @Test
    void sendingToAClosedPeerIsAnErrorNotASignal() {
        UnixSocket[] pair = UnixSocket.pair(Type.STREAM);
        pair[1].close();
        try (UnixSocket a = pair[0]) {
            NativeException e = assertThrows(NativeException.class, () -> a.send(bytes("x")));
            assertEquals("EPIPE", e.errnoName());
            assertEquals("the other side closed the connection", e.hint());
        }
    }

    @Test
    void shutdownWakesABlockedReceiver() throws Exception {
        UnixSocket[] pair = UnixSocket.pair(Type.SEQPACKET);
        try (UnixSocket a = pair[0];
                UnixSocket _ = pair[1]) {
            CompletableFuture<Integer> reader =
                    CompletableFuture.supplyAsync(
                            () -> a.receive(Arena.ofAuto().allocate(8), null));
            assertFalse(a.fd().pollReadable(Duration.ofMillis(20)));
            a.shutdown();
            assertEquals(0, reader.get(30, TimeUnit.SECONDS));
            a.shutdown();
        }
    }

    @Test
    void pathsThatCannotBeBoundOrReachedExplainThemselves() {
        Path absent = dir.resolve("absent");
        NativeException e =
                assertThrows(NativeException.class, () -> UnixSocket.connect(absent, Type.STREAM));
        assertEquals("ENOENT", e.errnoName());
        assertTrue(e.hint().startsWith("nobody listens there"), e.hint());

        Path stale = dir.resolve("stale");
        UnixSocket.listen(stale, Type.STREAM, 1).close();
        assertEquals(
                "ECONNREFUSED",
                assertThrows(NativeException.class, () -> UnixSocket.connect(stale, Type.STREAM))
                        .errnoName());
        e = assertThrows(NativeException.class, () -> UnixSocket.listen(stale, Type.STREAM, 1));
        assertEquals("EADDRINUSE", e.errnoName());
        assertTrue(e.hint().endsWith("rm " + stale), e.hint());

        Path tooLong = dir.resolve("x".repeat(108));
        e = assertThrows(NativeException.class, () -> UnixSocket.listen(tooLong, Type.STREAM, 1));
        assertEquals("ENAMETOOLONG", e.errnoName());
        assertTrue(e.hint().contains("at most 107"), e.hint());
    }
}
