package io.grantwire.vswitch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.driver.pcap.PcapReader;
import io.grantwire.pmd.driver.pcap.PcapWriter;
import io.grantwire.vswitch.SwitchConfig.WorkerLcore;
import io.grantwire.vswitch.testkit.Bed;
import io.grantwire.vswitch.testkit.Frames;
import io.grantwire.vswitch.testkit.FrontEnd;
import io.grantwire.xenstore.XenstorePermission;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What passes through the whole switch. */
class SwitchTest extends SwitchBed {
    @Test
    void twoGuestsAndAWireExchangeEveryFrameInOrder() {
        start(config());
        FrontEnd vm1 = frontEnd(1, MAC1);
        FrontEnd vm2 = frontEnd(2, MAC2);
        assertTrue(
                log.has("DATA:(0) MAC_ADDRESS 00:00:00:00:00:11 and VLAN_TAG 1000 registered."),
                () -> String.join("\n", log.lines()));
        assertTrue(log.has("DATA:(1) MAC_ADDRESS 00:00:00:00:00:22 and VLAN_TAG 1001 registered."));
        assertTrue(log.contains("DATA:(0) Device has been added to data core "));
        assertTrue(log.contains("DATA:Procesing on Core "));
        assertTrue(log.has("XENHOST:#####virtio dev (1, 0) is started"));
        assertTrue(log.has("PORT:Max virtio devices supported: 64"));
        assertTrue(log.has("PORT:Port 0 MAC: 02 00 00 00 00 ff"));

        List<byte[]> toVm2 = new ArrayList<>();
        List<byte[]> toWire = new ArrayList<>();
        List<byte[]> toVm1 = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            byte[] a = Frames.frame(MAC2, MAC1, 60 + i % 1455, i);
            byte[] b = Frames.frame(STRANGER, MAC2, 60 + i * 7 % 1455, i);
            byte[] c = Frames.frame(MAC1, STRANGER, 60 + i * 3 % 1455, i);
            toVm2.add(a);
            toWire.add(Frames.tagged(b, 1001));
            toVm1.add(c);
            wire.in.add(Frames.tagged(c, 1000));
        }
        List<byte[]> got1 = new ArrayList<>();
        List<byte[]> got2 = new ArrayList<>();
        int[] sent = new int[2];
        Bed.await(
                "all frames",
                () -> {
                    for (int i = 0; i < 32; i++) {
                        if (sent[0] < 1000 && vm1.send(toVm2.get(sent[0]))) {
                            sent[0]++;
                        }
                        byte[] bare =
                                sent[1] < 1000
                                        ? Frames.frame(
                                                STRANGER, MAC2, 60 + sent[1] * 7 % 1455, sent[1])
                                        : null;
                        if (bare != null && vm2.send(bare)) {
                            sent[1]++;
                        }
                    }
                    got1.addAll(vm1.receive());
                    got2.addAll(vm2.receive());
                    return got1.size() >= 1000 && got2.size() >= 1000 && wire.out.size() >= 1000;
                },
                () -> got1.size() + ", " + got2.size() + ", " + wire.out.size());
        assertFrames(toVm2, got2);
        assertFrames(toVm1, got1);
        assertFrames(toWire, new ArrayList<>(wire.out));

        SwitchStats stats = sw.stats();
        assertEquals(1000, device(0).tx().successful());
        assertEquals(toVm2.stream().mapToLong(f -> f.length).sum(), device(0).tx().bytes());
        assertEquals(1000, device(0).rx().successful());
        assertEquals(1000, device(1).rx().total());
        assertEquals(1000, stats.uplinks().get(0).toWire().successful());
        assertEquals(0, device(0).tx().dropped() + device(1).rx().dropped());
        String screen = StatsScreen.render(stats);
        assertTrue(
                screen.startsWith(
                        "\u001b[2J\u001b[1;1H\nDevice statistics"
                                + " ====================================\nStatistics for device 0"
                                + " ------------------------------\nTX total: \t\t1000\nTX dropped:"
                                + " \t\t0\nTX successful: \t1000\nRX total: \t\t1000\nRX dropped:"
                                + " \t\t0\nRX successful: \t1000\n"),
                screen);
        assertTrue(
                screen.endsWith("\n======================================================\n"),
                screen);
    }

    @Test
    void aGuestThatMayNotWriteToItsControlDirectoryIsServedThroughData() {
        start(config());
        FrontEnd prepared = frontEnd(2, MAC2);
        Domain guest = bed.guest(1);
        // As libxl leaves a guest whose directory domain 0 has not prepared.
        bed.dom0().xenstore().rm("/local/domain/1/control/dpdk");
        bed.dom0()
                .xenstore()
                .setPermissions(
                        "/local/domain/1/control",
                        List.of(XenstorePermission.parse("n0"), XenstorePermission.parse("r1")));
        FrontEnd unprepared = bed.keep(new FrontEnd(guest, 0, MAC1));
        awaitDevices(2, 1);
        assertTrue(
                log.contains("/local/domain/1/control/dpdk: EACCES; the keys go to"),
                () -> String.join("\n", log.lines()));
        assertTrue(bed.dom0().xenstore().exists("/local/domain/1/data/dpdk/event_type_start_0"));
        byte[] there = Frames.frame(MAC1, MAC2, 60, 1);
        byte[] back = Frames.frame(MAC2, MAC1, 60, 2);
        prepared.sendSurely(there);
        unprepared.sendSurely(back);
        assertFrames(List.of(there), unprepared.receive(1));
        assertFrames(List.of(back), prepared.receive(1));
    }

    @Test
    void withoutVm2vmEverythingLeaves() {
        start(config().vm2vm(false));
        FrontEnd vm1 = frontEnd(1, MAC1);
        FrontEnd vm2 = frontEnd(2, MAC2);
        byte[] f = Frames.frame(MAC2, MAC1, 60, 1);
        vm1.send(f);
        assertFrames(List.of(Frames.tagged(f, 1000)), fromWire(1));
        assertEquals(0, vm2.receive().size());
    }

    @Test
    void aStrangersFramesReachNobodyAndAreCounted() {
        start(config());
        FrontEnd vm1 = frontEnd(1, MAC1);
        wire.in.add(Frames.tagged(Frames.frame(STRANGER, MAC2, 60, 1), 1000));
        wire.in.add(Frames.tagged(Frames.frame(MAC1, MAC2, 60, 1), 1001));
        wire.in.add(Frames.frame(MAC1, MAC2, 60, 1));
        byte[] good = Frames.frame(MAC1, MAC2, 60, 9);
        wire.in.add(Frames.tagged(good, 1000));
        assertFrames(List.of(good), vm1.receive(1));
        DirectionStats from = sw.stats().uplinks().get(0).fromWire();
        assertEquals(1, from.drops().get("unknown_mac"));
        assertEquals(1, from.drops().get("vlan_mismatch"));
        assertEquals(1, from.drops().get("untagged"));
        assertEquals(4, from.total());
    }

    @Test
    void aSlowReaderLosesNothing() {
        start(config());
        FrontEnd vm1 = frontEnd(1, MAC1);
        FrontEnd vm2 = frontEnd(2, MAC2);
        int sent = 0;
        int got = 0;
        long idle = 0;
        while (got < 2000) {
            for (int i = 0; i < 64 && sent < 2000; i++) {
                if (vm1.send(Frames.frame(MAC2, MAC1, 60, sent))) {
                    sent++;
                }
            }
            if (idle++ % 50 == 0) {
                for (byte[] f : vm2.receive()) {
                    assertEquals(got++, Frames.seed(f));
                }
            } else {
                Thread.onSpinWait();
            }
        }
        assertEquals(0, device(0).tx().dropped());
        assertEquals(0, device(1).rx().dropped());
    }

    @Test
    void twoWorkersShareTheGuests() {
        start(config().lcores(List.of(WorkerLcore.ANY, WorkerLcore.ANY)));
        FrontEnd vm1 = frontEnd(1, MAC1);
        FrontEnd vm2 = frontEnd(2, MAC2);
        assertTrue(device(0).lcore() != device(1).lcore());
        List<byte[]> expected = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            expected.add(Frames.frame(MAC2, MAC1, 60 + i, i));
            wire.in.add(Frames.tagged(Frames.frame(MAC1, STRANGER, 60, i), 1000));
        }
        List<byte[]> got = new ArrayList<>();
        List<byte[]> back = new ArrayList<>();
        int[] sent = new int[1];
        Bed.await(
                "frames across workers",
                () -> {
                    while (sent[0] < 500 && vm1.send(expected.get(sent[0]))) {
                        sent[0]++;
                    }
                    got.addAll(vm2.receive());
                    back.addAll(vm1.receive());
                    return got.size() >= 500 && back.size() >= 500;
                },
                () -> got.size() + ", " + back.size() + " " + sw.stats());
        assertFrames(expected, got);
        byte[] f = Frames.frame(STRANGER, MAC2, 60, 3);
        vm2.send(f);
        assertFrames(List.of(Frames.tagged(f, 1001)), fromWire(1));
    }

    @Test
    void theUplinkIsReadWhenEnoughDevicesAreThere() {
        byte[] f = Frames.frame(MAC1, STRANGER, 60, 5);
        wire.in.add(Frames.tagged(f, 1000));
        start(config().uplinkAfterDevices(2).flagPoll(Duration.ofMillis(2)));
        FrontEnd vm1 = frontEnd(1, MAC1);
        assertEquals(1, wire.in.size());
        frontEnd(2, MAC2);
        assertFrames(List.of(f), vm1.receive(1));
    }

    @Test
    void captureFilesCanBeTheWire() throws Exception {
        Path in = bed.dir().resolve("in.pcap");
        Path out = bed.dir().resolve("out.pcap");
        List<byte[]> expected = new ArrayList<>();
        List<byte[]> echoes = new ArrayList<>();
        try (PcapWriter writer = PcapWriter.create(in, false);
                Arena arena = Arena.ofConfined()) {
            for (int i = 0; i < 3000; i++) {
                byte[] f = Frames.frame(MAC1, STRANGER, 60 + i % 1400, i);
                byte[] tagged = Frames.tagged(f, 1000);
                MemorySegment s = arena.allocateFrom(ValueLayout.JAVA_BYTE, tagged);
                assertTrue(writer.write(s, 0, tagged.length, 0));
                expected.add(f);
                echoes.add(Frames.tagged(Frames.frame(STRANGER, MAC1, f.length, i), 1000));
            }
        }
        sw =
                Switch.start(
                        SwitchConfig.builder()
                                .uplink(UplinkSpec.parse("pcap:in=" + in + ",out=" + out))
                                .uplinkAfterDevices(1)
                                .build(),
                        bed.dom0());
        FrontEnd vm1 = frontEnd(1, MAC1);
        for (int done = 0; done < expected.size(); ) {
            for (byte[] got : vm1.receive(1)) {
                assertArrayEquals(expected.get(done++), got);
                vm1.sendSurely(Frames.frame(STRANGER, MAC1, got.length, Frames.seed(got)));
            }
        }
        Bed.await(
                "all echoes",
                () -> sw.stats().uplinks().get(0).toWire().successful() == echoes.size());
        sw.close();
        List<byte[]> captured = new ArrayList<>();
        try (PcapReader reader = PcapReader.open(out)) {
            while (reader.next()) {
                captured.add(
                        reader.segment()
                                .asSlice(reader.offset(), reader.capturedLength())
                                .toArray(ValueLayout.JAVA_BYTE));
            }
        }
        assertFrames(echoes, captured);
    }

    @Test
    void anotherGuestCanBeTheWire() {
        wire.close();
        sw =
                Switch.start(
                        SwitchConfig.builder().uplink(UplinkSpec.parse("xenvirt:9")).build(),
                        bed.dom0());
        FrontEnd vm1 = frontEnd(1, MAC1);
        FrontEnd far = bed.keep(new FrontEnd(bed.guest(9), 0, STRANGER));
        byte[] out = Frames.frame(STRANGER, MAC1, 700, 1);
        vm1.send(out);
        assertFrames(List.of(Frames.tagged(out, 1000)), far.receive(1));
        byte[] in = Frames.frame(MAC1, STRANGER, 800, 2);
        far.send(Frames.tagged(in, 1000));
        assertFrames(List.of(in), vm1.receive(1));
        assertEquals(1, sw.stats().devices().size(), "the wire is no guest");
        assertEquals("net_vhost_xen", sw.stats().uplinks().get(0).driver());
        far.close();
        FrontEnd again = bed.keep(new FrontEnd(bed.guest(10), 0, MAC2));
        Bed.await("the other guest", () -> sw.stats().devices().size() == 2);
        vm1.send(Frames.frame(MAC2, MAC1, 60, 3));
        assertEquals(1, again.receive(1).size());
    }
}
