package io.grantwire.pmd.driver.pcap;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.testkit.PacketPathScan;
import java.util.List;
import org.junit.jupiter.api.Test;

class PcapPacketPathTest {
    @Test
    void burstsKeepTheRules() {
        String damage = "once per damaged file";
        assertEquals(
                List.of(),
                new PacketPathScan()
                        .from(PcapDevice.class, "rxBurst", "txBurst")
                        .implementations(ClassicPcapReader.class, PcapngReader.class)
                        .excuse(Mempool.class, "newCache", "once per lcore")
                        .excuse(PcapRxQueue.class, "describe", "the first problem of a file")
                        .excuse(PcapReader.class, "rewind", damage)
                        .excuse(PcapReader.class, "cutOff", damage)
                        .excuse(ClassicPcapReader.class, "absurd", damage)
                        .excuse(PcapngReader.class, "absurd", damage)
                        .excuse(PcapngReader.class, "differs", damage)
                        .excuse(PcapngReader.class, "unknownInterface", damage)
                        .excuse(PcapngReader.class, "absurdBlock", damage)
                        .excuse(PcapngReader.class, "unfitting", damage)
                        .excuse(PcapngReader.class, "section", "once per section")
                        .excuse(PcapngReader.class, "addInterface", "once per interface")
                        .excuse(PcapWriter.class, "fail", "once per full disk")
                        .findings());
    }
}
