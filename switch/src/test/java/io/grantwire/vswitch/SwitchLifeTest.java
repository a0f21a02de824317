package io.grantwire.vswitch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.vswitch.testkit.Bed;
import io.grantwire.vswitch.testkit.FaultyStore;
import io.grantwire.vswitch.testkit.Frames;
import io.grantwire.vswitch.testkit.FrontEnd;
import io.grantwire.vswitch.testkit.MemoryWire;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Guests, devices and switches that come and go. */
class SwitchLifeTest extends SwitchBed {
    @Test
    void aGuestThatClosesItsDeviceLeavesWithoutAnyoneNoticing() {
        start(config());
        FrontEnd vm1 = frontEnd(1, MAC1);
        FrontEnd vm2 = frontEnd(2, MAC2);
        for (int round = 0; round < 3; round++) {
            vm1.send(Frames.frame(MAC2, MAC1, 60, round));
            assertEquals(1, vm2.receive(1).size());
        }
        vm2.device.close();
        Bed.await("device 1 gone", () -> sw.stats().devices().size() == 1);
        // Whichever the monitor sees first: the start key gone, or the flag byte cleared.
        assertTrue(
                log.contains("XENHOST:#####(2, 0) to be removed: its start key was removed")
                        || log.contains("#####watch_unmap_event:  (2, 0) to be removed"),
                () -> String.join("\n", log.lines()));
        Bed.await("removal", () -> log.has("DATA:#####(1) Device has been removed from data core"));
        Bed.await("guest forgotten", () -> log.has("XENHOST:destroy guest (2)"));
        vm1.send(Frames.frame(MAC2, MAC1, 60, 9));
        assertEquals(1, fromWire(1).size(), "an address nobody has is the wire's");
    }

    @Test
    void anUplinkThatIsUnpluggedIsClosedWhileTheSwitchGoesOn() {
        MemoryWire second = new MemoryWire(true, 1);
        start(config().uplink(UplinkSpec.of("memory2", domain -> second)).rxRetry(Duration.ZERO));
        FrontEnd vm1 = frontEnd(1, MAC1);
        FrontEnd vm2 = frontEnd(2, MAC2);
        wire.gone = true;
        Bed.await("its end", () -> log.has("PORT:Port 0 closed: the kernel may have memory back"));
        assertTrue(
                log.contains("Port 0 Link Down: uplink memory is not used any more"),
                () -> String.join("\n", log.lines()));
        assertTrue(wire.closed);
        assertTrue(sw.stats().uplinks().get(0).failed());
        assertFalse(sw.stats().uplinks().get(1).failed());
        // Device 0 sends through uplink 0, device 1 through uplink 1, and the two to each other.
        for (int i = 0; i < 100; i++) {
            vm1.sendSurely(Frames.frame(STRANGER, MAC1, 60, i));
            vm1.sendSurely(Frames.frame(MAC2, MAC1, 60, i));
            assertEquals(i, Frames.seed(vm2.receive(1).get(0)));
            vm2.sendSurely(Frames.frame(STRANGER, MAC2, 60, i));
            second.in.add(Frames.tagged(Frames.frame(MAC1, STRANGER, 60, i), 1000));
            assertEquals(i, Frames.seed(vm1.receive(1).get(0)));
        }
        Bed.await("the other wire's", () -> second.out.size() == 100);
        assertEquals(0, wire.usedClosed, "a closed device is left alone");
    }

    @Test
    void aNewSwitchGoesOnWhereTheOldOneStopped() {
        start(config());
        FrontEnd vm1 = frontEnd(1, MAC1);
        FrontEnd vm2 = frontEnd(2, MAC2);
        int seed = 0;
        for (int restart = 0; restart < 3; restart++) {
            for (int i = 0; i < 300; i++) {
                vm1.sendSurely(Frames.frame(MAC2, MAC1, 60, seed));
                assertEquals(seed++, Frames.seed(vm2.receive(1).get(0)));
            }
            sw.close();
            assertEquals(0, bed.dom0().mapper().mappedPages());
            MemoryWire next = new MemoryWire(true, 1);
            sw =
                    Switch.start(
                            SwitchConfig.builder()
                                    .uplink(UplinkSpec.of("memory", d -> next))
                                    .build(),
                            bed.dom0());
            Bed.await("both guests", () -> sw.stats().devices().size() == 2);
        }
    }

    @Test
    void severalDevicesOfAGuestShareItsPools() {
        start(config());
        FrontEnd first = frontEnd(1, MAC1);
        var domain = bed.guest(2);
        FrontEnd second = bed.keep(new FrontEnd(domain, 0, MAC2));
        FrontEnd third = bed.keep(new FrontEnd(domain, 1, STRANGER));
        Bed.await("three devices", () -> sw.stats().devices().size() == 3, log::lines);
        first.send(Frames.frame(STRANGER, MAC1, 60, 7));
        assertEquals(7, Frames.seed(third.receive(1).get(0)));
        third.send(Frames.frame(MAC2, STRANGER, 60, 8));
        assertEquals(8, Frames.seed(second.receive(1).get(0)));
        third.close();
        Bed.await("two devices", () -> sw.stats().devices().size() == 2);
        first.send(Frames.frame(MAC2, MAC1, 60, 9));
        assertEquals(9, Frames.seed(second.receive(1).get(0)));
    }

    @Test
    void anotherGuestsDeviceWithTheSameAddressGetsNothingEvenWhenTheFirstIsGone() {
        start(config());
        FrontEnd vm1 = frontEnd(1, MAC1);
        FrontEnd vm2 = frontEnd(2, MAC2);
        FrontEnd thief = frontEnd(3, MAC2);
        assertTrue(log.contains("DATA:(2) WARNING: "), () -> String.join("\n", log.lines()));
        assertFalse(device(2).registered());
        vm1.send(Frames.frame(MAC2, MAC1, 60, 1));
        assertEquals(1, vm2.receive(1).size());
        assertEquals(0, thief.receive().size());
        thief.send(Frames.frame(MAC1, MAC2, 60, 2));
        assertEquals(1, vm1.receive(1).size(), "it is polled all the same");
        vm2.device.close();
        Bed.await("two devices", () -> sw.stats().devices().size() == 2);
        vm1.send(Frames.frame(MAC2, MAC1, 60, 3));
        Bed.await("the third frame on the wire", () -> !wire.out.isEmpty());
        assertEquals(0, thief.receive().size(), "what is meant for the first one's next start");
        assertFalse(device(2).registered());
    }

    @Test
    void anInterruptedCloseStillWaitsForTheWorkersBeforeItUnmaps() {
        start(config());
        frontEnd(1, MAC1);
        Thread.currentThread().interrupt();
        sw.close();
        assertTrue(Thread.interrupted(), "the interrupt is not lost");
        assertTrue(sw.stats().workers().stream().noneMatch(w -> w.running()));
        assertEquals(0, bed.dom0().mapper().mappedPages());
    }

    @Test
    void aGuestWhoseDirectoryCannotBeReadHidesNoOther() {
        bed.keep(new FrontEnd(bed.guest(2), 0, MAC1));
        bed.keep(new FrontEnd(bed.guest(3), 0, MAC2));
        start(config(), new FaultyStore(bed.dom0(), "directory", "/local/domain/2/control/dpdk"));
        awaitDevices(1, 3);
        bed.keep(new FrontEnd(bed.guest(4), 0, STRANGER));
        awaitDevices(2, 4);
    }

    @Test
    void aKeyThatCannotBeReadCostsOnlyItsGuest() {
        start(config(), new FaultyStore(bed.dom0(), "readString", "/local/domain/2/"));
        bed.keep(new FrontEnd(bed.guest(2), 0, MAC1));
        Bed.await("complaint", () -> log.contains(FaultyStore.HINT), log::lines);
        Bed.await("count", () -> sw.stats().rejects().containsKey("key_unreadable"));
        bed.keep(new FrontEnd(bed.guest(3), 0, MAC2));
        awaitDevices(1, 3);
    }

    @Test
    void aGuestThatKeepsStartingItsDeviceAnewIsSlowedDown() {
        start(config());
        frontEnd(1, MAC1);
        var guest = bed.guest(2);
        bed.keep(new FrontEnd(guest, 0, MAC2));
        awaitDevices(2, 2);
        String base = "/local/domain/2/control/dpdk/";
        long begin = System.nanoTime();
        for (int i = 0; System.nanoTime() - begin < 3_000_000_000L; i++) {
            String mac = "02:00:00:00:00:" + (i % 2 == 0 ? "aa" : "bb");
            guest.xenstore().write(base + "0_ether_addr", mac);
            guest.xenstore().write(base + "event_type_start_0", "1");
        }
        long seconds = (System.nanoTime() - begin) / 1_000_000_000L + 1;
        long starts = log.lines().stream().filter(l -> l.contains("(2, 0) is started")).count();
        assertTrue(starts <= 64 + 5 * seconds, starts + " starts in " + seconds + " s");
        // The others do not notice.
        FrontEnd late = frontEnd(3, STRANGER);
        late.send(Frames.frame(0x0200_0000_0077L, STRANGER, 60, 1));
        assertEquals(1, fromWire(1).size());
    }
}
