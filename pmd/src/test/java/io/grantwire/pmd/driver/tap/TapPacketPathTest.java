package io.grantwire.pmd.driver.tap;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.testkit.PacketPathScan;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The rules of the packet path in the byte code of the driver, but for its system calls. */
class TapPacketPathTest {
    @Test
    void burstsKeepTheRules() {
        assertEquals(
                List.of(),
                new PacketPathScan()
                        .from(TapDevice.class, "rxBurst", "txBurst")
                        .excuse(TapDevice.class, "read", "a system call per frame is a tap's way")
                        .excuse(TapDevice.class, "write", "the same")
                        .excuse(Mempool.class, "newCache", "once per lcore")
                        .findings());
    }
}
