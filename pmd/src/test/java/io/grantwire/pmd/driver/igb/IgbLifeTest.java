package io.grantwire.pmd.driver.igb;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.ethdev.DeviceArgs;
import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDeviceException;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.testkit.Frames;
import io.grantwire.pmd.testkit.pci.TestDmaSpace;
import io.grantwire.pmd.testkit.pci.TestInterrupts;
import io.grantwire.vfio.PciInterrupts.Kind;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Bring-up, restart, interrupts, and cards that are not well. */
class IgbLifeTest {
    @Test
    void fiftyRestartsLeaveNothingBehind() {
        try (IgbBed bed = new IgbBed()) {
            int before = -1;
            for (int i = 0; i < 50; i++) {
                bed.start(new EthConfig(2, 2), 64);
                bed.card.inject(IgbBed.frame(100, i));
                assertArrayEquals(IgbBed.frame(100, i), bed.receive(0).get(0));
                bed.card.inject(IgbBed.frame(100, i));
                int[] one = {bed.mbuf(IgbBed.frame(70, i))};
                assertEquals(1, bed.device.txBurst(1, one, 0, 1));
                bed.device.stop();
                assertEquals(0, bed.pool.inUse(), "round " + i);
                if (before < 0) {
                    before = bed.card.dma.live();
                }
                assertEquals(before, bed.card.dma.live(), "mappings in round " + i);
            }
            assertEquals(50, bed.card.sentTotal());
        }
    }

    @Test
    void aStoppedCardIsInResetAndTouchesNoMemory() {
        try (IgbBed bed = new IgbBed().start(EthConfig.SINGLE_QUEUE)) {
            int resets = bed.card.resets();
            bed.device.stop();
            assertEquals(resets + 1, bed.card.resets());
            assertEquals(0, bed.card.peek(IgbRegisters.RCTL));
            assertFalse(bed.card.inject(IgbBed.frame(60, 1)));
        }
    }

    @Test
    void closingGivesTheCardBack() {
        Model82576 card = new Model82576();
        try (IgbBed bed = new IgbBed(card).start(EthConfig.SINGLE_QUEUE)) {
            assertTrue((card.peek(IgbRegisters.CTRL_EXT) & IgbRegisters.CTRL_EXT_DRV_LOAD) != 0);
            bed.device.close();
            assertEquals(0, card.peek(IgbRegisters.CTRL_EXT) & IgbRegisters.CTRL_EXT_DRV_LOAD);
            assertFalse(card.pci.busMaster());
            assertTrue(card.pci.closed());
        }
    }

    @Test
    void theLinkComesAndGoes() {
        try (IgbBed bed = new IgbBed()) {
            bed.card.setCable(false);
            bed.start(EthConfig.SINGLE_QUEUE);
            assertFalse(bed.device.link().up());
            bed.card.setCable(true);
            assertTrue(bed.device.link().up());
            assertEquals(1000, bed.device.link().speedMbps());
            bed.device.setLinkUp(false);
            assertFalse(bed.device.link().up());
            assertFalse(bed.card.inject(IgbBed.frame(60, 1)));
            bed.device.setLinkUp(true);
            assertTrue(bed.device.link().up());
        }
    }

    @Test
    void theAddressIsReadFromTheCard() {
        try (IgbBed bed = new IgbBed()) {
            assertEquals(Model82576.MAC, bed.device.macAddress());
        }
    }

    private static void cannotBeOpened(Model82576 card, String why) {
        EthDeviceException e =
                assertThrows(
                        EthDeviceException.class,
                        () ->
                                new IgbDriver()
                                        .create(DeviceArgs.parse("pci:0000:09:00.0"), card.pci));
        assertTrue(e.getMessage().contains(why), e.getMessage());
        assertTrue(e.getMessage().startsWith("device pci:0000:09:00.0: "), e.getMessage());
        assertTrue(card.pci.closed(), "the card was given back");
    }

    @Test
    void cardsThatAreNotWellAreNamed() {
        Model82576 silent = new Model82576();
        silent.unplug();
        cannotBeOpened(silent, "EIO (the 82576's registers read as all ones)");
        Model82576 hanging = new Model82576();
        hanging.hangInReset();
        cannotBeOpened(hanging, "EIO (the 82576 does not come out of reset)");
        Model82576 blank = new Model82576();
        blank.eraseEeprom();
        cannotBeOpened(blank, "EIO (there is no MAC address in its EEPROM)");
    }

    @Test
    void aTransceiverThatDoesNotAnswerIsAClearError() {
        try (IgbBed bed = new IgbBed()) {
            bed.card.deafenPhy();
            EthDeviceException e =
                    assertThrows(EthDeviceException.class, () -> bed.start(EthConfig.SINGLE_QUEUE));
            assertTrue(e.getMessage().contains("EIO"), e.getMessage());
            assertTrue(e.getMessage().contains("transceiver"), e.getMessage());
            assertEquals(0, bed.pool.inUse());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aCardThatIsPulledOutTakesThePortDownAndNothingElse(boolean faults) {
        try (IgbBed bed = new IgbBed().start(EthConfig.SINGLE_QUEUE, 64)) {
            bed.card.inject(IgbBed.frame(60, 1));
            if (faults) {
                bed.card.unplugWithFaults();
            } else {
                bed.card.unplug();
            }
            // What had arrived is there; the card hears of nothing any more.
            assertEquals(1, bed.receive(0).size());
            int[] burst = new int[40];
            for (int i = 0; i < 40; i++) {
                burst[i] = bed.mbuf(IgbBed.frame(60, i));
            }
            int sent = bed.device.txBurst(0, burst, 0, 40);
            assertFalse(bed.device.link().up());
            assertEquals(0, bed.device.txBurst(0, burst, sent, 40 - sent));
            assertEquals(0, bed.device.rxBurst(0, new int[4], 0, 4));
            for (int i = sent; i < 40; i++) {
                Mbuf.free(burst[i]);
            }
            assertNotNull(bed.device.stats());
            bed.device.setPromiscuous(true);
            bed.device.stop();
            assertEquals(0, bed.pool.inUse());
            assertThrows(EthDeviceException.class, () -> bed.device.start());
        }
    }

    @Test
    void aCardThatTheKernelWantsBackIsQuietBeforeItsMemoryGoes() {
        try (IgbBed bed = new IgbBed().start(EthConfig.SINGLE_QUEUE)) {
            bed.card.wantBack();
            assertFalse(bed.device.link().up());
            assertTrue(bed.device.isGone());
            bed.card.inject(IgbBed.frame(60, 1));
            assertEquals(0, bed.device.rxBurst(0, new int[4], 0, 4));
            bed.device.close();
            assertFalse(bed.card.pci.busMaster());
            assertEquals(0, bed.pool.inUse());
            assertFalse(bed.device.link().up());
            assertTrue(bed.device.xstats().containsKey("rx_mac_good_packets"));
        }
    }

    @Test
    void countersOfTheCardAreAddedUp() {
        try (IgbBed bed = new IgbBed().start(EthConfig.SINGLE_QUEUE)) {
            for (int i = 0; i < 3; i++) {
                bed.card.inject(IgbBed.frame(60, i));
                bed.send(bed.mbuf(IgbBed.frame(1000, i)));
                bed.receive(0);
                assertEquals(i + 1, bed.xstat("rx_mac_good_packets"));
            }
            assertEquals(3 * 60, bed.xstat("rx_mac_good_bytes"));
            assertEquals(3, bed.xstat("tx_mac_good_packets"));
            assertEquals(3 * 1000, bed.xstat("tx_mac_good_bytes"));
            assertEquals(3, bed.xstat("rx_size_64_packets"));
            bed.device.stop();
            bed.device.start();
            assertEquals(3, bed.xstat("rx_mac_good_packets"));
            bed.device.resetStats();
            assertEquals(0, bed.xstat("rx_mac_good_packets"));
            bed.card.inject(IgbBed.frame(60, 1));
            bed.receive(0);
            assertEquals(1, bed.xstat("rx_mac_good_packets"));
        }
    }

    // Interrupts.

    private static void wakesUp(Kind kind, int queues, int queue) throws Exception {
        Model82576 card = new Model82576(new TestDmaSpace(), new TestInterrupts(kind, queues));
        try (IgbBed bed = new IgbBed(card)) {
            if (kind == Kind.MSIX) {
                bed.start(new EthConfig(queues, 1).withVmdqPools(queues), 64);
                bed.device.vmdqAssign(queue, Model82576.MAC, 100 + queue);
            } else {
                bed.start(EthConfig.SINGLE_QUEUE);
            }
            byte[] frame =
                    kind == Kind.MSIX
                            ? Frames.tagged(IgbBed.frame(60, 1), 100 + queue)
                            : IgbBed.frame(60, 1);
            assertFalse(bed.device.awaitRx(queue, Duration.ofMillis(1)));
            for (int i = 0; i < 3; i++) {
                CompletableFuture<Boolean> woken =
                        CompletableFuture.supplyAsync(
                                () -> bed.device.awaitRx(queue, Duration.ofSeconds(20)));
                TimeUnit.MILLISECONDS.sleep(20);
                assertFalse(woken.isDone());
                card.inject(frame);
                assertTrue(woken.get(10, TimeUnit.SECONDS));
                // Polling goes on without interrupts.
                card.inject(frame);
                assertEquals(2, bed.receive(queue).size());
                assertFalse(bed.device.awaitRx(queue, Duration.ofMillis(1)));
            }
            card.inject(frame);
            assertTrue(bed.device.awaitRx(queue, Duration.ZERO), "what is there needs no waiting");
            bed.receive(queue);
            bed.device.stop();
            assertEquals(0, card.interrupts.enabled());
        }
    }

    @Test
    void aThreadThatWaitsForAQueueIsWokenByItsMessage() throws Exception {
        wakesUp(Kind.MSIX, 8, 5);
    }

    @Test
    void aThreadThatWaitsIsWokenByTheLine() throws Exception {
        wakesUp(Kind.INTX, 1, 0);
    }

    @Test
    void aQueueWithoutInterruptSaysSo() {
        Model82576 card = new Model82576(new TestDmaSpace(), new TestInterrupts(Kind.INTX, 1));
        try (IgbBed bed = new IgbBed(card).start(new EthConfig(2, 1))) {
            EthDeviceException e =
                    assertThrows(
                            EthDeviceException.class,
                            () -> bed.device.awaitRx(1, Duration.ofMillis(1)));
            assertTrue(e.getMessage().contains("ENOTSUP"), e.getMessage());
        }
    }
}
