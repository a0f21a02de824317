package io.grantwire.tools.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SpreadTest {
    @Test
    void theMedianIsTheMiddleOneOrTheMeanOfTwo() {
        assertEquals(new Spread(3, 1, 9, 3), Spread.of(9, 1, 3));
        assertEquals(new Spread(4, 1, 9, 4), Spread.of(9, 1, 3, 5));
        assertEquals(new Spread(7, 7, 7, 1), Spread.of(7));
        assertThrows(IllegalArgumentException.class, () -> Spread.of(List.of()));
    }

    @Test
    void theSpreadIsInPerCentOfTheMedian() {
        assertEquals(50, Spread.of(8, 10, 13).percent(), 1e-9);
        assertEquals(0, Spread.of(0, 0).percent());
    }

    @Test
    void cyclesAreTimeTimesRate() {
        assertEquals(26, new Tsc(2600, "test").cycles(10), 1e-9);
    }

    @Test
    void withoutACounterTheRateIsTheKernels(@TempDir Path dir) throws IOException {
        Path file = dir.resolve("cpuinfo");
        Files.writeString(file, "processor\t: 0\ncpu MHz\t\t: 2596.134\n");
        assertEquals(2596.134, Tsc.ofCpuInfo(file).megahertz());
        Files.writeString(file, "processor : 0\nBogoMIPS : 50.00\n");
        Tsc unknown = Tsc.ofCpuInfo(file);
        assertEquals(1000, unknown.megahertz());
        assertTrue(unknown.source().contains("unknown"));
    }

    @Test
    void theMachinesFactsAreReadWhole() throws IOException {
        Object pages = MachineFacts.of(List.of(0), new Tsc(1, "test")).get("hugepages");
        assertEquals(Files.readAllLines(Path.of("/proc/sys/vm/nr_hugepages")).getFirst(), pages);
    }
}
