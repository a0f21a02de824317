package io.grantwire.pmd.driver.e1000e;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthLink;
import io.grantwire.pmd.ethdev.EthOffload;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import io.grantwire.pmd.net.MacAddress;
import io.grantwire.pmd.testkit.Frames;
import io.grantwire.pmd.testkit.NicPort;
import io.grantwire.pmd.testkit.pci.FakeDmaSpace;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What the driver does with the card's features, seen at a model of the card. */
class E1000eDeviceTest extends E1000eBed {
    // Frames.

    @Test
    void ringsWrapManyTimesAndFramesStayInOrder() {
        port.start(ONE, 64);
        port.device.setPromiscuous(true);
        for (int i = 0; i < 1000; i++) {
            byte[] frame = Frames.bytes(60 + i % 1400, i);
            assertTrue(card.arrive(frame), "frame " + i);
            List<byte[]> in = port.receive(0);
            assertEquals(1, in.size());
            assertArrayEquals(frame, in.get(0));
            port.send(frame);
            assertArrayEquals(frame, card.take().get(0));
        }
        assertEquals(1000, port.xstat("rx_hw_good_packets"));
        assertEquals(1000, port.xstat("tx_hw_good_packets"));
        assertEquals(1000, port.device.stats().ipackets());
    }

    @Test
    void jumboFramesTakeSeveralDescriptors() {
        start(JUMBO);
        for (int size : new int[] {60, 2047, 2048, 2049, 4096, 9014, 9018}) {
            byte[] frame = Frames.bytes(size, size);
            assertTrue(card.arrive(frame));
            List<Integer> in = port.receiveMbufs(0);
            assertEquals(1, in.size());
            assertEquals((size + 2047) / 2048, Mbuf.nbSegs(in.get(0)));
            assertArrayEquals(frame, NicPort.bytes(in.get(0)));
            port.send(0, in.get(0));
            assertArrayEquals(frame, card.take().get(0), "size " + size);
        }
        assertEquals(0, port.xstat("tx_q0_copied"));
    }

    @Test
    void aFrameComesWholeThoughItsDescriptorsComeOneByOne() {
        start(JUMBO);
        card.writeBack(0, 0, 2048L << 32 | E1000eDescriptors.RX_DD);
        assertEquals(0, port.receive(0).size());
        card.writeBack(0, 0, 100L << 32 | E1000eDescriptors.RX_DD | E1000eDescriptors.RX_EOP);
        assertEquals(2148, port.receive(0).get(0).length);
    }

    @Test
    void longFramesNeedScatterOrLargeMbufs() {
        refused("EINVAL", "RX_SCATTER", () -> port.start(ONE.withMtu(4000)));
        try (NicPort large =
                new NicPort(new E1000eDevice("pci:0000:00:05.0", new FakeE1000e(dma)), 16_384)) {
            large.start(ONE.withMtu(9000));
        }
    }

    @Test
    void framesTooLongOrTooShortToSendAreErrors() {
        start(ONE);
        port.send(Frames.bytes(1519, 1));
        port.send(0, port.mbuf(new byte[13]));
        assertEquals(2, port.device.stats().oerrors());
        assertEquals(0, card.take().size());
        port.send(Frames.bytes(1518, 1));
        assertEquals(1, card.take().size());
    }

    @Test
    void framesInForeignMemoryAreCopied() {
        plugInScattered();
        start(ONE.withMtu(1500).withOffloads(Set.of(EthOffload.RX_SCATTER)));
        try (Mempool foreign = Mempool.create(MempoolConfig.of("foreign", 64))) {
            byte[] frame = Frames.bytes(1500, 3);
            port.send(0, NicPort.mbuf(foreign, frame));
            assertEquals(0, foreign.inUse(), "the original is free at once");
            assertArrayEquals(frame, card.take().get(0));
            assertEquals(1, port.xstat("tx_q0_copied"));
        }
    }

    private void plugInScattered() {
        port.close();
        dma = FakeDmaSpace.scatteredPages();
        card = new FakeE1000e(dma);
        port = new NicPort(new E1000eDevice("pci:0000:00:04.0", card), 1920);
    }

    @Test
    void whereOnlyAPageIsInOnePieceRingsAndBuffersFitPages() {
        plugInScattered();
        assertEquals(256, port.device.info().maxRxDesc());
        start(JUMBO);
        for (int i = 0; i < 600; i++) {
            byte[] frame = Frames.bytes(60 + i * 14, i);
            assertTrue(card.arrive(frame));
            assertArrayEquals(frame, port.receive(0).get(0));
            port.send(frame);
            assertArrayEquals(frame, card.take().get(0));
        }
    }

    @Test
    void aFrameInManyPiecesIsCopied() {
        start(JUMBO);
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

    @Test
    void theCardReportsBurstsNotFrames() {
        port.start(ONE, 512);
        int[] burst = new int[64];
        for (int i = 0; i < burst.length; i++) {
            burst[i] = port.mbuf(Frames.bytes(60, i));
        }
        assertEquals(64, port.device.txBurst(0, burst, 0, 64));
        assertEquals(64, card.dataDescriptors);
        assertEquals(2, card.reports);
        int before = port.pool.inUse();
        assertEquals(0, port.device.txBurst(0, burst, 0, 0));
        assertEquals(before - 64, port.pool.inUse(), "the next burst takes them back");
    }

    // Filters and link.

    @Test
    void framesForOthersAreNotReceivedUnlessAskedFor() {
        port.start(ONE);
        MacAddress second = MacAddress.parse("02:00:00:00:00:22");
        byte[] own = to(FakeE1000e.ADDRESS);
        byte[] other = to(second);
        byte[] group = to(MacAddress.parse("01:00:5e:00:00:01"));
        assertEquals(FakeE1000e.ADDRESS, port.device.macAddress());
        assertEquals("1001", received(own, other, group, to(MacAddress.BROADCAST)));
        port.device.addMacAddress(second);
        port.device.setAllMulticast(true);
        assertEquals("111", received(own, other, group));
        port.device.stop();
        port.device.start();
        assertEquals("111", received(own, other, group), "filters survive a restart");
        port.device.removeMacAddress(second);
        port.device.setAllMulticast(false);
        assertEquals("100", received(own, other, group));
        port.device.changeMacAddress(second);
        assertEquals("010", received(own, other, group));
        port.device.setPromiscuous(true);
        assertEquals("111", received(own, other, group));
        refused("EADDRINUSE", "own", () -> port.device.removeMacAddress(second));
        refused("ENOENT", "added", () -> port.device.removeMacAddress(FakeE1000e.ADDRESS));
        refused("EINVAL", "station", () -> port.device.addMacAddress(MacAddress.BROADCAST));
        for (int i = 1; i < 16; i++) {
            port.device.addMacAddress(new MacAddress(0x0200_0000_1000L + i));
        }
        refused("ENOSPC", "16", () -> port.device.addMacAddress(new MacAddress(0x0200_0000_2000L)));
    }

    private static byte[] to(MacAddress address) {
        byte[] frame = Frames.bytes(60, 1);
        System.arraycopy(address.bytes(), 0, frame, 0, 6);
        return frame;
    }

    private String received(byte[]... frames) {
        StringBuilder out = new StringBuilder();
        for (byte[] frame : frames) {
            card.arrive(frame);
            out.append(port.receive(0).size());
        }
        return out.toString();
    }

    @Test
    void theLinkComesAndGoes() {
        card.cable = false;
        port.start(ONE);
        assertEquals(new EthLink(false, 0, true), port.device.link());
        card.cable = true;
        assertEquals(new EthLink(true, 1000, true), port.device.link());
        port.device.setLinkUp(false);
        assertFalse(port.device.link().up());
        port.device.setLinkUp(true);
        assertTrue(port.device.link().up());
        port.device.stop();
        assertFalse(port.device.link().up());
    }

    @Test
    void theCardsCountersAreAddedUpAcrossRestarts() {
        port.start(ONE, 64);
        port.device.setPromiscuous(true);
        for (int i = 0; i < 70; i++) {
            card.arrive(Frames.bytes(100, i));
        }
        card.arriveDamaged();
        assertEquals(63, port.receive(0).size());
        assertEquals(7, port.device.stats().imissed());
        assertEquals(1, port.device.stats().ierrors());
        port.device.stop();
        port.device.start();
        port.device.setPromiscuous(true);
        card.arriveDamaged();
        assertEquals(2, port.xstat("rx_crc_errors"));
        assertEquals(63, port.xstat("rx_hw_good_packets"));
        assertEquals(63 * 104, port.xstat("rx_hw_good_bytes"));
        port.device.resetStats();
        assertEquals(0, port.xstat("rx_crc_errors"));
        assertEquals(0, port.device.stats().ierrors());
    }

    // Interrupts.

    @Test
    void aThreadCanSleepUntilAFrameComes() throws Exception {
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
        card.arrive(Frames.bytes(60, 1));
        assertEquals(before, card.interrupted(), "no interrupt while nobody waits");
        assertEquals(1, port.receive(0).size());
    }

    // Life and death.

    @Test
    void fiftyRestartsLeaveNothingBehind() {
        for (int i = 0; i < 50; i++) {
            port.start(new EthConfig(1 + i % 2, 1), 64 + 8 * (i % 7));
            port.device.setPromiscuous(true);
            for (int k = 0; k < 5; k++) {
                assertTrue(card.arrive(Frames.bytes(60, k)));
            }
            port.send(Frames.bytes(60, i));
            int mappings = dma.mappings();
            port.device.stop();
            assertEquals(mappings - 1, dma.mappings());
            assertEquals(0, port.pool.inUse(), "round " + i);
            assertEquals(0, card.register(E1000eRegisters.RCTL) & E1000eRegisters.RCTL_EN);
        }
    }

    @Test
    void hostileWriteBacksCostTheirFrameOnly() {
        start(JUMBO);
        long dd = E1000eDescriptors.RX_DD;
        long eop = dd | E1000eDescriptors.RX_EOP;
        card.writeBack(0, 0, 2049L << 32 | eop);
        card.writeBack(0, 0, 0xFFFFL << 32 | eop);
        card.writeBack(0, 0, eop);
        card.writeBack(0, 0, 13L << 32 | eop);
        card.writeBack(0, 0, 60L << 32 | eop | 1L << 31);
        assertEquals(0, port.receive(0).size());
        assertEquals(5, port.device.stats().ierrors());
        // A frame that does not end.
        for (int i = 0; i < 100; i++) {
            card.writeBack(0, 0, 2048L << 32 | dd);
        }
        assertEquals(0, port.receive(0).size());
        card.writeBack(0, 0, 60L << 32 | eop);
        assertEquals(0, port.receive(0).size(), "still that frame");
        assertEquals(6, port.device.stats().ierrors());
        byte[] good = Frames.bytes(60, 1);
        card.arrive(good);
        assertArrayEquals(good, port.receive(0).get(0));
    }

    @Test
    void aCardThatIsPulledOutTakesThePortDown() {
        start(ONE);
        port.send(Frames.bytes(60, 1));
        card.unplug();
        gone();
    }

    @Test
    void aCardWhoseRegistersFaultTakesThePortDown() {
        start(ONE);
        port.send(Frames.bytes(60, 1));
        card.unplugWithFaults();
        gone();
    }

    private void gone() {
        port.send(Frames.bytes(60, 1));
        assertFalse(port.device.link().up());
        assertEquals(2, port.device.stats().opackets());
        int m = port.mbuf(Frames.bytes(60, 1));
        assertEquals(0, port.device.txBurst(0, new int[] {m}, 0, 1));
        Mbuf.free(m);
        assertEquals(0, port.receive(0).size());
        refused("ENODEV", "gone", () -> port.device.awaitRx(0, Duration.ofMillis(1)));
        port.device.setAllMulticast(true);
        port.device.stop();
        refused("ENODEV", "gone", port.device::start);
    }

    @Test
    void aCardThatTheKernelWantsBackIsQuietBeforeItsMemoryGoes() {
        start(ONE);
        card.wantBack();
        assertFalse(port.device.link().up());
        assertTrue(port.device.isGone());
        card.arrive(Frames.bytes(60, 1));
        assertEquals(0, port.receive(0).size());
        port.device.close();
        assertFalse(card.mayAccessMemory());
        assertFalse(port.device.link().up());
        assertTrue(port.device.xstats().containsKey("rx_hw_good_packets"));
    }

    @Test
    void aCardThatStaysInResetIsRefused() {
        card.stuckInReset = true;
        refused("EIO", "reset", () -> port.start(ONE));
        assertEquals(0, port.pool.inUse());
        card.stuckInReset = false;
        port.start(ONE);
        FakeE1000e dead = new FakeE1000e(dma);
        dead.stuckInReset = true;
        refused("EIO", "0000:00:04.0", () -> new E1000eDevice("pci:x", dead));
    }

    @Test
    void bufferSizesAreThoseOfTheRegister() {
        int[] rooms = {256, 511, 512, 1024, 2047, 2048, 4095, 4096, 8192, 16_384, 65_000};
        int[] sizes = {256, 256, 512, 1024, 1024, 2048, 2048, 4096, 8192, 16_384, 16_384};
        for (int i = 0; i < rooms.length; i++) {
            assertEquals(sizes[i], E1000eHardware.bufferBytes(E1000eHardware.bufferBits(rooms[i])));
        }
    }
}
