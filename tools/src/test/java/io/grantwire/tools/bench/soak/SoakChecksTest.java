package io.grantwire.tools.bench.soak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.tools.bench.soak.TrafficBoard.Field;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A soak that lost something, or left something behind, does not hold. */
class SoakChecksTest {
    private static final ProcessFacts START = new ProcessFacts(20, 200, 15, 100_000);

    @TempDir Path dir;

    private TrafficBoard board() throws IOException {
        return TrafficBoard.open(dir.resolve("board"));
    }

    private static boolean holds(ProcessFacts end) {
        SoakChecks checks = new SoakChecks();
        checks.process("a process", START, end);
        return checks.ok();
    }

    @Test
    void aCleanRunHolds() throws IOException {
        SoakChecks checks = new SoakChecks();
        TrafficBoard board = board();
        board.add(Field.RECEIVED, 1000);
        board.add(Field.DUPLICATES, SoakChecks.DUPLICATES_PER_KILL);
        checks.pair(1, board, 1);
        checks.killed(3, board);
        checks.process("host", START, START);
        checks.mapped(500, 500);
        assertTrue(checks.ok());
        assertEquals(10, checks.rows().size());
    }

    @ParameterizedTest
    @EnumSource(names = {"MISSING", "CORRUPT", "DUPLICATES"})
    void aFrameLostCorruptOrDoubledDoesNot(Field field) throws IOException {
        TrafficBoard board = board();
        board.add(field, 1);
        SoakChecks checks = new SoakChecks();
        checks.pair(1, board, 0);
        assertFalse(checks.ok());
    }

    @Test
    void whatIsLeftBehindDoesNot() {
        assertTrue(holds(START));
        assertFalse(holds(new ProcessFacts(23, 200, 15, 100_000)), "files");
        assertFalse(holds(new ProcessFacts(20, 241, 15, 100_000)), "mappings");
        assertFalse(holds(new ProcessFacts(20, 200, 20, 100_000)), "threads");
        assertFalse(holds(new ProcessFacts(20, 200, 15, 300_000)), "memory");
    }

    @Test
    void pagesThatStayMappedOrAreNotMappedAgainDoNot() {
        for (long end : new long[] {501, 499}) {
            SoakChecks checks = new SoakChecks();
            checks.mapped(500, end);
            assertFalse(checks.ok());
        }
    }

    @Test
    void aProcessIsLookedAt() throws IOException {
        ProcessFacts own = ProcessFacts.of(ProcessHandle.current().pid());
        assertTrue(own.files() > 2 && own.maps() > 20, own.toString());
        assertTrue(own.threads() > 2 && own.residentKib() > 10_000, own.toString());
    }
}
