package io.grantwire.pmd.driver.xenvirt;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.domain.DomainOptions;
import io.grantwire.pmd.domain.Domains;
import io.grantwire.pmd.domain.EmulatedHost;
import io.grantwire.pmd.testkit.Frames;
import io.grantwire.xenstore.XenstoreWatch;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Front end and back end in two processes, the back end with the original's habits. */
class XenvirtProcessesIT {
    private Path parent;
    private EmulatedHost host;
    private Domain dom0;
    private XenstoreWatch watch;
    private Process guest;
    private BufferedReader output;

    @BeforeEach
    void startHost() throws IOException {
        parent = Files.createTempDirectory("gw");
        host = EmulatedHost.start(parent.resolve("h"));
        dom0 = Domains.open(DomainOptions.emulatedControl(host.dir()));
        watch = dom0.xenstore().watch("/local/domain", "mytoken");
    }

    @AfterEach
    void stopHost() throws Exception {
        if (guest != null) {
            guest.destroyForcibly().waitFor();
        }
        watch.close();
        dom0.close();
        host.close();
        Files.delete(parent);
    }

    private void startGuest() throws Exception {
        guest =
                new ProcessBuilder(
                                ProcessHandle.current().info().command().orElse("java"),
                                "--enable-native-access=ALL-UNNAMED",
                                "-XX:+UseSerialGC",
                                "-XX:TieredStopAtLevel=1",
                                "-Xmx128m",
                                "-cp",
                                System.getProperty("java.class.path"),
                                GuestProgram.class.getName(),
                                host.dir().toString(),
                                "1")
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        output = guest.inputReader();
        assertEquals("ready", output.readLine());
    }

    private static void await(String what, BooleanSupplier condition) throws Exception {
        long deadline = System.nanoTime() + 30_000_000_000L;
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < deadline, what);
            Thread.sleep(1);
        }
    }

    /** Sends numbered frames to the guest and checks that each comes back once, in order. */
    private void echo(OriginalBackEnd.Device device, int count) {
        long deadline = System.nanoTime() + 60_000_000_000L;
        int sent = 0;
        int back = 0;
        while (back < count) {
            while (sent < count && sent - back < 200 && device.deliver(numbered(sent))) {
                sent++;
            }
            List<byte[]> frames = device.take();
            for (byte[] frame : frames) {
                assertArrayEquals(numbered(back), frame);
                back++;
            }
            if (frames.isEmpty()) {
                assertTrue(System.nanoTime() < deadline, back + " of " + count + " came back");
                Thread.yield();
            }
        }
    }

    private static byte[] numbered(int n) {
        byte[] frame = Frames.bytes(60 + n % 1400, n);
        ByteBuffer.wrap(frame, 14, 4).putInt(n);
        return frame;
    }

    @Test
    void framesCrossBothWaysUnchangedAndInOrder() throws Exception {
        startGuest();
        try (OriginalBackEnd backEnd = new OriginalBackEnd(dom0, 1)) {
            OriginalBackEnd.Device device = backEnd.add(OriginalBackEnd.awaitStart(watch, 1));
            assertArrayEquals(new byte[] {0, 0, 0, 0, 0, 0x11}, device.mac);
            echo(device, 100_000);
            guest.getOutputStream().close();
            assertEquals("in use after close: 0", output.readLine());
            assertTrue(guest.waitFor(30, TimeUnit.SECONDS));
            assertEquals(0, guest.exitValue());
            assertEquals(0, device.flagByte());
            assertEquals(List.of(), dom0.xenstore().directory("/local/domain/1/control/dpdk"));
        }
    }

    @Test
    void aKilledGuestClearsItsFlagAndItsSuccessorStartsAfresh() throws Exception {
        startGuest();
        try (OriginalBackEnd backEnd = new OriginalBackEnd(dom0, 1)) {
            OriginalBackEnd.Device device = backEnd.add(OriginalBackEnd.awaitStart(watch, 1));
            echo(device, 1000);
            assertEquals(0xa5, device.flagByte());
            guest.destroyForcibly();
            await("the flag byte is cleared", () -> device.flagByte() == 0);
            // The pages are still mapped here: a back end in mid-copy is not hurt.
            device.deliver(new byte[60]);
            assertEquals(
                    "1",
                    dom0.xenstore().readString("/local/domain/1/control/dpdk/event_type_start_0"),
                    "a killed guest leaves its keys");
        }
        guest.waitFor();
        startGuest();
        try (OriginalBackEnd backEnd = new OriginalBackEnd(dom0, 1)) {
            OriginalBackEnd.Device device = backEnd.add(OriginalBackEnd.awaitStart(watch, 1));
            echo(device, 1000);
        }
    }
}
