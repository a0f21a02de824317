package io.grantwire.pmd.driver.virtio;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthLink;
import io.grantwire.pmd.ethdev.EthOffload;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.net.MacAddress;
import io.grantwire.pmd.testkit.Frames;
import io.grantwire.pmd.testkit.NicPort;
import io.grantwire.pmd.testkit.Packets;
import io.grantwire.pmd.testkit.pci.FakeDmaSpace;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How driver and device agree: features, notifications, offloads, commands. */
class VirtioNetProtocolTest extends VirtioNetBed {
    // Negotiation.

    @Test
    void onlyFeaturesThatAreKnownAndWantedAreAccepted() {
        start(ONE);
        long always =
                VirtioFeatures.MTU
                        | VirtioFeatures.MAC
                        | VirtioFeatures.MRG_RXBUF
                        | VirtioFeatures.STATUS
                        | VirtioFeatures.CTRL_VQ
                        | VirtioFeatures.CTRL_RX
                        | VirtioFeatures.CTRL_MAC_ADDR
                        | VirtioFeatures.RING_EVENT_IDX
                        | VirtioFeatures.VERSION_1
                        | VirtioFeatures.ACCESS_PLATFORM
                        | VirtioFeatures.SPEED_DUPLEX;
        assertEquals(always, card.accepted);
        port.device.stop();
        start(
                new EthConfig(2, 2)
                        .withOffloads(
                                EnumSet.of(
                                        EthOffload.RX_CHECKSUM,
                                        EthOffload.TX_TCP_CKSUM,
                                        EthOffload.RX_VLAN_FILTER)));
        assertEquals(
                always
                        | VirtioFeatures.CSUM
                        | VirtioFeatures.GUEST_CSUM
                        | VirtioFeatures.CTRL_VLAN
                        | VirtioFeatures.MQ,
                card.accepted);
        assertEquals(0, VirtioFeatures.choose(VirtioFeatures.CTRL_RX | VirtioFeatures.MQ, ~0L));
    }

    @Test
    void aDeviceThatOffersLittleWorksWithThat() {
        replug(
                FakeDmaSpace.iommu(),
                VirtioFeatures.VERSION_1 | VirtioFeatures.ACCESS_PLATFORM,
                2048);
        assertTrue(port.device.macAddress().isLocallyAdministered(), "it makes one up");
        assertEquals(1, port.device.info().maxRxQueues());
        assertEquals(
                Set.of(
                        EthOffload.RX_VLAN_STRIP,
                        EthOffload.TX_VLAN_INSERT,
                        EthOffload.TX_IPV4_CKSUM,
                        EthOffload.TX_MULTI_SEGS),
                port.device.capabilities().offloads());
        refused("ENOTSUP", "command", () -> port.device.setPromiscuous(true));
        refused("ENOTSUP", "command", () -> port.device.setAllMulticast(true));
        port.start(ONE);
        assertEquals(new EthLink(true, 0, true), port.device.link());
        byte[] frame = Frames.bytes(1514, 1);
        assertTrue(card.arrive(frame));
        assertArrayEquals(frame, port.receive(0).get(0));
        port.send(frame);
        assertArrayEquals(frame, card.take().get(0));
    }

    @Test
    void aDeviceThatGoesPastTheIommuIsRefused() {
        FakeVirtioNet bad = new FakeVirtioNet(dma);
        bad.offered &= ~VirtioFeatures.ACCESS_PLATFORM;
        refused("ENOTSUP", "iommu_platform=on", () -> new VirtioNetDevice("pci:x", bad));
        FakeVirtioNet physical = new FakeVirtioNet(FakeDmaSpace.scatteredPages());
        physical.offered &= ~VirtioFeatures.ACCESS_PLATFORM;
        new VirtioNetDevice("pci:x", physical).close();
    }

    @Test
    void devicesThatCannotBeDrivenAreRefused() {
        probeFails("ENOTSUP", "legacy", c -> c.offered &= ~VirtioFeatures.VERSION_1);
        probeFails("ENOTSUP", "no common", c -> c.capability(0x60, 0x70, 16, 9, 4, 0, 0x1000));
        probeFails("ENOTSUP", "BAR 4", c -> c.capability(0x60, 0x70, 16, 1, 4, 0x3FFF, 0x1000));
        probeFails("ENOTSUP", "too short", c -> c.capability(0x60, 0x70, 16, 1, 4, 0, 20));
        probeFails("ENOTSUP", "BAR 4", c -> c.capability(0x70, 0x80, 16, 4, 4, -16, 0x1000));
        // Linked in a ring, and without the others.
        probeFails("ENOTSUP", "no ", c -> c.capability(0x40, 0x40, 16, 3, 4, 0x1000, 0x1000));
        probeFails("ENOTSUP", "no ", c -> c.capability(0x40, 0xF8, 16, 3, 4, 0x1000, 0x1000));
        probeFails("ENODEV", "gone", FakeVirtioNet::unplug);
    }

    private void probeFails(String errno, String hint, Consumer<FakeVirtioNet> damage) {
        FakeVirtioNet bad = new FakeVirtioNet(dma);
        damage.accept(bad);
        refused(errno, hint, () -> new VirtioNetDevice("pci:x", bad));
    }

    @Test
    void aDoorbellOutsideItsStructureIsRefused() {
        FakeVirtioNet bad = new FakeVirtioNet(dma);
        bad.capability(0x80, 0x00, 20, 2, 4, 0x3000, 8);
        try (NicPort odd = new NicPort(new VirtioNetDevice("pci:x", bad))) {
            refused("EIO", "doorbell", () -> odd.start(ONE));
            assertTrue(bad.isReset());
        }
    }

    @Test
    void aDeviceThatTakesNoFeaturesIsRefused() {
        card.refusesFeatures = true;
        refused("EIO", "features", () -> port.start(ONE));
        assertTrue(card.isReset());
        card.refusesFeatures = false;
        port.start(ONE);
    }

    @Test
    void aDeviceThatAnswersNoCommandIsRefused() {
        card.silent = true;
        refused("EIO", "does not answer", () -> port.start(ONE));
        assertEquals(0, port.pool.inUse());
    }

    // Notifications.

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aDeviceThatLooksByItselfIsNotNotified(boolean eventIdx) {
        replug(
                FakeDmaSpace.iommu(),
                eventIdx
                        ? FakeVirtioNet.EVERYTHING
                        : FakeVirtioNet.EVERYTHING & ~VirtioFeatures.RING_EVENT_IDX,
                2048);
        start(ONE);
        card.wantsKicks = false;
        port.send(Frames.bytes(60, 1));
        int before = card.doorbells;
        int[] burst = new int[32];
        for (int i = 0; i < 3; i++) {
            for (int k = 0; k < burst.length; k++) {
                burst[k] = port.mbuf(Frames.bytes(60, k));
            }
            assertEquals(32, port.device.txBurst(0, burst, 0, 32));
        }
        assertEquals(before, card.doorbells);
        card.poll(0);
        assertEquals(1 + 96, card.take().size());
        card.wantsKicks = true;
        card.poll(0);
        port.send(Frames.bytes(60, 1));
        assertEquals(before + 1, card.doorbells);
        assertEquals(1, card.take().size());
    }

    @Test
    void aBurstIsOneNotification() {
        start(ONE);
        int before = card.doorbells;
        int[] burst = new int[32];
        for (int k = 0; k < burst.length; k++) {
            burst[k] = port.mbuf(Frames.bytes(60, k));
        }
        assertEquals(32, port.device.txBurst(0, burst, 0, 32));
        assertEquals(before + 1, card.doorbells);
        assertEquals(1, port.xstat("tx_q0_kicks"));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aThreadCanSleepUntilAFrameComes(boolean eventIdx) throws Exception {
        replug(
                FakeDmaSpace.iommu(),
                eventIdx
                        ? FakeVirtioNet.EVERYTHING
                        : FakeVirtioNet.EVERYTHING & ~VirtioFeatures.RING_EVENT_IDX,
                2048);
        start(ONE);
        assertFalse(port.device.awaitRx(0, Duration.ofMillis(20)));
        Thread sender =
                new Thread(() -> {
                    try {
                        Thread.sleep(50);
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                    card.arrive(Frames.bytes(60, 1));
                });
        sender.start();
        assertTrue(port.device.awaitRx(0, Duration.ofSeconds(20)));
        sender.join();
        assertTrue(port.device.awaitRx(0, Duration.ZERO), "frames that are there already");
        assertEquals(1, port.receive(0).size());
        int before = card.interrupted();
        for (int i = 0; i < 300; i++) {
            card.arrive(Frames.bytes(60, 1));
            assertEquals(1, port.receive(0).size());
        }
        assertEquals(before, card.interrupted(), "no interrupt while nobody waits");
    }

    // Offloads.

    @Test
    void tagsAreInsertedAndStrippedByTheDriver() {
        start(ONE.withOffloads(Set.of(EthOffload.RX_VLAN_STRIP, EthOffload.TX_VLAN_INSERT)));
        byte[] frame = Frames.bytes(100, 1);
        card.arrive(Frames.tagged(frame, 0x6064));
        int m = port.receiveMbufs(0).get(0);
        assertArrayEquals(frame, NicPort.bytes(m));
        assertEquals(Mbuf.RX_VLAN | Mbuf.RX_VLAN_STRIPPED, Mbuf.olFlags(m));
        assertEquals(0x6064, Mbuf.vlanTci(m));
        Mbuf.setOlFlags(m, Mbuf.TX_VLAN);
        Mbuf.setVlanTci(m, 0x07D0);
        Mbuf.retain(m, 1);
        port.send(0, m);
        assertArrayEquals(Frames.tagged(frame, 0x07D0), card.take().get(0));
        assertArrayEquals(frame, NicPort.bytes(m), "the frame itself stays as it is");
        Mbuf.free(m);
        assertEquals(104, port.device.stats().obytes());
        assertEquals(0, port.xstat("tx_q0_copied"));
        port.device.setVlanStrip(false);
        card.arrive(Frames.tagged(frame, 1));
        assertEquals(104, port.receive(0).get(0).length);
    }

    @Test
    void onlyListedVlansAreReceived() {
        start(ONE.withOffloads(Set.of(EthOffload.RX_VLAN_FILTER)));
        port.device.setVlanFilter(100, true);
        byte[] frame = Frames.bytes(60, 1);
        card.arrive(Frames.tagged(frame, 100));
        card.arrive(Frames.tagged(frame, 101));
        card.arrive(frame);
        assertEquals(2, port.receive(0).size());
        port.device.stop();
        port.device.start();
        assertEquals(Set.of(100), card.vlans, "filters survive a restart");
        port.device.setVlanFilter(100, false);
        assertEquals(Set.of(), card.vlans);
    }

    @Test
    void theDeviceFinishesChecksums() {
        start(
                ONE.withOffloads(
                        EnumSet.of(
                                EthOffload.TX_IPV4_CKSUM,
                                EthOffload.TX_TCP_CKSUM,
                                EthOffload.TX_UDP_CKSUM)));
        for (int i = 0; i < 600; i++) {
            boolean tcp = i % 2 == 0;
            boolean asked = i % 3 != 0;
            boolean tagged = i % 5 == 0;
            byte[] whole = Packets.ipv4(tcp, 0x0A00_0001, 1000 + i, 100 + i % 7);
            byte[] plain =
                    asked ? Packets.unfinished(tcp, 0x0A00_0001, 1000 + i, 100 + i % 7) : whole;
            int m = port.mbuf(plain);
            int flags = tagged ? Mbuf.TX_VLAN : 0;
            Mbuf.setVlanTci(m, 7);
            if (asked) {
                Mbuf.setTxHeaders(m, Packets.L2, Packets.L3);
                flags |=
                        Mbuf.TX_IPV4
                                | Mbuf.TX_IP_CKSUM
                                | (tcp ? Mbuf.TX_TCP_CKSUM : Mbuf.TX_UDP_CKSUM);
            }
            Mbuf.setOlFlags(m, flags);
            port.send(0, m);
            assertArrayEquals(
                    tagged ? Frames.tagged(whole, 7) : whole, card.take().get(0), "frame " + i);
        }
    }

    @Test
    void unfinishedChecksumsOfReceivedFramesAreFinished() {
        start(JUMBO.withOffloads(EnumSet.of(EthOffload.RX_CHECKSUM, EthOffload.RX_SCATTER)));
        for (int payload : new int[] {1, 100, 2001, 2002, 8001}) {
            for (boolean tcp : new boolean[] {true, false}) {
                byte[] whole = Packets.ipv4(tcp, 9, 9, payload);
                byte[] unfinished = whole.clone();
                pseudoHeader(unfinished, tcp);
                card.headerFlags = 1;
                card.sumStart = 34;
                card.sumOffset = tcp ? 16 : 6;
                card.arrive(unfinished);
                int m = port.receiveMbufs(0).get(0);
                assertArrayEquals(whole, NicPort.bytes(m), "payload " + payload);
                assertEquals(Mbuf.RX_L4_CKSUM_GOOD, Mbuf.olFlags(m));
                Mbuf.free(m);
            }
        }
        card.headerFlags = 2;
        card.arrive(Frames.bytes(60, 1));
        int m = port.receiveMbufs(0).get(0);
        assertEquals(Mbuf.RX_L4_CKSUM_GOOD, Mbuf.olFlags(m));
        Mbuf.free(m);
        // A checksum outside the frame.
        card.headerFlags = 1;
        card.sumStart = 50;
        card.sumOffset = 9;
        card.arrive(Frames.bytes(60, 1));
        card.sumStart = 0xFFFF;
        card.sumOffset = 0xFFFF;
        card.arrive(Frames.bytes(60, 1));
        assertEquals(0, port.receive(0).size());
        assertEquals(2, port.device.stats().ierrors());
    }

    /** Puts the pseudo header's sum in the checksum's place, as a sender's kernel does. */
    private static void pseudoHeader(byte[] frame, boolean tcp) {
        long sum = (tcp ? 6 : 17) + frame.length - 34;
        for (int i = 26; i < 34; i += 2) {
            sum += (frame[i] & 0xFF) << 8 | frame[i + 1] & 0xFF;
        }
        while (sum > 0xFFFF) {
            sum = (sum & 0xFFFF) + (sum >>> 16);
        }
        int at = Packets.checksumAt(tcp);
        frame[at] = (byte) (sum >>> 8);
        frame[at + 1] = (byte) sum;
    }

    // Several queues and filters.

    @Test
    void queuePairsComeThroughTheControlQueue() {
        port.start(new EthConfig(3, 3));
        port.device.setPromiscuous(true);
        assertEquals(3, card.pairs);
        for (int q = 0; q < 3; q++) {
            card.rxQueue = q;
            byte[] frame = Frames.bytes(60 + q, q);
            card.arrive(frame);
            assertArrayEquals(frame, port.receive(q).get(0));
            port.send(q, port.mbuf(frame));
            assertArrayEquals(frame, card.take().get(0));
        }
        port.device.stop();
        refused("EINVAL", "pairs", () -> port.device.configure(new EthConfig(2, 1)));
    }

    @Test
    void framesForOthersAreNotReceivedUnlessAskedFor() {
        port.start(ONE);
        assertFalse(card.promiscuous, "the device is until it is told otherwise");
        MacAddress second = MacAddress.parse("02:00:00:00:00:22");
        port.device.addMacAddress(second);
        port.device.setAllMulticast(true);
        assertEquals(List.of(second), card.table);
        assertTrue(card.allMulticast);
        port.device.stop();
        port.device.start();
        assertEquals(List.of(second), card.table, "filters survive a restart");
        assertTrue(card.allMulticast);
        port.device.removeMacAddress(second);
        port.device.setAllMulticast(false);
        assertEquals(List.of(), card.table);
        assertFalse(card.allMulticast);
        port.device.changeMacAddress(second);
        assertEquals(second, card.address);
        assertEquals(second, port.device.macAddress());
        port.device.setPromiscuous(true);
        assertTrue(card.promiscuous);
        refused("EADDRINUSE", "own", () -> port.device.removeMacAddress(second));
        for (int i = 0; i < VirtioControlQueue.MAX_ADDRESSES; i++) {
            port.device.addMacAddress(new MacAddress(0x0200_0000_1000L + i));
        }
        assertEquals(VirtioControlQueue.MAX_ADDRESSES, card.table.size());
        refused("ENOSPC", "64", () -> port.device.addMacAddress(new MacAddress(0x0200_0000_2000L)));
    }

    @Test
    void theLinkComesAndGoes() {
        port.start(ONE);
        assertEquals(new EthLink(true, 10_000, true), port.device.link());
        card.linkUp = false;
        assertFalse(port.device.link().up());
        card.linkUp = true;
        card.needReset();
        assertFalse(port.device.link().up());
        assertEquals(9000, port.device.info().maxMtu());
    }
}
