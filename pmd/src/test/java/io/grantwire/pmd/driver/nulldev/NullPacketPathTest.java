package io.grantwire.pmd.driver.nulldev;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.testkit.PacketPathScan;
import java.util.List;
import org.junit.jupiter.api.Test;

class NullPacketPathTest {
    @Test
    void burstsKeepTheRules() {
        assertEquals(
                List.of(),
                new PacketPathScan()
                        .from(NullDevice.class, "rxBurst", "txBurst")
                        .excuse(Mempool.class, "newCache", "once per lcore")
                        .findings());
    }
}
