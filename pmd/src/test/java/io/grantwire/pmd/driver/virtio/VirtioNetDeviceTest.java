package io.grantwire.pmd.driver.virtio;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import io.grantwire.pmd.testkit.Frames;
import io.grantwire.pmd.testkit.NicPort;
import io.grantwire.pmd.testkit.pci.FakeDmaSpace;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the driver does with the device's features, and with devices that break the rules. */
class VirtioNetDeviceTest extends VirtioNetBed {
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
    void aCardThatTheKernelWantsBackIsQuietBeforeItsMemoryGoes() {
        start(ONE);
        card.wantBack();
        assertFalse(port.device.link().up());
        assertTrue(port.device.isGone());
        assertEquals(0, port.receive(0).size());
        port.device.close();
        assertFalse(card.mayAccessMemory());
        assertFalse(port.device.link().up());
        assertTrue(port.device.xstats().containsKey("ring_faults"));
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
