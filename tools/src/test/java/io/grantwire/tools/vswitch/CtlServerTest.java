package io.grantwire.tools.vswitch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.tools.InProcess;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CtlServerTest {
    @TempDir Path dir;
    private Path socket;
    private CtlServer server;
    private final List<CtlRequest> asked = new ArrayList<>();

    @BeforeEach
    void start() throws IOException {
        socket = dir.resolve("switch.sock");
        server = CtlServer.start(socket, this::answer);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private synchronized String answer(CtlRequest request) {
        asked.add(request);
        if (request.equals(new CtlRequest.Release(7))) {
            throw new IllegalArgumentException("there is no device 7");
        }
        if (request.equals(new CtlRequest.Release(8))) {
            throw new IllegalStateException("a bug");
        }
        return "all is well\n";
    }

    private String raw(String text) throws IOException {
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            channel.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1)));
            channel.shutdownOutput();
            return new String(
                    Channels.newInputStream(channel).readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private InProcess.Result ctl(String... words) {
        List<String> args = new ArrayList<>(List.of("switch", "ctl", "--socket", "" + socket));
        args.addAll(List.of(words));
        return InProcess.run(args.toArray(String[]::new));
    }

    @Test
    void aRequestIsAnsweredAndTheCommandPrintsTheAnswer() {
        assertEquals(new InProcess.Result(0, "all is well\n", ""), ctl("status"));
        assertEquals(0, ctl("status", "--json").status());
        assertEquals(0, ctl("release", "12").status());
        assertEquals(
                List.of(
                        new CtlRequest.Status(false),
                        new CtlRequest.Status(true),
                        new CtlRequest.Release(12)),
                asked);
    }

    @Test
    void aRefusalIsOneLineAndStatusOne() {
        InProcess.Result result = ctl("release", "7");
        assertEquals(1, result.status());
        assertTrue(result.err().contains("there is no device 7"), result.err());
        assertEquals(1, ctl("release", "8").status());
    }

    @Test
    void aRequestThatMakesNoSenseIsWrongUsage() {
        assertEquals(2, ctl().status());
        assertEquals(2, ctl("release").status());
        assertEquals(2, ctl("release", "-1").status());
        assertEquals(2, ctl("stop").status());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\n",
                "",
                "release 99999\n",
                "release x\n",
                "release 1 2\n",
                "status jsonx\n",
                "\0\u00ff\n",
                "status"
            })
    void anyOtherLineIsRefused(String line) throws IOException {
        String answer = raw(line);
        assertTrue(answer.startsWith("error ") && answer.endsWith("\n"), answer);
        assertTrue(asked.isEmpty());
    }

    @Test
    void aLineThatIsTooLongIsRefusedOrHungUpOn() {
        try {
            String answer = raw("release 1" + " ".repeat(CtlRequest.MAX_LINE) + "\n");
            assertTrue(answer.startsWith("error "), answer);
        } catch (IOException e) {
            // What was not read when the connection was closed resets it.
            assertTrue(asked.isEmpty());
        }
    }

    @Test
    void onlyItsUserMayOpenIt() throws IOException {
        assertEquals(
                PosixFilePermissions.fromString("rw-------"),
                Files.getPosixFilePermissions(socket));
    }

    @Test
    void manyWhoSayNothingDoNotKeepItFromAnswering() throws Exception {
        List<SocketChannel> silent = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            silent.add(SocketChannel.open(UnixDomainSocketAddress.of(socket)));
        }
        long begin = System.nanoTime();
        while (ctl("status").status() != 0) {
            assertTrue(System.nanoTime() - begin < 20_000_000_000L, "it never answers again");
            Thread.sleep(100);
        }
        for (SocketChannel s : silent) {
            s.close();
        }
    }

    @Test
    void theSocketOfADeadSwitchIsReplacedAndThatOfALiveOneIsNot() throws IOException {
        assertThrows(IOException.class, () -> CtlServer.start(socket, this::answer));
        server.close();
        assertFalse(Files.exists(socket));
        Files.createFile(socket);
        server = CtlServer.start(socket, this::answer);
        assertEquals(0, ctl("status").status());
    }

    @Test
    void withoutASwitchTheCommandSaysWhatToDo() {
        server.close();
        InProcess.Result result = ctl("status");
        assertEquals(1, result.status());
        assertTrue(
                result.err().contains("no switch answers at " + socket)
                        && result.err().contains("--dir"),
                result.err());
    }
}
