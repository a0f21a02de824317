package io.grantwire.vswitch.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StorePathsTest {
    @ParameterizedTest
    @CsvSource({
        "/local/domain/7, 7",
        "/local/domain/7/control, 7",
        "/local/domain/7/control/dpdk, 7",
        "/local/domain/32751/data, 32751",
        "/local/domain/7/data/dpdk, 7",
        "/local/domain/7/control/dpdk/0_mempool_va, -1",
        "/local/domain/7/control/shutdown, -1",
        "/local/domain/7/con, -1",
        "/local/domain/7/controls, -1",
        "/local/domain/x, -1",
        "/local/domain/-7, -1",
        "/local/domain/123456, -1",
        "/local/domain, -1",
        "/local/domains/7, -1",
        "/vm/7, -1",
        "'', -1"
    })
    void aPathConcernsTheGuestWhoseStartKeysAreBelow(String path, int domid) {
        assertEquals(domid, StorePaths.domainAbove(path));
    }
}
