package io.grantwire.tools.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.tools.InProcess;
import io.grantwire.tools.cli.UsageException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BenchOptionsTest {
    @Test
    void sizesAreBytesOrTheMix() {
        List<FrameSizes> sizes = FrameSizes.parseList("64,imix,1518");
        assertEquals(List.of(64), sizes.get(0).cycle());
        assertEquals(1518, sizes.get(2).json());
        FrameSizes mix = sizes.get(1);
        assertEquals("imix", mix.json());
        assertEquals(7, mix.cycle().stream().filter(n -> n == 64).count());
        assertEquals(4, mix.cycle().stream().filter(n -> n == 594).count());
        assertEquals(1, mix.cycle().stream().filter(n -> n == 1518).count());
        assertEquals((7 * 64 + 4 * 594 + 1518) / 12.0, mix.mean(), 1e-9);
        for (String bad : List.of("", "63", "1519", "x", "64,", "-64", "99999")) {
            assertThrows(UsageException.class, () -> FrameSizes.parseList(bad), bad);
        }
    }

    @Test
    void casesAreNamedAsTheyAreTyped() {
        assertEquals("to-guest,from-guest,round-trip,guest-to-guest", PathCase.keys());
        assertEquals(
                List.of(PathCase.ROUND_TRIP, PathCase.TO_GUEST),
                PathCase.parseList("round-trip,to-guest"));
        assertThrows(UsageException.class, () -> PathCase.parse("TO_GUEST"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "bench",
                "bench fly",
                "bench path --case sideways",
                "bench path --size 63",
                "bench path --duration 0",
                "bench path --warmup x",
                "bench path --burst 0",
                "bench path --cores a,b",
                "bench path --cores 0",
                "bench path --cores 0,9999",
                "bench ring --bulk 0",
                "bench ring --rounds 0",
                "bench mempool --bulk 513",
                "bench copy --size imix",
                "bench scale --rx-usecs -1",
                "bench scale --rx-usecs 1001",
                "bench scale --runs 0",
                "bench scale --guests 65",
                "bench scale --guests 1,,2",
                "bench scale --size imix",
                "bench startup --case round-trip",
                "bench startup --runs 0",
                "bench gc --collectors Epsilon",
                "bench gc --heap 1",
                "bench vs-dpdk --case guest-to-guest",
                "bench vs-dpdk --size imix",
                "bench vs-dpdk --runs 0",
                "bench soak --duration 1",
                "bench soak --duration 10x",
                "bench soak --hostile 9"
            })
    void wrongUsageIsOneLineAndStatusTwo(String command) {
        InProcess.Result result = InProcess.run(command.split(" "));
        assertEquals(2, result.status(), result.err());
        assertEquals(1, result.err().lines().count(), result.err());
        assertTrue(result.err().startsWith("grantwire bench: "), result.err());
        assertEquals("", result.out());
    }
}
