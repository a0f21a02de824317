package io.grantwire.vswitch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.vswitch.testkit.Bed;
import io.grantwire.vswitch.testkit.Frames;
import io.grantwire.vswitch.testkit.FrontEnd;
import io.grantwire.vswitch.testkit.PooledWire;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A switch whose uplink is a card with VMDq pools. */
class SwitchVmdqTest extends SwitchBed {
    private static final long MAC3 = 0x0000_0000_0033L;

    private final PooledWire card = new PooledWire(3);

    @Override
    SwitchConfig.Builder config() {
        return SwitchConfig.builder().uplink(UplinkSpec.of("pci:test", domain -> card));
    }

    private static byte[] toGuest(long mac, int vlan, int seed) {
        return Frames.tagged(Frames.frame(mac, STRANGER, 60, seed), vlan);
    }

    @Test
    void eachDeviceGetsAPoolAndTheRestIsSortedInSoftware() {
        start(config());
        assertTrue(
                log.has("PORT:Port 0: the card sorts frames into VMDq pools for up to 2 devices"));
        FrontEnd vm1 = frontEnd(1, MAC1);
        FrontEnd vm2 = frontEnd(2, MAC2);
        FrontEnd vm3 = frontEnd(3, MAC3);
        assertEquals(1, card.poolOf(MAC1, 1000));
        assertEquals(2, card.poolOf(MAC2, 1001));
        assertEquals(0, card.poolOf(MAC3, 1002));
        assertTrue(log.has("DATA:(1) VMDq pool 2 of port 0 has been assigned"));
        assertTrue(
                log.has(
                        "DATA:(2) no VMDq pool of port 0 is left: its frames are sorted in"
                                + " software"));
        card.arrive(toGuest(MAC1, 1000, 1));
        card.arrive(toGuest(MAC2, 1001, 2));
        card.arrive(toGuest(MAC3, 1002, 3));
        assertEquals(1, Frames.seed(vm1.receive(1).get(0)));
        assertEquals(2, Frames.seed(vm2.receive(1).get(0)));
        assertEquals(3, Frames.seed(vm3.receive(1).get(0)));
        assertEquals(List.of(1), device(0).pools());
        assertEquals(List.of(0), device(2).pools());
        assertEquals(3, sw.stats().uplinks().get(0).pools());
        assertEquals(3, sw.stats().uplinks().get(0).fromWire().successful());
        vm1.send(Frames.frame(STRANGER, MAC1, 60, 9));
        Bed.await("a frame on the wire", () -> !card.out.isEmpty());
        assertEquals(64, card.out.poll().length);
        assertEquals(1, card.inserted);
    }

    @Test
    void aPoolThatBecomesFreeGoesToADeviceThatHasNone() {
        start(config());
        FrontEnd vm1 = frontEnd(1, MAC1);
        frontEnd(2, MAC2);
        FrontEnd vm3 = frontEnd(3, MAC3);
        vm1.device.close();
        Bed.await("pool 1 for the third", () -> card.poolOf(MAC3, 1002) == 1, log::lines);
        assertEquals(0, card.poolOf(MAC1, 1000));
        card.arrive(toGuest(MAC3, 1002, 3));
        assertEquals(3, Frames.seed(vm3.receive(1).get(0)));
        assertEquals(
                List.of(
                        "configure 3 pools",
                        "assign 1 00:00:00:00:00:11 1000",
                        "assign 2 00:00:00:00:00:22 1001",
                        "release 1",
                        "assign 1 00:00:00:00:00:33 1002"),
                List.copyOf(card.calls));
    }

    @Test
    void devicesThatComeAndGoLeaveNoPoolBehind() {
        start(config());
        for (int round = 0; round < 5; round++) {
            FrontEnd vm1 = frontEnd(1 + round, MAC1);
            card.arrive(toGuest(MAC1, 1000, round));
            assertEquals(round, Frames.seed(vm1.receive(1).get(0)));
            vm1.device.close();
            Bed.await("device gone", () -> sw.stats().devices().isEmpty());
            Bed.await("pool free", () -> card.poolOf(MAC1, 1000) == 0);
        }
    }

    @Test
    void aDeviceThatWaitsForItsAddressGetsNoPool() {
        start(config());
        frontEnd(1, MAC1);
        frontEnd(2, MAC1);
        assertEquals(List.of(1), device(0).pools());
        assertEquals(List.of(0), device(1).pools());
    }

    @Test
    void aCardWithoutFiltersLeftFallsBackToSoftware() {
        card.full = true;
        start(config());
        FrontEnd vm1 = frontEnd(1, MAC1);
        assertTrue(
                log.contains("DATA:(0) its frames are sorted in software: device pooled0:"),
                () -> String.join("\n", log.lines()));
        assertEquals(List.of(0), device(0).pools());
        card.arrive(toGuest(MAC1, 1000, 1));
        assertEquals(1, Frames.seed(vm1.receive(1).get(0)));
    }

    @Test
    void sortingCanBeLeftToSoftware() {
        start(config().vmdq(false));
        assertTrue(log.has("PORT:Port 0: frames are sorted in software"));
        FrontEnd vm1 = frontEnd(1, MAC1);
        // The card has to receive what is for guests, not only for itself.
        assertEquals(List.of("configure 0 pools", "promiscuous true"), List.copyOf(card.calls));
        card.arrive(toGuest(MAC1, 1000, 1));
        assertEquals(1, Frames.seed(vm1.receive(1).get(0)));
        assertEquals(0, sw.stats().uplinks().get(0).pools());
    }

    @Test
    void withFloodingGroupFramesOfDevicesWithoutPoolAreAskedFor() {
        start(config().flood(true));
        frontEnd(1, MAC1);
        frontEnd(2, MAC2);
        FrontEnd vm3 = frontEnd(3, MAC3);
        assertEquals(java.util.Set.of(1002), card.listed);
        card.arrive(toGuest(0xffff_ffff_ffffL, 1002, 4));
        assertEquals(4, Frames.seed(vm3.receive(1).get(0)));
        vm3.device.close();
        Bed.await("no longer asked for", () -> card.listed.isEmpty());
    }

    @Test
    void aCardThatIsPulledOutIsReportedAndTheGuestsGoOn() {
        start(config());
        FrontEnd vm1 = frontEnd(1, MAC1);
        FrontEnd vm2 = frontEnd(2, MAC2);
        card.pulledOut = true;
        Bed.await("failed", () -> sw.stats().uplinks().get(0).failed());
        vm1.send(Frames.frame(MAC2, MAC1, 60, 5));
        assertEquals(5, Frames.seed(vm2.receive(1).get(0)));
        Bed.await(
                "the line",
                () -> log.has("PORT:Port 0 Link Down: uplink pci:test is not used any more"),
                log::lines);
    }

    @Test
    void severalCardsEachGiveAPool() {
        PooledWire second = new PooledWire(2);
        start(config().uplink(UplinkSpec.of("pci:second", domain -> second)));
        FrontEnd vm1 = frontEnd(1, MAC1);
        FrontEnd vm2 = frontEnd(2, MAC2);
        assertEquals(List.of(1, 1), device(0).pools());
        assertEquals(List.of(2, 0), device(1).pools());
        second.arrive(toGuest(MAC1, 1000, 1));
        second.arrive(toGuest(MAC2, 1001, 2));
        assertEquals(1, Frames.seed(vm1.receive(1).get(0)));
        assertEquals(2, Frames.seed(vm2.receive(1).get(0)));
        vm2.send(Frames.frame(STRANGER, MAC2, 60, 3));
        Bed.await("a frame on the second wire", () -> !second.out.isEmpty());
    }
}
