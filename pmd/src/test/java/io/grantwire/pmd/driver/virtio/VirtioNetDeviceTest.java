package io.grantwire.pmd.driver.virtio;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDeviceException;
import io.grantwire.pmd.ethdev.EthLink;
import io.grantwire.pmd.ethdev.EthOffload;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import io.grantwire.pmd.net.MacAddress;
import io.grantwire.pmd.testkit.Frames;
import io.grantwire.pmd.testkit.NicPort;
import io.grantwire.pmd.testkit.Packets;
import io.grantwire.pmd.testkit.pci.FakeDmaSpace;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the driver does with the device's features, and with devices that break the rules. */
class VirtioNetDeviceTest {
    private static final EthConfig ONE = EthConfig.SINGLE_QUEUE;
    private static final EthConfig JUMBO =
            ONE.withMtu(9000).withOffloads(Set.of(EthOffload.RX_SCATTER));
    private static final int HEADER = 12;

    private FakeDmaSpace dma;
    private FakeVirtioNet card;
    private NicPort port;

    @BeforeEach
    void plugIn() {
        dma = FakeDmaSpace.iommu();
        plugIn(FakeVirtioNet.EVERYTHING, Mempool.DEFAULT_DATA_ROOM);
    }

    private void plugIn(long offered, int dataRoom) {
        card = new FakeVirtioNet(dma);
        card.offered = offered;
        port = new NicPort(new VirtioNetDevice("pci:0000:00:04.0", card), dataRoom);
    }

    /** Another device in place of the first one. */
    private void replug(FakeDmaSpace space, long offered, int dataRoom) {
        port.close();
        dma = space;
        plugIn(offered, dataRoom);
    }

    @AfterEach
    void nothingIsLeft() {
        port.close();
        assertTrue(card.isClosed());
        assertEquals(0, dma.mappings(), "mappings left");
        assertEquals(0, dma.faults(), "DMA faults");
    }

    private void start(EthConfig config) {
        port.start(config);
        port.device.setPromiscuous(true);
    }

    private static void refused(String errno, String hint, Runnable call) {
        EthDeviceException e = assertThrows(EthDeviceException.class, call::run);
        assertTrue(e.getMessage().contains(errno), e.getMessage());
        assertTrue(e.getMessage().contains(hint), e.getMessage());
    }

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

    // Frames.

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void ringsWrapManyTimesAndFramesStayInOrder(boolean eventIdx) {
        replug(
                FakeDmaSpace.iommu(),
                eventIdx
                        ? FakeVirtioNet.EVERYTHING
                        : FakeVirtioNet.EVERYTHING & ~VirtioFeatures.RING_EVENT_IDX,
                2048);
        port.start(ONE, 64);
        port.device.setPromiscuous(true);
        // More than 65536 / 64 times round the transmit ring, so that the indices wrap as well.
        byte[] small = Frames.bytes(60, 0);
        for (int i = 0; i < 70_000; i++) {
            byte[] frame = i % 100 == 0 ? Frames.bytes(60 + i % 1400, i) : small;
            assertTrue(card.arrive(frame));
            List<byte[]> in = port.receive(0);
            assertEquals(1, in.size());
            assertArrayEquals(frame, in.get(0));
            port.send(frame);
            assertArrayEquals(frame, card.take().get(0));
        }
        assertEquals(70_000, port.device.stats().opackets());
        assertEquals(70_000, port.device.stats().ipackets());
    }

    @Test
    void jumboFramesTakeSeveralBuffers() {
        start(JUMBO);
        for (int size : new int[] {60, 2047, 2048, 2049, 4108, 4109, 9014, 9018}) {
            byte[] frame = Frames.bytes(size, size);
            assertTrue(card.arrive(frame));
            List<Integer> in = port.receiveMbufs(0);
            assertEquals(1, in.size(), "size " + size);
            assertArrayEquals(frame, NicPort.bytes(in.get(0)));
            port.send(0, in.get(0));
            assertArrayEquals(frame, card.take().get(0));
        }
        assertEquals(0, port.xstat("tx_q0_copied"));
    }

    @Test
    void aFrameComesWholeThoughItsBuffersComeOneByOne() {
        start(JUMBO);
        card.numBuffers = 2;
        card.arrive(Frames.bytes(100, 1));
        assertEquals(0, port.receive(0).size());
        card.use(0, 50);
        assertEquals(150, port.receive(0).get(0).length);
    }

    @Test
    void longFramesNeedMergeableBuffersOrLargeMbufs() {
        refused("EINVAL", "RX_SCATTER", () -> port.start(ONE.withMtu(4000)));
        replug(FakeDmaSpace.iommu(), FakeVirtioNet.EVERYTHING & ~VirtioFeatures.MRG_RXBUF, 10_000);
        start(ONE.withMtu(9000));
        byte[] frame = Frames.bytes(9014, 1);
        card.arrive(frame);
        assertArrayEquals(frame, port.receive(0).get(0));
    }

    @Test
    void whereOnlyAPageIsInOnePieceRingsAndBuffersFitPages() {
        replug(FakeDmaSpace.scatteredPages(), FakeVirtioNet.EVERYTHING, 1920);
        assertEquals(256, port.device.info().maxRxDesc());
        start(JUMBO);
        try (Mempool foreign = Mempool.create(MempoolConfig.of("foreign", 64))) {
            for (int i = 0; i < 600; i++) {
                byte[] frame = Frames.bytes(60 + i * 14, i);
                assertTrue(card.arrive(frame));
                assertArrayEquals(frame, port.receive(0).get(0));
                port.send(0, NicPort.mbuf(foreign, frame));
                assertArrayEquals(frame, card.take().get(0));
            }
        }
        assertEquals(600, port.xstat("tx_q0_copied"));
    }

    @Test
    void framesTooLongOrTooShortAreErrors() {
        start(ONE);
        port.send(Frames.bytes(1519, 1));
        port.send(0, port.mbuf(new byte[13]));
        assertEquals(2, port.device.stats().oerrors());
        assertEquals(0, card.take().size());
        card.arrive(Frames.bytes(1519, 1));
        assertEquals(0, port.receive(0).size());
        assertEquals(1, port.device.stats().ierrors());
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

    // Life and death.

    @Test
    void fiftyRestartsLeaveNothingBehind() {
        for (int i = 0; i < 50; i++) {
            port.start(new EthConfig(1 + i % 3, 1 + i % 3), 64 << i % 3);
            port.device.setPromiscuous(true);
            for (int k = 0; k < 5; k++) {
                assertTrue(card.arrive(Frames.bytes(60, k)));
            }
            port.send(Frames.bytes(60, i));
            int mappings = dma.mappings();
            port.device.stop();
            assertEquals(mappings - 1, dma.mappings());
            assertEquals(0, port.pool.inUse(), "round " + i);
            assertTrue(card.isReset());
        }
    }

    @Test
    void aDeviceThatBreaksTheRingsRulesLosesThatQueue() {
        hostile("USED_INDEX", () -> card.jump(0, 1000));
        hostile("USED_ID", () -> card.claim(0, 256, 60));
        hostile("USED_ID", () -> card.claim(0, -1, 60));
        hostile(
                "NOT_OUTSTANDING",
                () -> {
                    int head = card.peekHead(0);
                    card.use(0, 60 + HEADER);
                    card.claim(0, head, 60 + HEADER);
                });
        hostile("USED_LENGTH", () -> card.use(0, 2048 + HEADER + 1));
        hostile("USED_LENGTH", () -> card.use(0, -1));
        hostile("USED_INDEX", () -> card.jump(1, 1));
    }

    private void hostile(String fault, Runnable attack) {
        start(ONE);
        attack.run();
        port.receive(0);
        int[] one = {port.mbuf(Frames.bytes(60, 1))};
        if (port.device.txBurst(0, one, 0, 1) == 0) {
            Mbuf.free(one[0]);
        }
        assertEquals(1, port.xstat("ring_faults"), fault);
        assertFalse(port.device.link().up());
        assertEquals(0, port.receive(0).size());
        port.device.stop();
        assertEquals(0, port.pool.inUse());
        port.device.start();
        assertTrue(port.device.link().up(), "a restart makes a new start");
        port.device.stop();
    }

    @Test
    void hostileHeadersCostTheirFrameOnly() {
        start(JUMBO);
        for (int lie : new int[] {0, 257, 0xFFFF}) {
            card.numBuffers = lie;
            card.arrive(Frames.bytes(60, 1));
            assertEquals(0, port.receive(0).size(), "num_buffers " + lie);
        }
        card.numBuffers = -1;
        card.use(0, 0);
        card.use(0, HEADER);
        card.use(0, HEADER - 1);
        assertEquals(0, port.receive(0).size());
        assertEquals(6, port.device.stats().ierrors());
        // A frame that says to go on for longer than any frame may.
        card.numBuffers = 200;
        card.arrive(Frames.bytes(60, 1));
        for (int i = 0; i < 199; i++) {
            card.use(0, 2000);
            assertEquals(0, port.receive(0).size());
        }
        assertEquals(7, port.device.stats().ierrors());
        card.numBuffers = -1;
        byte[] good = Frames.bytes(60, 1);
        card.arrive(good);
        assertArrayEquals(good, port.receive(0).get(0));
    }

    @Test
    void aCardThatIsPulledOutTakesThePortDown() {
        start(ONE);
        card.unplug();
        port.send(Frames.bytes(60, 1));
        assertFalse(port.device.link().up());
        gone();
    }

    @Test
    void aCardWhoseRegistersFaultTakesThePortDown() {
        start(ONE);
        card.unplugWithFaults();
        port.send(Frames.bytes(60, 1));
        gone();
    }

    private void gone() {
        int m = port.mbuf(Frames.bytes(60, 1));
        assertEquals(0, port.device.txBurst(0, new int[] {m}, 0, 1));
        Mbuf.free(m);
        assertEquals(0, port.receive(0).size());
        assertFalse(port.device.link().up());
        refused("ENODEV", "gone", () -> port.device.awaitRx(0, Duration.ofMillis(1)));
        refused("ENODEV", "gone", () -> port.device.setAllMulticast(true));
        port.device.stop();
        refused("ENODEV", "gone", port.device::start);
    }

    @Test
    void aFrameInManyPiecesIsCopied() {
        start(ONE);
        byte[] frame = Frames.bytes(40 * 20, 5);
        int head = 0;
        for (int i = 0; i < 40; i++) {
            int m = port.mbuf(Arrays.copyOfRange(frame, 20 * i, 20 * i + 20));
            if (head == 0) {
                head = m;
            } else {
                Mbuf.chain(head, m);
            }
        }
        port.send(0, head);
        assertArrayEquals(frame, card.take().get(0));
        assertEquals(1, port.xstat("tx_q0_copied"));
    }
}
