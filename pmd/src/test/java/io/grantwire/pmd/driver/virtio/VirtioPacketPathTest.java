package io.grantwire.pmd.driver.virtio;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.testkit.PacketPathScan;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The rules of the packet path in the byte code of the driver. */
class VirtioPacketPathTest {
    @Test
    void burstsKeepTheRules() {
        assertEquals(
                List.of(),
                new PacketPathScan()
                        .from(VirtioNetDevice.class, "rxBurst", "txBurst")
                        .excuse(Mempool.class, "newCache", "once per lcore")
                        .findings());
    }
}
