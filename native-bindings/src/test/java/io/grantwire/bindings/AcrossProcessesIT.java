package io.grantwire.bindings;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.bindings.UnixSocket.Type;
import io.grantwire.bindings.gen.libc.LibC;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Memory, events and sockets between this process and another one. */
@Timeout(120)
class AcrossProcessesIT {
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final long PAGE = Mapping.pageSize();

    @TempDir Path dir;

    /** The other process: receives a memory file and two events, answers through them. */
    static final class Peer {
        public static void main(String[] args) {
            try (UnixSocket socket = UnixSocket.connect(Path.of(args[0]), Type.SEQPACKET);
                    Arena arena = Arena.ofConfined();
                    Epoll epoll = Epoll.create()) {
                List<Fd> fds = new ArrayList<>();
                MemorySegment buf = arena.allocate(16);
                socket.receive(buf, fds);
                try (Mapping memory =
                                Mapping.shared(fds.get(0), 0, PAGE, Mapping.READ | Mapping.WRITE);
                        EventFd question = EventFd.adopt(fds.get(1));
                        EventFd answer = EventFd.adopt(fds.get(2))) {
                    epoll.add(question.fd().value(), LibC.EPOLLIN(), 1);
                    answer.signal();
                    // A stop and a continue interrupt this wait: it must not end early, nor fail.
                    epoll.await(new long[1], 1, LONG);
                    long asked = memory.segment().get(JAVA_LONG, 0);
                    memory.segment().set(JAVA_LONG, 8, asked + question.drain());
                    answer.signal();
                    socket.receive(buf, null);
                }
            }
        }
    }

    private java.lang.Process start(Path socket) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-XX:+UseSerialGC",
                        "-Xmx64m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Peer.class.getName(),
                        socket.toString())
                .inheritIO()
                .start();
    }

    private static void signal(java.lang.Process process, String name) throws Exception {
        new ProcessBuilder("kill", "-s", name, Long.toString(process.pid())).start().waitFor();
    }

    @Test
    void twoProcessesShareMemoryAndWakeEachOther() throws Exception {
        Path path = dir.resolve("s");
        try (UnixSocket listener = UnixSocket.listen(path, Type.SEQPACKET, 1);
                Fd file = Memfd.create("shared", PAGE, false, Memfd.fixedSizeSeals());
                Mapping memory = Mapping.shared(file, 0, PAGE, Mapping.READ | Mapping.WRITE);
                EventFd question = EventFd.create();
                EventFd answer = EventFd.create();
                Arena arena = Arena.ofConfined()) {
            java.lang.Process process = start(path);
            try {
                assertTrue(listener.fd().pollReadable(LONG), "the other process did not connect");
                try (UnixSocket socket = listener.accept()) {
                    assertEquals(process.pid(), socket.peerPid());
                    socket.send(
                            arena.allocate(1),
                            file.value(),
                            question.fd().value(),
                            answer.fd().value());
                    assertTrue(answer.await(LONG));
                    answer.drain();
                    memory.segment().set(JAVA_LONG, 0, 1000);
                    signal(process, "STOP");
                    signal(process, "CONT");
                    assertFalse(answer.await(Duration.ofMillis(50)), "it did not wait on");
                    question.signal();
                    assertTrue(answer.await(LONG));
                    assertEquals(1001, memory.segment().get(JAVA_LONG, 8));
                }
                assertTrue(process.waitFor(60, TimeUnit.SECONDS));
                assertEquals(0, process.exitValue());
            } finally {
                process.destroyForcibly();
            }
        }
    }

    @Test
    void theDeathOfAProcessEndsItsConversationAndNotItsMemory() throws Exception {
        Path path = dir.resolve("s");
        try (UnixSocket listener = UnixSocket.listen(path, Type.SEQPACKET, 1);
                Fd file = Memfd.create("outlives", PAGE, false, 0);
                Mapping memory = Mapping.shared(file, 0, PAGE, Mapping.READ | Mapping.WRITE);
                EventFd question = EventFd.create();
                EventFd answer = EventFd.create();
                Arena arena = Arena.ofConfined()) {
            java.lang.Process process = start(path);
            try {
                assertTrue(listener.fd().pollReadable(LONG), "the other process did not connect");
                try (UnixSocket socket = listener.accept()) {
                    socket.send(
                            arena.allocate(1),
                            file.value(),
                            question.fd().value(),
                            answer.fd().value());
                    assertTrue(answer.await(LONG));
                    process.destroyForcibly();
                    assertEquals(0, socket.receive(arena.allocate(8), null));
                    MemorySegment more = arena.allocate(8);
                    assertEquals(
                            "EPIPE",
                            assertThrows(NativeException.class, () -> socket.send(more))
                                    .errnoName());
                    memory.segment().set(JAVA_LONG, 0, 5);
                    assertEquals(5, memory.segment().get(JAVA_LONG, 0));
                }
            } finally {
                process.destroyForcibly();
            }
            assertTrue(Files.exists(path), "the listener's owner removes the path");
        }
    }
}
