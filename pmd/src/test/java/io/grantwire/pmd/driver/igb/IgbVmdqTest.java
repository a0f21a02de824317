package io.grantwire.pmd.driver.igb;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDeviceException;
import io.grantwire.pmd.ethdev.EthOffload;
import io.grantwire.pmd.ethdev.RssConfig;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.net.MacAddress;
import io.grantwire.pmd.testkit.Frames;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Pools, over a card that replicates group frames and over one that does not. */
class IgbVmdqTest {
    private static final EthConfig EIGHT = new EthConfig(8, 1).withVmdqPools(8);
    private static final MacAddress A = MacAddress.parse("00:11:22:00:00:0a");
    private static final MacAddress B = MacAddress.parse("00:11:22:00:00:0b");

    private static IgbBed bed(boolean replicates) {
        IgbBed bed = new IgbBed().start(EIGHT, 64);
        if (replicates) {
            bed.card.receiver.replicateAlways();
        }
        return bed;
    }

    /** Injects a frame; checks that it arrives in one queue, and returns it from there. */
    private static byte[] arrivesIn(IgbBed bed, int pool, byte[] frame) {
        bed.card.inject(frame);
        byte[] got = null;
        for (int q = 0; q < 8; q++) {
            List<byte[]> frames = bed.receive(q);
            assertEquals(q == pool ? 1 : 0, frames.size(), "frames in pool " + q);
            if (q == pool) {
                got = frames.get(0);
            }
        }
        return got;
    }

    private static byte[] to(MacAddress mac) {
        return IgbBed.frame(mac, 100, 1);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aPoolGetsItsFramesWithoutTheirTags(boolean replicates) {
        try (IgbBed bed = bed(replicates)) {
            bed.device.vmdqAssign(3, A, 1003);
            bed.card.inject(Frames.tagged(to(A), 0x2000 | 1003));
            int m = bed.receiveMbufs(3).get(0);
            assertEquals(Mbuf.RX_VLAN | Mbuf.RX_VLAN_STRIPPED, Mbuf.olFlags(m));
            assertEquals(0x2000 | 1003, Mbuf.vlanTci(m));
            assertArrayEquals(to(A), IgbBed.bytes(m));
            Mbuf.free(m);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aPoolGetsNoForeignFrames(boolean replicates) {
        try (IgbBed bed = bed(replicates)) {
            bed.device.vmdqAssign(1, A, 1001);
            bed.device.vmdqAssign(2, B, 1002);
            arrivesIn(bed, 1, Frames.tagged(to(A), 1001));
            arrivesIn(bed, 2, Frames.tagged(to(B), 1002));
            // Another's VLAN, no VLAN, a VLAN of nobody: the default pool's, tags as they came.
            for (byte[] frame :
                    List.of(
                            Frames.tagged(to(A), 1002),
                            Frames.tagged(to(B), 1001),
                            Frames.tagged(to(A), 77),
                            to(A),
                            to(B))) {
                assertArrayEquals(frame, arrivesIn(bed, 0, frame));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void pool0GetsWhatIsNoOthers(boolean replicates) {
        try (IgbBed bed = bed(replicates)) {
            bed.device.vmdqAssign(1, A, 1001);
            for (byte[] frame :
                    List.of(
                            to(Model82576.MAC),
                            to(B),
                            Frames.tagged(to(B), 1001),
                            to(MacAddress.BROADCAST),
                            Frames.tagged(to(MacAddress.BROADCAST), 1001),
                            to(MacAddress.parse("01:00:5e:00:00:01")),
                            Frames.tagged(to(MacAddress.parse("01:00:5e:00:00:01")), 1001))) {
                assertArrayEquals(frame, arrivesIn(bed, 0, frame));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void groupFramesOfAListedVlanReachPool0(boolean replicates) {
        try (IgbBed bed = bed(replicates)) {
            byte[] frame = Frames.tagged(to(MacAddress.BROADCAST), 55);
            bed.device.setVlanFilter(55, true);
            assertArrayEquals(frame, arrivesIn(bed, 0, frame));
            // A pool comes into that VLAN and leaves it.
            bed.device.vmdqAssign(1, A, 55);
            arrivesIn(bed, 1, Frames.tagged(to(A), 55));
            bed.device.vmdqRelease(1);
            assertArrayEquals(frame, arrivesIn(bed, 0, frame));
            bed.device.stop();
            bed.device.start();
            assertArrayEquals(frame, arrivesIn(bed, 0, frame));
        }
    }

    @Test
    void aReleasedPoolGetsNothing() {
        try (IgbBed bed = bed(false)) {
            bed.device.vmdqAssign(1, A, 1001);
            arrivesIn(bed, 1, Frames.tagged(to(A), 1001));
            bed.device.vmdqRelease(1);
            byte[] frame = Frames.tagged(to(A), 1001);
            assertArrayEquals(frame, arrivesIn(bed, 0, frame));
            // The next one can have the same.
            bed.device.vmdqAssign(5, A, 1001);
            arrivesIn(bed, 5, Frames.tagged(to(A), 1001));
        }
    }

    @Test
    void oneAddressCanBeInTwoVlansAndOnePoolHaveTwoAddresses() {
        try (IgbBed bed = bed(true)) {
            bed.device.vmdqAssign(1, A, 1001);
            bed.device.vmdqAssign(2, A, 1002);
            bed.device.vmdqAssign(2, B, 1002);
            arrivesIn(bed, 1, Frames.tagged(to(A), 1001));
            arrivesIn(bed, 2, Frames.tagged(to(A), 1002));
            arrivesIn(bed, 2, Frames.tagged(to(B), 1002));
            arrivesIn(bed, 0, Frames.tagged(to(B), 1001));
        }
    }

    @Test
    void theCardsOwnAddressCanBeAPoolsToo() {
        try (IgbBed bed = bed(true)) {
            bed.device.vmdqAssign(1, Model82576.MAC, 1001);
            arrivesIn(bed, 1, Frames.tagged(to(Model82576.MAC), 1001));
            arrivesIn(bed, 0, to(Model82576.MAC));
            bed.device.changeMacAddress(B);
            arrivesIn(bed, 1, Frames.tagged(to(Model82576.MAC), 1001));
            bed.device.vmdqRelease(1);
            arrivesIn(bed, 0, Frames.tagged(to(Model82576.MAC), 1001));
            assertEquals(List.of(B), bed.device.macAddresses());
        }
    }

    @Test
    void whatWasAssignedOutlivesARestartButNotAConfigure() {
        try (IgbBed bed = bed(false)) {
            bed.device.stop();
            bed.device.vmdqAssign(1, A, 1001);
            bed.device.start();
            arrivesIn(bed, 1, Frames.tagged(to(A), 1001));
            bed.device.stop();
            bed.start(EIGHT, 64);
            arrivesIn(bed, 0, Frames.tagged(to(A), 1001));
        }
    }

    @Test
    void aFullPoolDoesNotHoldUpTheOthers() {
        try (IgbBed bed = bed(false)) {
            bed.device.vmdqAssign(1, A, 1001);
            bed.device.vmdqAssign(2, B, 1002);
            for (int i = 0; i < 100; i++) {
                bed.card.inject(Frames.tagged(to(A), 1001));
            }
            assertEquals(37, bed.device.stats().imissed());
            bed.card.inject(Frames.tagged(to(B), 1002));
            assertEquals(1, bed.receive(2).size());
            assertEquals(63, bed.receive(1).size());
        }
    }

    @Test
    void framesLongerThanTheMtuReachNoPool() {
        try (IgbBed bed = bed(false)) {
            bed.device.vmdqAssign(1, A, 1001);
            bed.card.inject(Frames.tagged(IgbBed.frame(A, 1514, 1), 1001));
            bed.card.inject(Frames.tagged(IgbBed.frame(A, 1515, 1), 1001));
            assertEquals(1, bed.receive(1).size());
        }
    }

    @Test
    void theCardInsertsTagsThoughPool0KeepsThem() {
        try (IgbBed bed = bed(false)) {
            int m = bed.mbuf(to(B));
            Mbuf.setOlFlags(m, Mbuf.TX_VLAN);
            Mbuf.setVlanTci(m, 1001);
            assertArrayEquals(Frames.tagged(to(B), 1001), bed.send(m));
            assertEquals(1, bed.card.transmitter.contextWrites(0));
        }
    }

    private static void refused(String errno, Runnable call) {
        EthDeviceException e = assertThrows(EthDeviceException.class, call::run);
        assertTrue(e.getMessage().contains(errno), e.getMessage());
    }

    @Test
    void whatCannotBeAssignedIsRefused() {
        try (IgbBed bed = bed(false)) {
            refused("EINVAL", () -> bed.device.vmdqAssign(0, A, 1001));
            refused("EINVAL", () -> bed.device.vmdqAssign(8, A, 1001));
            refused("EINVAL", () -> bed.device.vmdqAssign(1, A, 0));
            refused("EINVAL", () -> bed.device.vmdqAssign(1, A, 4095));
            refused("EINVAL", () -> bed.device.vmdqAssign(1, MacAddress.BROADCAST, 5));
            bed.device.vmdqAssign(1, A, 1001);
            bed.device.vmdqAssign(1, A, 1001);
            refused("EEXIST", () -> bed.device.vmdqAssign(2, A, 1001));
            refused("EINVAL", () -> bed.device.vmdqAssign(1, B, 1002));
            for (int i = 1; i < 23; i++) {
                bed.device.vmdqAssign(1, new MacAddress(0x02_00_00_00_20_00L + i), 1001);
            }
            refused("ENOSPC", () -> bed.device.vmdqAssign(2, B, 1002));
            // Nothing of what was refused has stayed.
            bed.device.vmdqRelease(1);
            bed.device.vmdqAssign(2, B, 1001);
            refused("EINVAL", () -> bed.device.vmdqRelease(0));
        }
    }

    @Test
    void vlanEntriesRunOutWithAClearError() {
        try (IgbBed bed = bed(false)) {
            for (int vlan = 1; vlan <= 32; vlan++) {
                bed.device.setVlanFilter(vlan, true);
            }
            refused("ENOSPC", () -> bed.device.setVlanFilter(33, true));
            refused("ENOSPC", () -> bed.device.vmdqAssign(1, A, 1001));
            bed.device.vmdqAssign(1, A, 32);
            bed.device.setVlanFilter(31, false);
            bed.device.vmdqAssign(2, B, 1001);
            arrivesIn(bed, 2, Frames.tagged(to(B), 1001));
        }
    }

    @Test
    void poolsChangeHandsWhileOthersPoll() throws Exception {
        try (IgbBed bed = bed(false)) {
            AtomicBoolean end = new AtomicBoolean();
            AtomicLong received = new AtomicLong();
            Thread poller =
                    Thread.ofPlatform()
                            .start(() -> {
                                while (!end.get()) {
                                    for (int q = 0; q < 8; q++) {
                                        received.addAndGet(bed.receive(q).size());
                                    }
                                }
                            });
            long injected = 0;
            for (int i = 0; i < 500; i++) {
                int pool = 1 + i % 7;
                bed.device.vmdqAssign(pool, A, 1000 + i % 50);
                injected += bed.card.inject(Frames.tagged(to(A), 1000 + i % 50)) ? 1 : 0;
                bed.device.vmdqRelease(pool);
                injected += bed.card.inject(Frames.tagged(to(A), 1000 + i % 50)) ? 1 : 0;
                bed.device.stats();
            }
            end.set(true);
            poller.join();
            for (int q = 0; q < 8; q++) {
                received.addAndGet(bed.receive(q).size());
            }
            assertEquals(injected, received.get());
            assertTrue(injected > 500);
        }
    }

    @Test
    void configurationsThatTheCardHasNotAreRefused() {
        try (IgbBed bed = new IgbBed()) {
            refused("EINVAL", () -> bed.device.configure(new EthConfig(9, 1).withVmdqPools(9)));
            refused("ENOTSUP", () -> bed.device.configure(EIGHT.withRss(RssConfig.all())));
            refused(
                    "EINVAL",
                    () -> bed.device.configure(new EthConfig(8, 1, 0, Set.of(), RssConfig.OFF, 4)));
            bed.device.configure(
                    EthConfig.SINGLE_QUEUE.withOffloads(Set.of(EthOffload.RX_VLAN_FILTER)));
            refused("ENOTSUP", () -> bed.device.vmdqAssign(1, A, 5));
            refused("ENOTSUP", () -> bed.device.vmdqRelease(1));
        }
    }
}
