package io.grantwire.pmd.driver.igb;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDeviceException;
import io.grantwire.pmd.ethdev.RssConfig;
import io.grantwire.pmd.ethdev.RssType;
import io.grantwire.pmd.mbuf.Mbuf;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Hashes are those that Microsoft's "Verifying the RSS Hash Calculation" lists. */
class IgbRssTest {
    private static final EthConfig FOUR = new EthConfig(4, 1).withRss(RssConfig.all());

    private static byte[] packet(int protocol) {
        return Packets.ipv4("66.9.149.187", "161.142.100.80", protocol, 2794, 1766, 100);
    }

    private static int receiveFrom(IgbBed bed, int queue) {
        List<Integer> mbufs = bed.receiveMbufs(queue);
        assertEquals(1, mbufs.size(), "frames in queue " + queue);
        int m = mbufs.get(0);
        int hash = Mbuf.hash(m);
        assertEquals(Mbuf.RX_RSS_HASH, Mbuf.olFlags(m) & Mbuf.RX_RSS_HASH);
        Mbuf.free(m);
        return hash;
    }

    @Test
    void theHashIsInTheMbufAndPicksTheQueue() {
        try (IgbBed bed = new IgbBed().start(FOUR)) {
            bed.card.inject(packet(Packets.TCP));
            assertEquals(0x51ccc178, receiveFrom(bed, 0x78 % 4));
            bed.card.inject(packet(Packets.UDP));
            assertEquals(0x51ccc178, receiveFrom(bed, 0x78 % 4));
            bed.card.inject(packet(1));
            assertEquals(0x323e8fc2, receiveFrom(bed, 0x42 % 4));
        }
    }

    @Test
    void onlyWhatIsAskedForIsHashed() {
        try (IgbBed bed =
                new IgbBed()
                        .start(FOUR.withRss(new RssConfig(Set.of(RssType.IPV4), new byte[0])))) {
            bed.card.inject(packet(Packets.TCP));
            assertEquals(0x323e8fc2, receiveFrom(bed, 2));
            bed.device.setRss(RssConfig.all());
            bed.card.inject(packet(Packets.TCP));
            assertEquals(0x51ccc178, receiveFrom(bed, 0));
            bed.device.setRss(RssConfig.OFF);
            bed.card.inject(packet(1));
            List<Integer> mbufs = bed.receiveMbufs(0);
            assertEquals(0, Mbuf.olFlags(mbufs.get(0)));
            mbufs.forEach(Mbuf::free);
        }
    }

    @Test
    void theTableCanBeChangedWhileFramesFlow() {
        try (IgbBed bed = new IgbBed().start(FOUR)) {
            int[] table = bed.device.rssTable();
            assertEquals(128, table.length);
            assertEquals(3, table[127]);
            Arrays.fill(table, 3);
            bed.device.setRssTable(table);
            bed.card.inject(packet(Packets.TCP));
            receiveFrom(bed, 3);
            assertArrayEquals(table, bed.device.rssTable());
            bed.device.stop();
            bed.device.start();
            bed.card.inject(packet(Packets.TCP));
            receiveFrom(bed, 3);
        }
    }

    @Test
    void theKeyCanBeChanged() {
        try (IgbBed bed = new IgbBed().start(FOUR)) {
            assertEquals(0x6d, bed.device.rss().key()[0]);
            byte[] zero = new byte[40];
            bed.device.setRss(new RssConfig(RssConfig.all().types(), zero));
            assertArrayEquals(zero, bed.device.rss().key());
            bed.card.inject(packet(Packets.TCP));
            assertEquals(0, receiveFrom(bed, 0));
        }
    }

    @Test
    void wrongKeysAndTablesAreRefused() {
        try (IgbBed bed = new IgbBed().start(FOUR)) {
            int[] table = new int[128];
            table[5] = 4;
            for (Runnable call :
                    List.<Runnable>of(
                            () -> bed.device.setRssTable(table),
                            () -> bed.device.setRssTable(new int[64]),
                            () ->
                                    bed.device.setRss(
                                            new RssConfig(Set.of(RssType.IPV4), new byte[39])))) {
                EthDeviceException e = assertThrows(EthDeviceException.class, call::run);
                assertTrue(e.getMessage().contains("EINVAL"), e.getMessage());
            }
        }
    }

    @Test
    void sixteenQueuesCanBeUsed() {
        try (IgbBed bed = new IgbBed().start(new EthConfig(16, 16).withRss(RssConfig.all()), 32)) {
            bed.card.inject(packet(Packets.TCP));
            receiveFrom(bed, 0x78 % 16);
            int[] one = {bed.mbuf(IgbBed.frame(60, 1))};
            assertEquals(1, bed.device.txBurst(15, one, 0, 1));
            assertEquals(1, bed.card.departed().size());
        }
    }
}
