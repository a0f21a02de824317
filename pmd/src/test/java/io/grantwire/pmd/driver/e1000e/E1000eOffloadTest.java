package io.grantwire.pmd.driver.e1000e;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthOffload;
import io.grantwire.pmd.ethdev.RssConfig;
import io.grantwire.pmd.ethdev.RssType;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.testkit.Frames;
import io.grantwire.pmd.testkit.NicPort;
import io.grantwire.pmd.testkit.Packets;
import io.grantwire.pmd.testkit.Toeplitz;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * What the card does for the processor, seen at a model of it: tags, checksums, spreading flows.
 */
class E1000eOffloadTest extends E1000eBed {
    // Offloads.

    @Test
    void tagsAreStrippedAndInsertedByTheCard() {
        start(ONE.withOffloads(Set.of(EthOffload.RX_VLAN_STRIP, EthOffload.TX_VLAN_INSERT)));
        byte[] frame = Frames.bytes(100, 1);
        card.arrive(Frames.tagged(frame, 0x6064));
        int m = port.receiveMbufs(0).get(0);
        assertArrayEquals(frame, NicPort.bytes(m));
        assertEquals(Mbuf.RX_VLAN | Mbuf.RX_VLAN_STRIPPED, Mbuf.olFlags(m));
        assertEquals(0x6064, Mbuf.vlanTci(m));
        Mbuf.setOlFlags(m, Mbuf.TX_VLAN);
        Mbuf.setVlanTci(m, 0x07D0);
        port.send(0, m);
        assertArrayEquals(Frames.tagged(frame, 0x07D0), card.take().get(0));
        card.arrive(frame);
        assertEquals(0, Mbuf.olFlags(m = port.receiveMbufs(0).get(0)));
        Mbuf.free(m);
    }

    @Test
    void whereTheCardDoesNotInsertTagsTheDriverDoes() {
        start(ONE);
        byte[] frame = Frames.bytes(100, 1);
        int m = port.mbuf(frame);
        Mbuf.setOlFlags(m, Mbuf.TX_VLAN);
        Mbuf.setVlanTci(m, 5);
        Mbuf.retain(m, 1);
        port.send(0, m);
        assertArrayEquals(Frames.tagged(frame, 5), card.take().get(0));
        assertArrayEquals(frame, NicPort.bytes(m), "a frame with another owner stays as it is");
        port.send(0, m);
        assertArrayEquals(Frames.tagged(frame, 5), card.take().get(0));
        assertEquals(208, port.device.stats().obytes());
        // The mode may change while it runs.
        port.device.setVlanStrip(true);
        assertTrue(port.device.vlanStrip());
        m = port.mbuf(frame);
        Mbuf.setOlFlags(m, Mbuf.TX_VLAN);
        Mbuf.setVlanTci(m, 6);
        port.send(0, m);
        assertArrayEquals(Frames.tagged(frame, 6), card.take().get(0));
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
        port.device.setVlanFilter(100, false);
        card.arrive(Frames.tagged(frame, 100));
        assertEquals(0, port.receive(0).size());
        refused("EINVAL", "4095", () -> port.device.setVlanFilter(4096, true));
    }

    @Test
    void theCardFillsInChecksums() {
        start(
                ONE.withOffloads(
                        EnumSet.of(
                                EthOffload.TX_IPV4_CKSUM,
                                EthOffload.TX_TCP_CKSUM,
                                EthOffload.TX_UDP_CKSUM)));
        for (int i = 0; i < 4; i++) {
            boolean tcp = i % 2 == 0;
            int m = port.mbuf(Packets.unfinished(tcp, 0x0A00_0001, 1000 + i, 100 + i));
            Mbuf.setTxHeaders(m, Packets.L2, Packets.L3);
            Mbuf.setOlFlags(
                    m,
                    Mbuf.TX_IPV4
                            | Mbuf.TX_IP_CKSUM
                            | (tcp ? Mbuf.TX_TCP_CKSUM : Mbuf.TX_UDP_CKSUM));
            port.send(0, m);
            assertArrayEquals(
                    Packets.ipv4(tcp, 0x0A00_0001, 1000 + i, 100 + i), card.take().get(0));
        }
        assertEquals(4, card.contexts, "each differs from the one before");
        for (int i = 0; i < 4; i++) {
            int m = port.mbuf(Packets.unfinished(true, 1, i, 10));
            Mbuf.setTxHeaders(m, Packets.L2, Packets.L3);
            Mbuf.setOlFlags(m, Mbuf.TX_IPV4 | Mbuf.TX_TCP_CKSUM | Mbuf.TX_IP_CKSUM);
            port.send(0, m);
        }
        assertEquals(5, card.contexts, "the card keeps one that fits");
    }

    @Test
    void aChecksumThatCannotBeFilledInIsAnError() {
        start(ONE.withOffloads(Set.of(EthOffload.TX_TCP_CKSUM)));
        int m = port.mbuf(Frames.bytes(60, 1));
        Mbuf.setTxHeaders(m, Packets.L2, 200);
        Mbuf.setOlFlags(m, Mbuf.TX_IPV4 | Mbuf.TX_TCP_CKSUM);
        port.send(0, m);
        assertEquals(1, port.device.stats().oerrors());
        assertEquals(0, card.take().size());
    }

    @Test
    void theTwoTransmitQueuesHaveOneChecksumContext() {
        refused(
                "EINVAL",
                "context",
                () ->
                        port.device.configure(
                                new EthConfig(1, 2).withOffloads(Set.of(EthOffload.TX_UDP_CKSUM))));
    }

    @Test
    void receivedChecksumsAreChecked() {
        start(ONE.withOffloads(Set.of(EthOffload.RX_CHECKSUM)));
        byte[] good = Packets.ipv4(false, 1, 2, 30);
        byte[] badIp = good.clone();
        badIp[24]++;
        byte[] badL4 = good.clone();
        badL4[Packets.checksumAt(false)]++;
        int[] expected = {
            Mbuf.RX_IP_CKSUM_GOOD | Mbuf.RX_L4_CKSUM_GOOD,
            Mbuf.RX_IP_CKSUM_BAD | Mbuf.RX_L4_CKSUM_GOOD,
            Mbuf.RX_IP_CKSUM_GOOD | Mbuf.RX_L4_CKSUM_BAD,
            0
        };
        List<byte[]> frames = List.of(good, badIp, badL4, Frames.bytes(60, 1));
        for (int i = 0; i < expected.length; i++) {
            card.arrive(frames.get(i));
            int m = port.receiveMbufs(0).get(0);
            assertEquals(expected[i], Mbuf.olFlags(m), "frame " + i);
            Mbuf.free(m);
        }
    }

    // Several queues.

    @Test
    void theToeplitzHashIsMicrosofts() {
        // "Verifying the RSS Hash Calculation": 66.9.149.187:2794 to 161.142.100.80:1766.
        byte[] input = HexFormat.of().parseHex("420995bba18e64500aea06e6");
        byte[] key = io.grantwire.pmd.driver.pci.RssKey.orUsual(new byte[0]);
        assertEquals(0x51ccc178, Toeplitz.hash(key, input));
        assertEquals(0x323e8fc2, Toeplitz.hash(key, Arrays.copyOf(input, 8)));
    }

    @Test
    void rssSpreadsFlowsByHashTableAndKey() {
        RssConfig rss = new RssConfig(EnumSet.of(RssType.IPV4, RssType.TCP_IPV4), new byte[0]);
        port.start(new EthConfig(2, 2).withRss(rss));
        port.device.setPromiscuous(true);
        int[] seen = spread(port.device.rss().key(), i -> i % 2);
        assertTrue(seen[0] > 10 && seen[1] > 10, Arrays.toString(seen));

        int[] table = new int[128];
        Arrays.fill(table, 64, 128, 1);
        port.device.setRssTable(table);
        assertArrayEquals(table, port.device.rssTable());
        byte[] key = new byte[40];
        for (int i = 0; i < key.length; i++) {
            key[i] = (byte) (i * 37 + 11);
        }
        port.device.setRss(new RssConfig(rss.types(), key));
        spread(key, i -> i / 64);
        refused("EINVAL", "queue 2", () -> port.device.setRssTable(filled(2)));
        refused(
                "EINVAL",
                "3 bytes",
                () -> port.device.setRss(new RssConfig(rss.types(), new byte[3])));
    }

    private static int[] filled(int queue) {
        int[] table = new int[128];
        Arrays.fill(table, queue);
        return table;
    }

    private int[] spread(byte[] key, java.util.function.IntUnaryOperator table) {
        int[] seen = new int[2];
        for (int i = 0; i < 64; i++) {
            byte[] frame = Packets.ipv4(i % 3 != 0, 0x0A00_0000 + i, 1000 + i, 20);
            int hash = Toeplitz.hash(key, Toeplitz.ipv4Input(frame, true));
            int queue = table.applyAsInt(hash & 127);
            card.arrive(frame);
            int m = port.receiveMbufs(queue).get(0);
            assertEquals(hash, Mbuf.hash(m));
            assertTrue((Mbuf.olFlags(m) & Mbuf.RX_RSS_HASH) != 0);
            Mbuf.free(m);
            seen[queue]++;
        }
        return seen;
    }

    @Test
    void bothTransmitQueuesSend() {
        port.start(new EthConfig(2, 2));
        port.send(0, port.mbuf(Frames.bytes(60, 1)));
        port.send(1, port.mbuf(Frames.bytes(61, 2)));
        assertEquals(2, card.take().size());
    }
}
