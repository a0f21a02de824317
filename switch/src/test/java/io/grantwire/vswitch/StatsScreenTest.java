package io.grantwire.vswitch;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.grantwire.vswitch.SwitchStats.DeviceStats;
import io.grantwire.vswitch.SwitchStats.UplinkStats;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class StatsScreenTest {
    @Test
    void theOriginalsLinesComeFirst() {
        SwitchStats stats =
                new SwitchStats(
                        1000,
                        List.of(
                                new DeviceStats(
                                        0,
                                        1,
                                        0,
                                        "00:00:00:00:00:11",
                                        1000,
                                        1,
                                        "quarantined",
                                        "tx ring: a descriptor chain loops",
                                        true,
                                        List.of(0, 3),
                                        new DirectionStats(10, 2, 8, 480, Map.of("ring_full", 2L)),
                                        new DirectionStats(5, 0, 5, 300, Map.of()))),
                        List.of(
                                new UplinkStats(
                                        "null",
                                        "net_null",
                                        "02:00:00:00:00:01",
                                        false,
                                        0,
                                        new DirectionStats(0, 0, 0, 0, Map.of()),
                                        new DirectionStats(3, 0, 3, 192, Map.of()))),
                        List.of(),
                        Map.of("chain_loop", 1L),
                        0);
        assertEquals(
                """
                \u001b[2J\u001b[1;1H
                Device statistics ====================================
                Statistics for device 0 ------------------------------
                TX total: \t\t10
                TX dropped: \t\t2
                TX successful: \t8
                RX total: \t\t5
                RX dropped: \t\t0
                RX successful: \t5
                State: \t\t\tquarantined (tx ring: a descriptor chain loops)
                TX bytes: \t\t480
                TX dropped, ring_full: \t2
                RX bytes: \t\t300
                VMDq pool of port 1: \t3
                Statistics for uplink null ------------------------------
                TX total: \t\t3
                TX dropped: \t\t0
                TX successful: \t3
                RX total: \t\t0
                RX dropped: \t\t0
                RX successful: \t0
                TX bytes: \t\t192
                RX bytes: \t\t0
                Sorted by: \t\tsoftware
                Rejected chain_loop: \t1
                ======================================================
                """,
                StatsScreen.render(stats));
    }
}
