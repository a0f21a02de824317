package io.grantwire.pmd.driver.xenvirt;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.testkit.PacketPathScan;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The rules of the packet path in the byte code of the front end. */
class XenvirtPacketPathTest {
    @Test
    void burstsKeepTheRules() {
        assertEquals(
                List.of(),
                new PacketPathScan()
                        .from(XenvirtDevice.class, "rxBurst", "txBurst")
                        .excuse(Mempool.class, "newCache", "once per lcore")
                        .findings());
    }
}
