package io.grantwire.pmd.driver.igb;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthOffload;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import io.grantwire.pmd.testkit.Frames;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class IgbTransmitTest {
    private static final EthConfig ONE = EthConfig.SINGLE_QUEUE;
    private static final EthConfig STRIPPING =
            ONE.withOffloads(Set.of(EthOffload.RX_VLAN_STRIP, EthOffload.TX_VLAN_INSERT));

    @Test
    void framesGoOutInOrderHoweverOftenTheRingWraps() {
        try (IgbBed bed = new IgbBed().start(ONE, 64)) {
            int next = 0;
            for (int round = 0; round < 300; round++) {
                int n = 1 + round % 20;
                int[] burst = new int[n];
                for (int i = 0; i < n; i++) {
                    burst[i] = bed.mbuf(IgbBed.frame(60 + (next + i) * 37 % 5000, next + i));
                }
                assertEquals(n, bed.device.txBurst(0, burst, 0, n));
                for (byte[] out : bed.card.departed()) {
                    assertArrayEquals(IgbBed.frame(60 + next * 37 % 5000, next), out);
                    next++;
                }
            }
            assertEquals(next, bed.device.stats().opackets());
            assertEquals(0, bed.device.stats().oerrors());
        }
    }

    @Test
    void theCardInsertsTagsWhereItAlsoTakesThemOff() {
        try (IgbBed bed = new IgbBed().start(STRIPPING)) {
            int m = bed.mbuf(IgbBed.frame(100, 1));
            Mbuf.setOlFlags(m, Mbuf.TX_VLAN);
            Mbuf.setVlanTci(m, 0x4005);
            assertArrayEquals(Frames.tagged(IgbBed.frame(100, 1), 0x4005), bed.send(m));
            assertEquals(1, bed.card.transmitter.contextWrites(0));
        }
    }

    @Test
    void theDriverInsertsTagsWhereReceivedOnesStay() {
        try (IgbBed bed = new IgbBed().start(ONE)) {
            int m = bed.mbuf(IgbBed.frame(100, 1));
            Mbuf.setOlFlags(m, Mbuf.TX_VLAN);
            Mbuf.setVlanTci(m, 7);
            assertArrayEquals(Frames.tagged(IgbBed.frame(100, 1), 7), bed.send(m));
            assertEquals(0, bed.card.transmitter.contextWrites(0));
        }
    }

    @Test
    void aFrameWithOtherOwnersIsNotChanged() {
        try (IgbBed bed = new IgbBed().start(ONE)) {
            int m = bed.mbuf(IgbBed.frame(100, 1));
            Mbuf.setOlFlags(m, Mbuf.TX_VLAN);
            Mbuf.setVlanTci(m, 7);
            Mbuf.retain(m, 1);
            assertArrayEquals(Frames.tagged(IgbBed.frame(100, 1), 7), bed.send(m));
            assertArrayEquals(IgbBed.frame(100, 1), IgbBed.bytes(m));
            assertEquals(1, Mbuf.refcnt(m));
            Mbuf.free(m);
        }
    }

    private static int asked(IgbBed bed, byte[] packet, int flags, int l3) {
        byte[] wrong = packet.clone();
        int l4 = 14 + l3;
        if ((flags & Mbuf.TX_IPV4) != 0) {
            Packets.put16(wrong, 24, 0xdead);
        }
        Packets.put16(wrong, l4 + ((flags & Mbuf.TX_TCP_CKSUM) != 0 ? 16 : 6), 0xbeef);
        int m = bed.mbuf(wrong);
        Mbuf.setOlFlags(m, flags);
        Mbuf.setTxHeaders(m, 14, l3);
        return m;
    }

    private static final int V4_TCP = Mbuf.TX_IPV4 | Mbuf.TX_IP_CKSUM | Mbuf.TX_TCP_CKSUM;
    private static final int V4_UDP = Mbuf.TX_IPV4 | Mbuf.TX_IP_CKSUM | Mbuf.TX_UDP_CKSUM;

    private static byte[] packet(int protocol, int size) {
        return Packets.ipv4("192.168.1.9", "10.20.30.40", protocol, 4000, 80, size);
    }

    @Test
    void theCardFillsInChecksums() {
        try (IgbBed bed = new IgbBed().start(ONE)) {
            for (int size : new int[] {60, 61, 200, 1514, 4001}) {
                byte[] tcp = packet(Packets.TCP, size);
                byte[] udp = packet(Packets.UDP, size);
                assertArrayEquals(tcp, bed.send(asked(bed, tcp, V4_TCP, 20)), "TCP " + size);
                assertArrayEquals(udp, bed.send(asked(bed, udp, V4_UDP, 20)), "UDP " + size);
            }
            byte[] tcp6 = Packets.ipv6(Packets.TCP, 300);
            byte[] udp6 = Packets.ipv6(Packets.UDP, 301);
            assertArrayEquals(
                    tcp6, bed.send(asked(bed, tcp6, Mbuf.TX_IPV6 | Mbuf.TX_TCP_CKSUM, 40)));
            assertArrayEquals(
                    udp6, bed.send(asked(bed, udp6, Mbuf.TX_IPV6 | Mbuf.TX_UDP_CKSUM, 40)));
        }
    }

    @Test
    void checksumsAndTagsGoTogether() {
        for (EthConfig config : List.of(ONE, STRIPPING)) {
            try (IgbBed bed = new IgbBed().start(config)) {
                byte[] tcp = packet(Packets.TCP, 200);
                int m = asked(bed, tcp, V4_TCP | Mbuf.TX_VLAN, 20);
                Mbuf.setVlanTci(m, 99);
                assertArrayEquals(Frames.tagged(tcp, 99), bed.send(m), config.toString());
            }
        }
    }

    @Test
    void aContextThatTheCardHasIsNotSentAgain() {
        try (IgbBed bed = new IgbBed().start(ONE)) {
            for (int i = 0; i < 50; i++) {
                bed.send(asked(bed, packet(Packets.TCP, 100), V4_TCP, 20));
            }
            assertEquals(1, bed.card.transmitter.contextWrites(0));
            for (int i = 0; i < 50; i++) {
                bed.send(asked(bed, packet(Packets.UDP, 100), V4_UDP, 20));
                bed.send(asked(bed, packet(Packets.TCP, 100), V4_TCP, 20));
            }
            assertEquals(2, bed.card.transmitter.contextWrites(0));
            byte[] v6 = Packets.ipv6(Packets.TCP, 100);
            bed.send(asked(bed, v6, Mbuf.TX_IPV6 | Mbuf.TX_TCP_CKSUM, 40));
            assertEquals(3, bed.card.transmitter.contextWrites(0));
            // The one used longest ago had to go: that of UDP.
            bed.send(asked(bed, packet(Packets.TCP, 100), V4_TCP, 20));
            assertEquals(3, bed.card.transmitter.contextWrites(0));
        }
    }

    @Test
    void contextsDoNotOutliveAReset() {
        try (IgbBed bed = new IgbBed().start(ONE)) {
            byte[] tcp = packet(Packets.TCP, 100);
            bed.send(asked(bed, tcp, V4_TCP, 20));
            bed.device.stop();
            bed.device.start();
            assertArrayEquals(tcp, bed.send(asked(bed, tcp, V4_TCP, 20)));
            assertEquals(2, bed.card.transmitter.contextWrites(0));
        }
    }

    @Test
    void headersThatCannotBeAreRefused() {
        try (IgbBed bed = new IgbBed().start(ONE)) {
            int m = asked(bed, packet(Packets.TCP, 100), V4_TCP, 20);
            Mbuf.setTxHeaders(m, 14, 90);
            assertEquals(1, bed.device.txBurst(0, new int[] {m}, 0, 1));
            assertEquals(1, bed.device.stats().oerrors());
            assertEquals(List.of(), bed.card.departed());
        }
    }

    @Test
    void framesThatTheCardCannotReachAreCopied() {
        Mempool elsewhere = Mempool.create(MempoolConfig.of("elsewhere", 64).withDataRoom(700));
        Model82576 card = new Model82576();
        card.dma.refuseOthers();
        try (IgbBed bed = new IgbBed(card).start(ONE)) {
            for (int size : new int[] {60, 700, 701, 2048, 2049, 9000}) {
                byte[] bytes = IgbBed.frame(size, size);
                assertArrayEquals(bytes, bed.send(IgbBed.mbuf(elsewhere, bytes)), "" + size);
            }
            byte[] tcp = packet(Packets.TCP, 500);
            int m = IgbBed.mbuf(elsewhere, tcp);
            Mbuf.setOlFlags(m, V4_TCP | Mbuf.TX_VLAN);
            Mbuf.setTxHeaders(m, 14, 20);
            Mbuf.setVlanTci(m, 3);
            assertArrayEquals(Frames.tagged(tcp, 3), bed.send(m));
            assertEquals(0, elsewhere.inUse());
        }
        elsewhere.close();
    }

    @Test
    void aPoolMadeAfterStartIsCopiedUntilTheNextOne() {
        try (IgbBed bed = new IgbBed().start(ONE)) {
            Mempool late = Mempool.create(MempoolConfig.of("late", 64));
            int mappings = bed.card.dma.live();
            assertArrayEquals(
                    IgbBed.frame(100, 1), bed.send(IgbBed.mbuf(late, IgbBed.frame(100, 1))));
            bed.device.stop();
            bed.device.start();
            assertEquals(mappings + 1, bed.card.dma.live());
            assertArrayEquals(
                    IgbBed.frame(100, 2), bed.send(IgbBed.mbuf(late, IgbBed.frame(100, 2))));
            bed.device.stop();
            late.close();
            bed.device.start();
            assertEquals(mappings, bed.card.dma.live());
        }
    }

    @Test
    void framesOfVeryManyOrEmptyMbufsAreCopied() {
        try (IgbBed bed = new IgbBed().start(ONE)) {
            byte[] bytes = IgbBed.frame(800, 5);
            int head = bed.mbuf(java.util.Arrays.copyOf(bytes, 20));
            for (int at = 20; at < 800; at += 20) {
                Mbuf.chain(head, bed.mbuf(java.util.Arrays.copyOfRange(bytes, at, at + 20)));
            }
            assertEquals(40, Mbuf.nbSegs(head));
            assertArrayEquals(bytes, bed.send(head));
            int m = bed.mbuf(bytes);
            Mbuf.chain(m, bed.pool.alloc());
            assertArrayEquals(bytes, bed.send(m));
        }
    }

    @Test
    void whatIsNoFrameIsFreedAndCounted() {
        try (IgbBed bed = new IgbBed().start(ONE)) {
            int[] burst = {
                bed.mbuf(new byte[13]), bed.mbuf(IgbBed.frame(60, 1)), bed.mbuf(new byte[9300])
            };
            assertEquals(3, bed.device.txBurst(0, burst, 0, 3));
            assertEquals(2, bed.device.stats().oerrors());
            assertEquals(1, bed.card.departed().size());
        }
    }

    @Test
    void withoutLinkTheRingFillsAndNoMoreIsTaken() {
        try (IgbBed bed = new IgbBed().start(ONE, 64)) {
            bed.card.setCable(false);
            List<Integer> taken = new ArrayList<>();
            int[] one = new int[1];
            while (true) {
                one[0] = bed.mbuf(IgbBed.frame(100, 1));
                if (bed.device.txBurst(0, one, 0, 1) == 0) {
                    Mbuf.free(one[0]);
                    break;
                }
                taken.add(one[0]);
            }
            assertTrue(taken.size() >= 60 && taken.size() < 64, "taken: " + taken.size());
            bed.device.stop();
            bed.card.setCable(true);
            bed.device.start();
            assertArrayEquals(IgbBed.frame(90, 2), bed.send(bed.mbuf(IgbBed.frame(90, 2))));
        }
    }
}
