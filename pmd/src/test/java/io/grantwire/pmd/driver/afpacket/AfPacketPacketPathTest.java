package io.grantwire.pmd.driver.afpacket;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.testkit.PacketPathScan;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The rules of the packet path in the byte code of the driver, but for its system call. */
class AfPacketPacketPathTest {
    @Test
    void burstsKeepTheRules() {
        assertEquals(
                List.of(),
                new PacketPathScan()
                        .from(AfPacketDevice.class, "rxBurst", "txBurst")
                        .excuse(PacketSocket.class, "kick", "one system call per burst")
                        .excuse(Mempool.class, "newCache", "once per lcore")
                        .findings());
    }
}
