package io.grantwire.vswitch.forward;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class MacTableTest {
    @Test
    void theEmptyTableHasNobody() {
        assertEquals(MacTable.NONE, MacTable.EMPTY.find(0x11));
        assertEquals(MacTable.NONE, MacTable.EMPTY.find(0));
        assertEquals(0, MacTable.EMPTY.size());
    }

    @Test
    void findsWhatWasPutAndNothingElse() {
        SplittableRandom random = new SplittableRandom(3);
        for (int n : new int[] {1, 2, 16, 64, 3000}) {
            Map<Long, Integer> entries = new HashMap<>();
            while (entries.size() < n) {
                // Consecutive addresses, as one vendor's are, and random ones.
                long mac =
                        random.nextBoolean()
                                ? 0x0016_3e00_0000L + entries.size()
                                : random.nextLong(1L << 48);
                entries.put(mac, entries.size());
            }
            MacTable table = MacTable.of(entries);
            assertEquals(n, table.size());
            entries.forEach((mac, device) -> assertEquals(device, table.find(mac)));
            for (int i = 0; i < 10_000; i++) {
                long mac = random.nextLong(1L << 48);
                assertEquals(entries.getOrDefault(mac, MacTable.NONE), table.find(mac));
            }
        }
    }
}
