package io.grantwire.vswitch;

import static io.grantwire.pmd.virtio.SplitRingLayout.F_NEXT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.gntalloc.GrantShare;
import io.grantwire.pmd.hostile.FieldFlipper;
import io.grantwire.pmd.hostile.HostileDriver;
import io.grantwire.vswitch.testkit.Bed;
import io.grantwire.vswitch.testkit.Frames;
import io.grantwire.vswitch.testkit.FrontEnd;
import io.grantwire.vswitch.testkit.LogLines;
import io.grantwire.vswitch.testkit.MemoryWire;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A guest that writes what it likes while it is served; its neighbours lose nothing. */
class HostileGuestTest {
    private static final long VA = 0x7f00_0000_0000L;
    private static final long MAC1 = 0x11;
    private static final long MAC2 = 0x22;
    private static final String EVIL = "00:00:00:00:00:66";
    private static final long EVIL_MAC = 0x66;
    private static final int POOL_PAGES = 64;

    private final MemoryWire wire = new MemoryWire(true, 1);
    private LogLines log;
    private Bed bed;
    private Switch sw;
    private FrontEnd vm1;
    private FrontEnd vm2;
    private HostileDriver evil;
    private GrantShare pool;
    private int seed;

    @BeforeEach
    void start() {
        log = new LogLines("DATA", "PORT", "XENHOST", "PMD");
        bed = new Bed();
        sw =
                Switch.start(
                        SwitchConfig.builder().uplink(UplinkSpec.of("memory", d -> wire)).build(),
                        bed.dom0());
        vm1 = bed.keep(new FrontEnd(bed.guest(1), 0, MAC1));
        vm2 = bed.keep(new FrontEnd(bed.guest(2), 0, MAC2));
        evil = new HostileDriver(bed.guest(3));
        pool = evil.pool(0, POOL_PAGES, VA);
        Bed.await("the good ones", () -> sw.stats().devices().size() == 2);
    }

    @AfterEach
    void stop() throws Exception {
        sw.close();
        assertEquals(0, bed.dom0().mapper().mappedPages());
        bed.close();
        log.close();
    }

    private String state() {
        return sw.stats().devices().stream()
                .filter(d -> d.domid() == 3)
                .map(SwitchStats.DeviceStats::state)
                .findFirst()
                .orElse("none");
    }

    /** The good ones still exchange every frame. */
    private void exchange(int frames) {
        for (int i = 0; i < frames; i++) {
            vm1.sendSurely(Frames.frame(MAC2, MAC1, 60, seed));
            assertEquals(seed++, Frames.seed(vm2.receive(1).get(0)));
        }
    }

    @Test
    void aPortThatBreaksARuleIsQuarantinedWithItsReason() {
        evil.device(0, EVIL);
        Bed.await("the evil one", () -> state().equals("ready"), log::lines);
        evil.tx.desc(0, 0, 10, F_NEXT, 1);
        evil.tx.desc(1, VA + POOL_PAGES * 4096L - 10, 60, 0, 0);
        evil.tx.offer(0);
        Bed.await("quarantine", () -> state().equals("quarantined"));
        exchange(100);
        Bed.await(
                "the log line",
                () ->
                        log.has(
                                "XENHOST:(2) device (3, 0) is quarantined, tx ring: a buffer runs"
                                        + " past the end of its mempool; it is served again when"
                                        + " the guest starts it anew, or by: grantwire switch ctl"
                                        + " release 2"),
                log::lines);
        assertEquals(1, sw.stats().rejects().get("address_overrun"));
        // Frames for it are dropped and counted.
        vm1.send(Frames.frame(EVIL_MAC, MAC1, 60, 1));
        Bed.await(
                "a drop",
                () -> sw.stats().devices().get(0).tx().drops().containsKey("quarantined"));
        // Started anew it is served again.
        evil.device(0, EVIL);
        Bed.await("served again", () -> state().equals("ready"), log::lines);
        assertEquals(1, sw.stats().rejects().get("address_overrun"));
    }

    @Test
    void fieldsThatChangeWhileTheyAreReadHarmNobody() throws Exception {
        SplittableRandom random = new SplittableRandom(11);
        evil.device(0, EVIL);
        Bed.await("the evil one", () -> state().equals("ready"), log::lines);
        int lives = 0;
        long end = System.nanoTime() + 3_000_000_000L;
        // Bounded: every life's pages stay shared, and the host spends so many on a guest.
        while (System.nanoTime() < end && lives < 25) {
            try (FieldFlipper flipper =
                    new FieldFlipper(evil.tx, evil.rx, pool.segment(), VA, random.nextLong())) {
                long life = System.nanoTime() + 200_000_000L;
                while (state().equals("ready") && System.nanoTime() < life) {
                    exchange(5);
                    vm1.send(Frames.frame(EVIL_MAC, MAC1, 60, 0));
                    wire.in.add(Frames.tagged(Frames.frame(EVIL_MAC, MAC1, 600, 0), 1002));
                }
                Bed.await("flips", () -> flipper.flips() > 0);
            }
            exchange(10);
            lives++;
            evil.device(0, EVIL);
            Bed.await("served again", () -> state().equals("ready"), log::lines);
        }
        assertTrue(lives > 2, "only " + lives + " lives");
        assertEquals(2 + 1, sw.stats().devices().size());
        assertEquals(
                0,
                sw.stats().devices().stream()
                        .filter(d -> d.domid() == 2)
                        .mapToLong(d -> d.rx().dropped())
                        .sum(),
                "a good guest lost frames");
        assertTrue(
                sw.stats().workers().stream().allMatch(SwitchStats.WorkerStats::running),
                () -> String.join("\n", log.lines()));
    }
}
