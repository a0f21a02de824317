package io.grantwire.pmd.driver.igb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDeviceException;
import io.grantwire.pmd.ethdev.EthOffload;
import io.grantwire.pmd.net.MacAddress;
import io.grantwire.pmd.testkit.Frames;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class IgbFilterTest {
    private static final MacAddress OTHER = MacAddress.parse("02:11:22:33:44:55");
    private static final MacAddress GROUP = MacAddress.parse("01:00:5e:01:02:03");

    private static void refused(String errno, Runnable call) {
        EthDeviceException e = assertThrows(EthDeviceException.class, call::run);
        assertTrue(e.getMessage().contains(errno), e.getMessage());
    }

    private static boolean arrives(IgbBed bed, byte[] frame) {
        bed.card.inject(frame);
        return !bed.receive(0).isEmpty();
    }

    private static boolean arrives(IgbBed bed, MacAddress to) {
        return arrives(bed, IgbBed.frame(to, 60, 1));
    }

    @Test
    void onlyItsOwnAddressAndBroadcastsAreReceivedAtFirst() {
        try (IgbBed bed = new IgbBed().start(EthConfig.SINGLE_QUEUE)) {
            assertTrue(arrives(bed, Model82576.MAC));
            assertTrue(arrives(bed, MacAddress.BROADCAST));
            assertFalse(arrives(bed, OTHER));
            assertFalse(arrives(bed, GROUP));
        }
    }

    @Test
    void promiscuousModeReceivesAll() {
        try (IgbBed bed = new IgbBed()) {
            bed.device.setPromiscuous(true);
            bed.start(EthConfig.SINGLE_QUEUE);
            assertTrue(arrives(bed, OTHER));
            assertTrue(arrives(bed, GROUP));
            bed.device.setPromiscuous(false);
            assertFalse(arrives(bed, OTHER));
            assertFalse(arrives(bed, GROUP));
        }
    }

    @Test
    void allMulticastOutlivesPromiscuousMode() {
        try (IgbBed bed = new IgbBed().start(EthConfig.SINGLE_QUEUE)) {
            bed.device.setAllMulticast(true);
            assertTrue(arrives(bed, GROUP));
            assertFalse(arrives(bed, OTHER));
            bed.device.setPromiscuous(true);
            bed.device.setPromiscuous(false);
            assertTrue(arrives(bed, GROUP));
            bed.device.stop();
            bed.device.start();
            assertTrue(arrives(bed, GROUP));
            bed.device.setAllMulticast(false);
            assertFalse(arrives(bed, GROUP));
        }
    }

    @Test
    void addressesCanBeAddedAndRemoved() {
        try (IgbBed bed = new IgbBed().start(EthConfig.SINGLE_QUEUE)) {
            bed.device.addMacAddress(OTHER);
            assertTrue(arrives(bed, OTHER));
            assertEquals(List.of(Model82576.MAC, OTHER), bed.device.macAddresses());
            bed.device.stop();
            bed.device.start();
            assertTrue(arrives(bed, OTHER));
            bed.device.removeMacAddress(OTHER);
            assertFalse(arrives(bed, OTHER));
            refused("ENOENT", () -> bed.device.removeMacAddress(OTHER));
            refused("EADDRINUSE", () -> bed.device.removeMacAddress(Model82576.MAC));
            refused("EINVAL", () -> bed.device.addMacAddress(GROUP));
        }
    }

    @Test
    void thereIsRoomForAsManyAddressesAsTheCardHasRegisters() {
        try (IgbBed bed = new IgbBed().start(EthConfig.SINGLE_QUEUE)) {
            for (int i = 1; i < bed.device.info().maxMacAddrs(); i++) {
                bed.device.addMacAddress(new MacAddress(0x02_00_00_00_10_00L + i));
            }
            refused("ENOSPC", () -> bed.device.addMacAddress(OTHER));
            for (int i = 1; i < 24; i++) {
                assertTrue(arrives(bed, new MacAddress(0x02_00_00_00_10_00L + i)), "no. " + i);
            }
        }
    }

    @Test
    void itsOwnAddressCanBeChanged() {
        try (IgbBed bed = new IgbBed().start(EthConfig.SINGLE_QUEUE)) {
            bed.device.changeMacAddress(OTHER);
            assertEquals(OTHER, bed.device.macAddress());
            assertTrue(arrives(bed, OTHER));
            assertFalse(arrives(bed, Model82576.MAC));
            bed.device.addMacAddress(Model82576.MAC);
            assertTrue(arrives(bed, Model82576.MAC));
            bed.device.changeMacAddress(Model82576.MAC);
            assertEquals(List.of(Model82576.MAC), bed.device.macAddresses());
            assertFalse(arrives(bed, OTHER));
            refused("EINVAL", () -> bed.device.changeMacAddress(MacAddress.ZERO));
        }
    }

    @Test
    void withTheVlanFilterListedVlansAreReceived() {
        try (IgbBed bed =
                new IgbBed()
                        .start(
                                EthConfig.SINGLE_QUEUE.withOffloads(
                                        Set.of(EthOffload.RX_VLAN_FILTER)))) {
            byte[] plain = IgbBed.frame(60, 1);
            assertTrue(arrives(bed, plain));
            assertFalse(arrives(bed, Frames.tagged(plain, 5)));
            for (int vlan : new int[] {0, 5, 31, 32, 4095}) {
                bed.device.setVlanFilter(vlan, true);
                assertTrue(arrives(bed, Frames.tagged(plain, 0xe000 | vlan)), "VLAN " + vlan);
            }
            assertFalse(arrives(bed, Frames.tagged(plain, 6)));
            bed.device.stop();
            bed.device.start();
            assertTrue(arrives(bed, Frames.tagged(plain, 5)));
            bed.device.setVlanFilter(5, false);
            assertFalse(arrives(bed, Frames.tagged(plain, 5)));
            refused("EINVAL", () -> bed.device.setVlanFilter(4096, true));
        }
    }

    @Test
    void withoutTheVlanFilterEveryVlanIsReceived() {
        try (IgbBed bed = new IgbBed().start(EthConfig.SINGLE_QUEUE)) {
            assertTrue(arrives(bed, Frames.tagged(IgbBed.frame(60, 1), 1234)));
            refused("EINVAL", () -> bed.device.setVlanFilter(5, true));
        }
    }
}
