package io.grantwire.pmd.domain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** A host in another process, and its death. */
class EmulatedHostIT {
    /** The other process: runs a host in a directory until its input ends. */
    static final class HostProgram {
        private HostProgram() {}

        /** Runs the host. */
        public static void main(String[] args) throws IOException {
            try (EmulatedHost host = EmulatedHost.start(Path.of(args[0]))) {
                System.out.println(host.dir());
                while (System.in.read() >= 0) {}
            }
        }
    }

    private static Process startHost(Path dir) throws IOException {
        Process process =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "--enable-native-access=ALL-UNNAMED",
                                "-XX:+UseSerialGC",
                                "-XX:TieredStopAtLevel=1",
                                "-Xmx64m",
                                "-cp",
                                System.getProperty("java.class.path"),
                                HostProgram.class.getName(),
                                dir.toString())
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        assertEquals(dir.toString(), process.inputReader().readLine());
        return process;
    }

    @Test
    void aKilledHostsDirectoryCanBeUsedAgain() throws Exception {
        Path parent = Files.createTempDirectory("gw");
        Path dir = parent.resolve("h");
        Process other = startHost(dir);
        try {
            Domain guest = Domains.open(DomainOptions.emulatedGuest(dir, "VM1"));
            assertEquals("VM1", guest.xenstore().readString("name"));
            DomainException busy =
                    assertThrows(DomainException.class, () -> EmulatedHost.start(dir));
            assertTrue(
                    busy.getMessage()
                            .contains(
                                    "is busy: an emulated host runs there, process " + other.pid()),
                    busy.getMessage());
            other.destroyForcibly().waitFor();
            assertTrue(Files.exists(dir.resolve("dom1/xenstored.sock")), "nobody cleaned up");
            DomainException gone =
                    assertThrows(
                            DomainException.class,
                            () -> Domains.open(DomainOptions.emulatedGuest(dir, "")));
            assertTrue(
                    gone.getMessage().startsWith("no emulated host in " + dir), gone.getMessage());
            guest.close();
            try (EmulatedHost host = EmulatedHost.start(dir);
                    Domain fresh = Domains.open(DomainOptions.emulatedGuest(dir, "VM2"))) {
                assertEquals("VM2", fresh.xenstore().readString("name"));
                assertEquals(dir, host.dir());
            }
        } finally {
            other.destroyForcibly().waitFor();
            Files.deleteIfExists(dir);
            Files.delete(parent);
        }
    }

    @Test
    void aHostThatEndsInOrderLeavesNothing() throws Exception {
        Path parent = Files.createTempDirectory("gw");
        Path dir = parent.resolve("h");
        Process other = startHost(dir);
        other.getOutputStream().close();
        assertEquals(0, other.waitFor());
        assertFalse(Files.exists(dir));
        Files.delete(parent);
    }
}
