package io.grantwire.vswitch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.hostile.HostileDriver;
import io.grantwire.pmd.hostile.RingAttack;
import io.grantwire.pmd.net.MacAddress;
import io.grantwire.pmd.xenvirt.FlagPage;
import io.grantwire.vswitch.SwitchConfig.WorkerLcore;
import io.grantwire.vswitch.testkit.Bed;
import io.grantwire.vswitch.testkit.Frames;
import io.grantwire.vswitch.testkit.FrontEnd;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/**
 * Devices that end in every way there is while two workers poll them at full speed (XSA-374,
 * XSA-526, XSA-527): memory that is unmapped under a worker would end this JVM.
 */
class TeardownStressTest extends SwitchBed {
    private static final long VA = 0x7f00_0000_0000L;
    private static final long LIFE_NANOS = 4_000_000_000L;

    @Test
    void devicesMayEndInAnyWayWhileTheyArePolled() {
        start(config().lcores(List.of(WorkerLcore.ANY, WorkerLcore.ANY)).rxRetry(Duration.ZERO));
        FrontEnd vm1 = frontEnd(1, MAC1);
        FrontEnd vm2 = frontEnd(2, MAC2);
        SplittableRandom random = new SplittableRandom(9);
        long end = System.nanoTime() + LIFE_NANOS;
        int domid = 10;
        int lives = 0;
        int seed = 0;
        while (System.nanoTime() < end) {
            int evil = domid++;
            HostileDriver front = new HostileDriver(bed.guest(evil));
            var pool = front.pool(0, 16, VA);
            front.device(0, MacAddress.format(0x6600 + evil));
            awaitDevices(1, evil);
            // It sends to both guests, and both to it, until it ends.
            for (int i = 0; i < 20; i++) {
                byte[] frame = Frames.frame(i % 2 == 0 ? MAC1 : MAC2, 1, 60, i);
                MemorySegment.copy(frame, 0, pool.segment(), ValueLayout.JAVA_BYTE, 0, 60);
                front.tx.desc(0, 0, 10, 1, 1);
                front.tx.desc(1, VA, 60, 0, 0);
                front.tx.offer(0);
                front.rx.desc(i, VA + 4096, 2058, 2, 0);
                front.rx.offer(i);
                vm1.send(Frames.frame(0x6600 + evil, MAC1, 60, i));
                vm2.send(Frames.frame(0x6600 + evil, MAC2, 60, i));
                vm1.receive();
                vm2.receive();
            }
            switch (random.nextInt(5)) {
                case 0 -> FlagPage.clear(front.flag.segment());
                case 1 -> front.remove("event_type_start_0");
                case 2 -> front.device(0, MacAddress.format(0x6600 + evil));
                case 3 -> RingAttack.INDEX_JUMPS_AHEAD.on(front.tx, VA, 16 * 4096);
                default -> {}
            }
            if (random.nextBoolean()) {
                vm1.sendSurely(Frames.frame(MAC2, MAC1, 60, seed++));
            }
            front.guest().close();
            Bed.await(
                    "gone",
                    () -> sw.stats().devices().stream().noneMatch(d -> d.domid() == evil),
                    log::lines);
            lives++;
        }
        assertTrue(lives > 10, lives + " lives");
        assertTrue(sw.stats().workers().stream().allMatch(SwitchStats.WorkerStats::running));
        assertEquals(2, sw.stats().devices().size());
        int pages = bed.dom0().mapper().mappedPages();
        Bed.await("unmapped", () -> bed.dom0().mapper().mappedPages() <= pages);
    }
}
