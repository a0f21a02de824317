package io.grantwire.pmd.driver.igb;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDeviceException;
import io.grantwire.pmd.ethdev.EthOffload;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.testkit.Frames;
import io.grantwire.pmd.testkit.pci.TestDmaSpace;
import io.grantwire.pmd.testkit.pci.TestInterrupts;
import io.grantwire.vfio.PciInterrupts.Kind;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class IgbReceiveTest {
    private static final EthConfig ONE = EthConfig.SINGLE_QUEUE;
    private static final EthConfig JUMBO =
            ONE.withMtu(9000).withOffloads(Set.of(EthOffload.RX_SCATTER));

    @Test
    void framesComeInOrderHoweverOftenTheRingWraps() {
        try (IgbBed bed = new IgbBed().start(ONE, 64)) {
            int next = 0;
            for (int round = 0; round < 500; round++) {
                int n = 1 + round % 31;
                for (int i = 0; i < n; i++) {
                    assertTrue(bed.card.inject(IgbBed.frame(60 + (next + i) % 1400, next + i)));
                }
                for (byte[] frame : bed.receive(0)) {
                    assertArrayEquals(IgbBed.frame(60 + next % 1400, next), frame);
                    next++;
                }
            }
            assertEquals(next, bed.device.stats().ipackets());
            assertEquals(0, bed.device.stats().imissed());
        }
    }

    @Test
    void aFrameLongerThanAnMbufBecomesAChain() {
        try (IgbBed bed = new IgbBed().start(JUMBO, 64)) {
            for (int size : new int[] {60, 2048, 2049, 4096, 6000, 9000, 9014}) {
                assertTrue(bed.card.inject(IgbBed.frame(size, size)), "size " + size);
                List<Integer> mbufs = bed.receiveMbufs(0);
                assertEquals(1, mbufs.size());
                assertEquals((size + 2047) / 2048, Mbuf.nbSegs(mbufs.get(0)));
                assertArrayEquals(IgbBed.frame(size, size), IgbBed.bytes(mbufs.get(0)));
                Mbuf.free(mbufs.get(0));
            }
        }
    }

    @Test
    void chainsComeWholeWhenAskedForOneAtATime() {
        try (IgbBed bed = new IgbBed().start(JUMBO, 32)) {
            for (int i = 0; i < 200; i++) {
                bed.card.inject(IgbBed.frame(5000, i));
                bed.card.inject(IgbBed.frame(100, i));
                int[] one = new int[1];
                assertEquals(1, bed.device.rxBurst(0, one, 0, 1));
                assertArrayEquals(IgbBed.frame(5000, i), IgbBed.bytes(one[0]));
                Mbuf.free(one[0]);
                assertEquals(1, bed.device.rxBurst(0, one, 0, 1));
                assertEquals(100, Mbuf.pktLen(one[0]));
                Mbuf.free(one[0]);
            }
        }
    }

    @Test
    void mbufsTooSmallForTheMtuNeedScatter() {
        try (IgbBed bed = new IgbBed()) {
            bed.device.configure(ONE.withMtu(9000));
            EthDeviceException e =
                    assertThrows(
                            EthDeviceException.class,
                            () -> bed.device.rxQueueSetup(0, 0, bed.pool));
            assertTrue(e.getMessage().contains("EINVAL"), e.getMessage());
            assertTrue(e.getMessage().contains("RX_SCATTER"), e.getMessage());
        }
    }

    @Test
    void framesBeyondTheMtuAreNotReceived() {
        try (IgbBed bed = new IgbBed().start(ONE.withMtu(1000))) {
            assertTrue(bed.card.inject(IgbBed.frame(1014, 1)));
            assertTrue(bed.card.inject(Frames.tagged(IgbBed.frame(1014, 1), 5)));
            assertFalse(bed.card.inject(IgbBed.frame(1019, 1)));
            assertEquals(2, bed.receive(0).size());
            assertEquals(1, bed.xstat("rx_oversize_errors"));
        }
    }

    @Test
    void tagsAreTakenOffWhenAskedFor() {
        try (IgbBed bed = new IgbBed().start(ONE.withOffloads(Set.of(EthOffload.RX_VLAN_STRIP)))) {
            bed.card.inject(Frames.tagged(IgbBed.frame(80, 1), 0x6123));
            bed.card.inject(IgbBed.frame(80, 2));
            List<Integer> mbufs = bed.receiveMbufs(0);
            assertEquals(Mbuf.RX_VLAN | Mbuf.RX_VLAN_STRIPPED, Mbuf.olFlags(mbufs.get(0)));
            assertEquals(0x6123, Mbuf.vlanTci(mbufs.get(0)));
            assertArrayEquals(IgbBed.frame(80, 1), IgbBed.bytes(mbufs.get(0)));
            assertEquals(0, Mbuf.olFlags(mbufs.get(1)));
            mbufs.forEach(Mbuf::free);

            bed.device.setVlanStrip(false);
            bed.card.inject(Frames.tagged(IgbBed.frame(80, 1), 0x6123));
            assertArrayEquals(Frames.tagged(IgbBed.frame(80, 1), 0x6123), bed.receive(0).get(0));
            bed.device.setVlanStrip(true);
            bed.card.inject(Frames.tagged(IgbBed.frame(80, 1), 0x6123));
            assertArrayEquals(IgbBed.frame(80, 1), bed.receive(0).get(0));
        }
    }

    @Test
    void flagsSayHowTheChecksumsAre() {
        try (IgbBed bed = new IgbBed().start(ONE.withOffloads(Set.of(EthOffload.RX_CHECKSUM)))) {
            byte[] good = Packets.ipv4("10.0.0.1", "10.0.0.2", Packets.TCP, 1, 2, 200);
            byte[] badIp = good.clone();
            badIp[24] ^= 1;
            byte[] badTcp = good.clone();
            badTcp[100] ^= 1;
            byte[] udp = Packets.ipv4("10.0.0.1", "10.0.0.2", Packets.UDP, 1, 2, 200);
            int[] expected = {
                Mbuf.RX_IP_CKSUM_GOOD | Mbuf.RX_L4_CKSUM_GOOD,
                Mbuf.RX_IP_CKSUM_BAD | Mbuf.RX_L4_CKSUM_GOOD,
                Mbuf.RX_IP_CKSUM_GOOD | Mbuf.RX_L4_CKSUM_BAD,
                Mbuf.RX_IP_CKSUM_GOOD | Mbuf.RX_L4_CKSUM_GOOD,
                0
            };
            byte[][] frames = {good, badIp, badTcp, udp, IgbBed.frame(100, 1)};
            for (int i = 0; i < frames.length; i++) {
                bed.card.inject(frames[i]);
                int m = bed.receiveMbufs(0).get(0);
                assertEquals(expected[i], Mbuf.olFlags(m), "frame " + i);
                Mbuf.free(m);
            }
        }
    }

    @Test
    void withoutTheOffloadChecksumsAreNotSpokenOf() {
        try (IgbBed bed = new IgbBed().start(ONE)) {
            bed.card.inject(Packets.ipv4("10.0.0.1", "10.0.0.2", Packets.TCP, 1, 2, 200));
            int m = bed.receiveMbufs(0).get(0);
            assertEquals(0, Mbuf.olFlags(m));
            Mbuf.free(m);
        }
    }

    @Test
    void aFullRingIsCountedAsMissed() {
        try (IgbBed bed = new IgbBed().start(ONE, 32)) {
            int taken = 0;
            for (int i = 0; i < 50; i++) {
                taken += bed.card.inject(IgbBed.frame(60, i)) ? 1 : 0;
            }
            assertEquals(31, taken);
            assertEquals(19, bed.device.stats().imissed());
            assertEquals(31, bed.receive(0).size());
        }
    }

    @Test
    void ringsFitIntoAPageWhereDevicesFindNoMoreInOnePiece() {
        Model82576 card = new Model82576(new TestDmaSpace(4096), new TestInterrupts(Kind.MSIX, 10));
        try (IgbBed bed = new IgbBed(card)) {
            assertEquals(256, bed.device.info().maxRxDesc());
            assertEquals(256, bed.device.info().maxTxDesc());
            bed.start(
                    new EthConfig(4, 4)
                            .withMtu(9000)
                            .withOffloads(EnumSet.of(EthOffload.RX_SCATTER)),
                    4096);
            for (int i = 0; i < 600; i++) {
                card.inject(IgbBed.frame(60 + i * 13, i));
                assertArrayEquals(IgbBed.frame(60 + i * 13, i), bed.receive(0).get(0));
                byte[] out = IgbBed.frame(60 + i * 13, i + 1);
                assertArrayEquals(out, bed.send(bed.mbuf(out)));
            }
        }
    }

    @Test
    void theCardIsNotBelievedToHaveWrittenMoreThanItMay() {
        try (IgbBed bed = new IgbBed().start(JUMBO, 32)) {
            long dd = 1;
            long eop = 3;
            ModelReceiver card = bed.card.receiver;
            card.writeBack(0, 0, eop | 2049L << 32);
            card.writeBack(0, 0, eop | 0xffffL << 32);
            card.writeBack(0, 0, eop);
            card.writeBack(0, 0, eop | 13L << 32);
            card.writeBack(0, 0, eop | 60L << 32 | 1L << 31);
            // More mbufs than a frame can have: the rest up to the end goes with it.
            for (int i = 0; i < 9; i++) {
                card.writeBack(0, 0, dd | 100L << 32);
            }
            card.writeBack(0, 0, eop | 100L << 32);
            // Longer than the MTU.
            for (int i = 0; i < 4; i++) {
                card.writeBack(0, 0, dd | 2048L << 32);
            }
            card.writeBack(0, 0, eop | 2048L << 32);
            assertEquals(List.of(), bed.receive(0));
            assertEquals(7, bed.device.stats().ierrors());
            bed.card.inject(IgbBed.frame(100, 7));
            assertArrayEquals(IgbBed.frame(100, 7), bed.receive(0).get(0));
        }
    }

    @Test
    void descriptorsThatWereNotPostedAreNotLookedAt() {
        try (IgbBed bed = new IgbBed().start(ONE, 32)) {
            for (int i = 0; i < 32; i++) {
                bed.card.receiver.writeBack(0, 0, 3 | 60L << 32);
            }
            assertEquals(31, bed.receive(0).size());
        }
    }

    @Test
    void aFrameWithoutEndIsFreedAtStop() {
        try (IgbBed bed = new IgbBed().start(JUMBO, 32)) {
            bed.card.receiver.writeBack(0, 0, 1 | 2048L << 32);
            assertEquals(List.of(), bed.receive(0));
            bed.device.stop();
            assertEquals(0, bed.pool.inUse());
        }
    }
}
