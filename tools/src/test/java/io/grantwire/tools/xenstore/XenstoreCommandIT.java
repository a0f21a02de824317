package io.grantwire.tools.xenstore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.grantwire.tools.InProcess;
import io.grantwire.xenstore.Xenstore;
import io.grantwire.xenstore.XenstorePermission;
import io.grantwire.xenstore.Xenstores;
import io.grantwire.xenstore.server.DomainSkeleton;
import io.grantwire.xenstore.server.ServerOptions;
import io.grantwire.xenstore.server.XenstoreServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The xenstore command on an embedded store, beside Debian's tools where they are installed. */
class XenstoreCommandIT {
    @TempDir Path dir;
    private XenstoreServer server;
    private Xenstore store;
    private Path socket;

    @BeforeEach
    void fillAStore() {
        socket = dir.resolve("xenstored.sock");
        server = XenstoreServer.start(ServerOptions.at(socket));
        store = Xenstores.socket(socket);
        server.introduce(1, dir.resolve("dom1.sock"));
        DomainSkeleton.create(store, 1, "vm1");
        store.write("/tool/text", "plain");
        store.write("/tool/odd", "tab\there\nand \\ back \u0001 \u00e4 \"q\"");
        store.write("/tool/digit", "\u00017");
        store.write("/tool/long", "x".repeat(200));
        store.write("/tool/a/very/deep/place", "1");
        store.mkdir("/tool/empty");
        store.setPermissions(
                "/tool/text",
                List.of(
                        new XenstorePermission(0, false, false),
                        new XenstorePermission(1, true, false),
                        new XenstorePermission(2, true, true)));
    }

    @AfterEach
    void stop() {
        store.close();
        server.close();
    }

    @Test
    void listsLikeXenstoreLs() throws Exception {
        sameAsDebian("xenstore-ls", "ls");
        sameAsDebian("xenstore-ls", "ls", "/tool");
        sameAsDebian("xenstore-ls", "ls", "-f");
        sameAsDebian("xenstore-ls", "ls", "-p", "/local/domain/1");
        sameAsDebian("xenstore-ls", "ls", "-f", "-p", "/tool");
    }

    @Test
    void readsLikeXenstoreRead() throws Exception {
        sameAsDebian("xenstore-read", "read", "/tool/text", "/tool/odd", "/tool/digit");
        sameAsDebian("xenstore-read", "read", "-p", "/tool/text", "/tool/empty");
        sameAsDebian("xenstore-read", "read", "-R", "/tool/odd");
    }

    @Test
    void listsNamesLikeXenstoreList() throws Exception {
        sameAsDebian("xenstore-list", "list", "/tool", "/local");
        sameAsDebian("xenstore-list", "list", "-p", "/tool");
    }

    @Test
    void writesWhatDebianReads() throws Exception {
        assumeInstalled("xenstore-read");
        for (String typed : List.of("a b", "x\\ty\\n", "\\x41\\102\\7z", "back\\\\slash")) {
            assertEquals(0, ours("write", "/tool/mine", typed).status());
            byte[] mine = store.read("/tool/mine");
            debian("xenstore-write", "/tool/theirs", typed);
            assertEquals(
                    new String(store.read("/tool/theirs"), StandardCharsets.ISO_8859_1),
                    new String(mine, StandardCharsets.ISO_8859_1),
                    typed);
        }
    }

    @Test
    void writesSeveralKeysAtOnceAndReadsThem() {
        assertEquals(0, ours("write", "/t/a", "1", "/t/b/c", "two").status());
        assertEquals("1\ntwo\n", ours("read", "/t/a", "/t/b/c").out());
        InProcess.Result odd = ours("write", "/t/a");
        assertEquals(2, odd.status());
        assertEquals("grantwire xenstore: Give a value for each key: KEY VALUE …\n", odd.err());
    }

    @Test
    void tellsInOneLineThatAKeyIsMissing() {
        InProcess.Result missing = ours("read", "/no/such/key");
        assertEquals(1, missing.status());
        assertEquals("", missing.out());
        assertEquals(1, missing.err().lines().count(), missing.err());
        assertTrue(missing.err().contains("/no/such/key: ENOENT"), missing.err());
    }

    @Test
    void existsAnswersWithItsStatus() {
        assertEquals(0, ours("exists", "/tool/text").status());
        InProcess.Result missing = ours("exists", "/tool/text", "/tool/none");
        assertEquals(1, missing.status());
        assertEquals("", missing.err());
    }

    @Test
    void removesAndTidiesUpwards() {
        assertEquals(0, ours("rm", "-t", "/tool/a/very/deep/place").status());
        assertEquals(1, ours("exists", "/tool/a").status());
        assertEquals(0, ours("exists", "/tool").status());
        assertEquals(0, ours("rm", "/tool").status());
        assertEquals(1, ours("exists", "/tool").status());
    }

    @Test
    void changesPermissionsBelow() {
        assertEquals(0, ours("chmod", "-r", "/tool/a", "n0", "b5").status());
        assertEquals(
                List.of("n0", "b5"),
                store.permissions("/tool/a/very/deep").stream().map(Object::toString).toList());
        assertEquals(2, ours("chmod", "/tool/a", "x0").status());
    }

    @Test
    void watchShowsAsManyPathsAsAsked() {
        assertEquals("/tool\n", ours("watch", "-n", "1", "/tool").out());
    }

    @Test
    void preparesAGuestsDirectory() {
        store.rm("/local/domain/1/control/dpdk");
        InProcess.Result result = ours("prepare", "1");
        assertEquals(0, result.status(), result.err());
        assertEquals("n1", store.permissions("/local/domain/1/control/dpdk").getFirst().toString());
        assertEquals(1, ours("prepare", "9").status());
        assertEquals(2, ours("prepare").status());
        assertEquals(2, ours("prepare", "0").status());
    }

    @Test
    void aGuestsSocketHasTheGuestsRights() {
        InProcess.Result refused =
                InProcess.run(
                        "xenstore",
                        "write",
                        "--socket",
                        dir.resolve("dom1.sock").toString(),
                        "/tool/text",
                        "x");
        assertEquals(1, refused.status());
        assertTrue(refused.err().contains("EACCES"), refused.err());
    }

    private InProcess.Result ours(String action, String... rest) {
        List<String> args = new ArrayList<>(List.of("xenstore", action, "--socket", socket + ""));
        args.addAll(List.of(rest));
        return InProcess.run(args.toArray(String[]::new));
    }

    private void sameAsDebian(String program, String action, String... args) throws Exception {
        assumeInstalled(program);
        InProcess.Result mine = ours(action, args);
        assertEquals("", mine.err());
        assertEquals(debian(program, args), mine.out());
    }

    private static void assumeInstalled(String program) {
        assumeTrue(
                Files.isExecutable(Path.of("/usr/bin", program)),
                program + " is not installed (apt-get install xenstore-utils)");
    }

    private String debian(String program, String... args) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("/usr/bin/" + program));
        command.addAll(List.of(args));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().putAll(Map.of("XENSTORED_PATH", socket.toString()));
        builder.redirectErrorStream(true);
        Process process = builder.start();
        process.getOutputStream().close();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(20, TimeUnit.SECONDS), program + " does not end");
        assertEquals(0, process.exitValue(), out);
        return out;
    }
}
