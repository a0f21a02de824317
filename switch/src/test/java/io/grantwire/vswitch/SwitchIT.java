package io.grantwire.vswitch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.vswitch.testkit.Bed;
import io.grantwire.vswitch.testkit.Frames;
import io.grantwire.vswitch.testkit.FrontEnd;
import io.grantwire.vswitch.testkit.LogLines;
import io.grantwire.vswitch.testkit.MemoryWire;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Guests in processes of their own, and their violent end. */
class SwitchIT {
    private static final long MAC1 = 0x0000_0000_0011L;
    private static final long MAC2 = 0x0000_0000_0022L;

    private static Process guest(Bed bed, int domid, long mac, long peer) throws IOException {
        Process p =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "--enable-native-access=ALL-UNNAMED",
                                "-XX:+UseSerialGC",
                                "-XX:TieredStopAtLevel=1",
                                "-Xmx128m",
                                "-cp",
                                System.getProperty("java.class.path"),
                                GuestMain.class.getName(),
                                bed.host().dir().toString(),
                                Integer.toString(domid),
                                Long.toHexString(mac),
                                Long.toHexString(peer))
                        .redirectError(ProcessBuilder.Redirect.DISCARD)
                        .start();
        bed.keep(() -> {
            p.destroyForcibly();
            p.waitFor();
        });
        return p;
    }

    private static boolean has(Switch sw, int domid) {
        return sw.stats().devices().stream().anyMatch(d -> d.domid() == domid);
    }

    @Test
    void aGuestKilledUnderLoadLeavesTheOthersAloneAndMayComeBack() throws Exception {
        try (LogLines log = new LogLines("DATA", "PORT", "XENHOST", "PMD");
                Bed bed = new Bed();
                Switch sw =
                        Switch.start(
                                SwitchConfig.builder()
                                        .uplink(
                                                UplinkSpec.of(
                                                        "memory", d -> new MemoryWire(true, 1)))
                                        .build(),
                                bed.dom0())) {
            FrontEnd vm1 = bed.keep(new FrontEnd(bed.guest(1), 0, MAC1));
            FrontEnd vm3 = bed.keep(new FrontEnd(bed.guest(3), 0, 0x33));
            Bed.await("two guests", () -> sw.stats().devices().size() == 2);
            for (int life = 0; life < 2; life++) {
                Process vm2 = guest(bed, 2, MAC2, MAC1);
                Bed.await("guest 2", () -> has(sw, 2), log::lines);
                int seed = 0;
                for (int i = 0; i < 200; i++) {
                    vm1.sendSurely(Frames.frame(MAC2, MAC1, 60, seed));
                    assertEquals(seed++, Frames.seed(vm1.receive(1).get(0)));
                }
                // Frames are under way in both directions when it dies.
                for (int i = 0; i < 100; i++) {
                    vm1.send(Frames.frame(MAC2, MAC1, 60, 1_000_000));
                }
                vm2.destroyForcibly().waitFor();
                for (int i = 0; i < 500; i++) {
                    vm1.sendSurely(Frames.frame(0x33, MAC1, 60, i));
                    assertEquals(i, Frames.seed(vm3.receive(1).get(0)));
                }
                Bed.await("guest 2 gone", () -> !has(sw, 2), log::lines);
                Bed.await("forgotten", () -> log.has("XENHOST:destroy guest (2)"));
                drain(vm1);
                log.lines().clear();
            }
            assertTrue(sw.stats().rejects().isEmpty(), () -> sw.stats().rejects().toString());
        }
    }

    /** Takes echoes that are still under way. */
    private static void drain(FrontEnd f) throws InterruptedException {
        for (int quiet = 0; quiet < 20; quiet++) {
            List<byte[]> some = f.receive();
            if (!some.isEmpty()) {
                quiet = 0;
            }
            Thread.sleep(1);
        }
    }
}
