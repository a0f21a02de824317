package io.grantwire.xenstore.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.grantwire.xenstore.Xenstore;
import io.grantwire.xenstore.Xenstores;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The tools of Xen, which go through libxenstore, on the embedded server: real peers of it. Skipped
 * where they are not installed (Debian: xenstore-utils, and xen-utils for test-xenstore).
 */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class XenstoreToolsIT {
    /** What test-xenstore runs; each has to be reported with its time. */
    private static final List<String> CASES =
            List.of(
                    "read 1",
                    "read 2000",
                    "write 1",
                    "write 2000",
                    "dir",
                    "rm node",
                    "rm dir",
                    "ta empty",
                    "ta empty x",
                    "ta rmw",
                    "ta rmw x",
                    "ta err");

    @TempDir Path dir;

    private XenstoreServer server;

    private record Result(int exit, String out) {}

    @BeforeEach
    void start() {
        server = XenstoreServer.start(ServerOptions.at(dir.resolve("xenstored.sock")));
        server.introduce(5, dir.resolve("dom5.sock"));
        try (Xenstore dom0 = Xenstores.socket(server.socket())) {
            DomainSkeleton.create(dom0, 5, "vm5");
        }
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private static Optional<Path> tool(String name) {
        return Stream.of("/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin")
                .map(d -> Path.of(d, name))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /** The one of the newest Xen, since several may be installed. */
    private static Optional<Path> testXenstore() throws IOException {
        List<Path> found = new ArrayList<>();
        for (Path lib : List.of(Path.of("/usr/lib"), Path.of("/usr/libexec"))) {
            if (Files.isDirectory(lib)) {
                try (Stream<Path> dirs = Files.list(lib)) {
                    dirs.filter(p -> p.getFileName().toString().startsWith("xen-"))
                            .map(p -> p.resolve("bin/test-xenstore"))
                            .filter(Files::isExecutable)
                            .forEach(found::add);
                }
            }
        }
        return found.stream().max((a, b) -> version(a) - version(b));
    }

    private static int version(Path tool) {
        int number = 0;
        for (String part : tool.getParent().getParent().getFileName().toString().split("[-.]")) {
            number = number * 1000 + (part.matches("\\d{1,3}") ? Integer.parseInt(part) : 0);
        }
        return number;
    }

    private static Process launch(Path socket, List<String> command) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("XENSTORED_PATH", socket.toString());
        return builder.start();
    }

    private static Result finish(Process process) throws IOException, InterruptedException {
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(60, TimeUnit.SECONDS), "the tool does not end: " + out);
        return new Result(process.exitValue(), out);
    }

    private Result on(Path socket, String name, String... arguments)
            throws IOException, InterruptedException {
        Optional<Path> path = tool(name);
        assumeTrue(path.isPresent(), name + " is not installed (package xenstore-utils)");
        List<String> command = new ArrayList<>(List.of(path.get().toString()));
        command.addAll(List.of(arguments));
        return finish(launch(socket, command));
    }

    private String run(String name, String... arguments) throws IOException, InterruptedException {
        Result result = on(server.socket(), name, arguments);
        assertEquals(0, result.exit, result.out);
        return result.out;
    }

    @Test
    void writeReadListAndRemove() throws Exception {
        run("xenstore-write", "/t/a", "one", "/t/b/c", "two words");
        assertEquals("one\ntwo words\n", run("xenstore-read", "/t/a", "/t/b/c"));
        assertEquals("a\nb\n", run("xenstore-list", "/t"));
        run("xenstore-exists", "/t/a");
        run("xenstore-rm", "/t/a");
        assertEquals(1, on(server.socket(), "xenstore-exists", "/t/a").exit);
        Result missing = on(server.socket(), "xenstore-read", "/t/a");
        assertEquals(1, missing.exit);
        assertTrue(missing.out.contains("couldn't read path /t/a"), missing.out);
    }

    @Test
    void lsShowsTreeValuesAndPermissions() throws Exception {
        run("xenstore-write", "/t/a", "one");
        run("xenstore-chmod", "/t/a", "n5", "r6");
        String tree = run("xenstore-ls", "-f", "-p");
        assertTrue(tree.lines().anyMatch(l -> l.matches("/t/a = \"one\" +\\(n5,r6\\)")), tree);
        assertTrue(
                tree.lines()
                        .anyMatch(l -> l.matches("/local/domain/5/control/dpdk = \"\" +\\(n5\\)")),
                tree);
        String indented = run("xenstore-ls");
        assertTrue(indented.lines().anyMatch(l -> l.matches(" +name = \"vm5\"")), indented);
    }

    @Test
    void lsOfADirectoryThatDoesNotFitInOneReply() throws Exception {
        try (Xenstore dom0 = Xenstores.socket(server.socket())) {
            for (int i = 0; i < 1200; i++) {
                dom0.write("/many/child-" + i, "");
            }
        }
        List<String> names = run("xenstore-list", "/many").lines().toList();
        assertEquals(1200, names.size());
        assertEquals("child-1199", names.getLast());
    }

    @Test
    void chmodRecursesAndChangesOwners() throws Exception {
        run("xenstore-write", "/t/a/b", "1");
        run("xenstore-chmod", "-r", "/t", "b5");
        Path guest = dir.resolve("dom5.sock");
        assertEquals(0, on(guest, "xenstore-write", "/t/a/b", "2").exit);
        assertEquals("2\n", run("xenstore-read", "/t/a/b"));
        run("xenstore-chmod", "-u", "/t/a/b", "r0");
    }

    @Test
    void aGuestsToolsHaveTheGuestsRights() throws Exception {
        Path guest = dir.resolve("dom5.sock");
        assertEquals(0, on(guest, "xenstore-write", "data/x", "1").exit);
        assertEquals("vm5\n", on(guest, "xenstore-read", "name").out);
        Result refused = on(guest, "xenstore-write", "name", "other");
        assertEquals(1, refused.exit);
        assertTrue(refused.out.contains("could not write path name"), refused.out);
        assertEquals("1\n", run("xenstore-read", "/local/domain/5/data/x"));
    }

    @Test
    void watchTellsOfChanges() throws Exception {
        Optional<Path> watch = tool("xenstore-watch");
        assumeTrue(watch.isPresent(), "xenstore-watch is not installed (package xenstore-utils)");
        Process process =
                launch(
                        server.socket(),
                        List.of(watch.get().toString(), "-n", "3", "/local/domain/5/control"));
        try (BufferedReader lines =
                new BufferedReader(process.inputReader(StandardCharsets.UTF_8))) {
            assertEquals("/local/domain/5/control", lines.readLine());
            run("xenstore-write", "/local/domain/5/control/dpdk/0_vring_flag", "8");
            assertEquals("/local/domain/5/control/dpdk/0_vring_flag", lines.readLine());
            run("xenstore-write", "/local/domain/5/other", "8");
            run("xenstore-rm", "/local/domain/5/control/dpdk");
            assertEquals("/local/domain/5/control/dpdk", lines.readLine());
            assertTrue(process.waitFor(30, TimeUnit.SECONDS));
            assertEquals(0, process.exitValue());
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void testXenstorePassesAllItsCases() throws Exception {
        Optional<Path> tester = testXenstore();
        assumeTrue(tester.isPresent(), "test-xenstore is not installed (package xen-utils)");
        Result result =
                finish(launch(server.socket(), List.of(tester.get().toString(), "-i", "20")));
        assertEquals(0, result.exit, result.out);
        assertFalse(result.out.contains("failed"), result.out);
        List<String> lines = result.out.lines().toList();
        assertEquals(CASES.size(), lines.size(), result.out);
        for (int i = 0; i < CASES.size(); i++) {
            String line = lines.get(i);
            assertEquals(CASES.get(i), line.substring(0, line.indexOf(':')).trim(), result.out);
        }
    }

    @Test
    void testXenstoreSurvivesItsRandomModeBesideAnother() throws Exception {
        Optional<Path> tester = testXenstore();
        assumeTrue(tester.isPresent(), "test-xenstore is not installed (package xen-utils)");
        List<String> command = List.of(tester.get().toString(), "-r", "2");
        Process one = launch(server.socket(), command);
        Process two = launch(server.socket(), command);
        for (Process process : List.of(one, two)) {
            Result result = finish(process);
            assertEquals(0, result.exit, result.out);
        }
    }
}
