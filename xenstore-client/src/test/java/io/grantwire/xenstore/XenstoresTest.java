package io.grantwire.xenstore;

import static io.grantwire.xenstore.testing.Fixture.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.grantwire.xenstore.Xenstores.Options;
import io.grantwire.xenstore.Xenstores.Transport;
import io.grantwire.xenstore.testing.EmbeddedStore;
import io.grantwire.xenstore.testing.Fixture;
import io.grantwire.xenstore.testing.HostProbe;
import io.grantwire.xenstore.testing.Via;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Finding and opening stores, and giving everything back. */
@Timeout(60)
class XenstoresTest {

    @Test
    void optionsThatDoNotFitAreRefused() {
        assertThrows(
                IllegalArgumentException.class,
                () -> new Options(Transport.SOCKET, null, Duration.ofSeconds(1)));
        assertThrows(
                IllegalArgumentException.class,
                () -> new Options(Transport.LIBRARY, Path.of("/x"), Duration.ofSeconds(1)));
        assertThrows(
                IllegalArgumentException.class, () -> Options.host().withTimeout(Duration.ZERO));
    }

    @Test
    void absentDeviceIsExplained() {
        XenstoreException e = failure("ENOENT", () -> Xenstores.device(Path.of("/dev/xen/none")));
        assertTrue(e.getMessage().startsWith("xenstore open /dev/xen/none: "), e.getMessage());
        assertTrue(e.getMessage().contains("modprobe"), e.getMessage());
    }

    @Test
    void socketPathThatIsTooLongIsExplained() {
        XenstoreException e =
                assertThrows(
                        XenstoreException.class,
                        () -> Xenstores.socket(Path.of("/tmp/" + "x".repeat(120))));
        assertEquals(1, e.getMessage().lines().count());
    }

    @Test
    void hostIsFoundThroughTheEnvironment() throws Exception {
        try (EmbeddedStore server = EmbeddedStore.start();
                Xenstore store = Xenstores.socket(server.socket())) {
            store.write("/probe", "found");
            List<String> said = probe(server.socket());
            String way = Xenstores.libraryUnavailable().isEmpty() ? "libxenstore on " : "unix:";
            assertEquals(List.of("available", way + server.socket(), "found"), said);
        }
    }

    @Test
    void hostWithoutStoreIsExplained() throws Exception {
        List<String> said = probe(Path.of("/nonexistent/socket"));
        assertEquals(2, said.size(), said::toString);
        assertEquals(
                "none of /nonexistent/socket exists: this is no Xen domain, or xenstored does not"
                        + " run",
                said.getFirst());
        assertTrue(said.getLast().startsWith("xenstore open: ENOENT"), said::toString);
        assertTrue(said.getLast().contains("/nonexistent/socket: ENOENT"), said::toString);
    }

    private static List<String> probe(Path store) throws IOException, InterruptedException {
        ProcessBuilder builder =
                new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        HostProbe.class.getName());
        builder.environment().put("XENSTORED_PATH", store.toString());
        builder.redirectError(ProcessBuilder.Redirect.INHERIT);
        Process process = builder.start();
        List<String> lines = process.inputReader().readAllLines();
        assertTrue(process.waitFor(Fixture.SOON.toSeconds(), TimeUnit.SECONDS));
        return lines;
    }

    @ParameterizedTest
    @EnumSource(
            value = Via.class,
            names = {"SOCKET", "LIBRARY"})
    void closedConnectionsLeaveNothingBehind(Via via) throws InterruptedException {
        assumeTrue(via.unavailable().isEmpty(), () -> via.unavailable().orElse(""));
        try (EmbeddedStore server = EmbeddedStore.start()) {
            use(via, server);
            int before = descriptors();
            for (int i = 0; i < 20; i++) {
                use(via, server);
            }
            long end = System.nanoTime() + Fixture.SOON.toNanos();
            // The server, in this process, closes its ends a little later.
            while (descriptors() > before && System.nanoTime() < end) {
                Thread.sleep(5);
            }
            assertTrue(descriptors() <= before, descriptors() + " descriptors, before " + before);
            assertFalse(
                    Thread.getAllStackTraces().keySet().stream()
                            .anyMatch(t -> t.getName().startsWith("xenstore-")));
        }
    }

    private static void use(Via via, EmbeddedStore server) {
        Xenstore store = via.open(server.socket());
        store.watch("/", "t");
        store.write("/x", "1");
        store.close();
    }

    private static int descriptors() {
        return new File("/proc/self/fd").list().length;
    }
}
