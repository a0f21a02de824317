package io.grantwire.tools.bench.soak;

import io.grantwire.tools.bench.soak.TrafficBoard.Field;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What must hold at the end of a soak: each a value and the most that it may be. */
final class SoakChecks {
    /**
     * Frames that one receiver may get twice for each kill of the switch: one burst that was
     * delivered, but not yet handed back to its sender (docs/security.md).
     */
    static final int DUPLICATES_PER_KILL = 32;

    /** Something may be on its way in or out at the moment of the look. */
    private static final int FILES = 2;

    /** The JVM's own come and go: compiler threads, code and heap segments. */
    private static final int THREADS = 4;

    private static final int MAPS = 40;

    /** A JVM's heap and code grow until they are warm. */
    private static final long RESIDENT_KIB = 64 << 10;

    private final List<Map<String, Object>> rows = new ArrayList<>();
    private boolean ok = true;

    private void row(String what, Long start, long end, long most) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("what", what);
        row.put("start", start);
        row.put("end", end);
        row.put("at_most", most);
        row.put("ok", end <= most);
        rows.add(row);
        ok &= end <= most;
    }

    /** Counts of two guests that send to each other and are never killed. */
    void pair(int guest, TrafficBoard board, long switchKills) {
        String whose = "guest " + guest + ": ";
        row(whose + "frames lost", null, board.get(Field.MISSING), 0);
        row(whose + "frames corrupt", null, board.get(Field.CORRUPT), 0);
        row(
                whose + "frames doubled",
                null,
                board.get(Field.DUPLICATES),
                switchKills * DUPLICATES_PER_KILL);
    }

    /** Counts of a guest that is killed, or whose peer is: what dies with it is lost. */
    void killed(int guest, TrafficBoard board) {
        row("guest " + guest + ": frames corrupt", null, board.get(Field.CORRUPT), 0);
    }

    /** What a process had and has. */
    void process(String name, ProcessFacts start, ProcessFacts end) {
        row(name + ": files open", start.files(), end.files(), start.files() + FILES);
        row(name + ": threads", start.threads(), end.threads(), start.threads() + THREADS);
        row(name + ": mappings", start.maps(), end.maps(), start.maps() + MAPS);
        row(
                name + ": resident KiB",
                start.residentKib(),
                end.residentKib(),
                start.residentKib() * 5 / 4 + RESIDENT_KIB);
    }

    /** Pages of guests that domain 0 has mapped. */
    void mapped(long start, long end) {
        row("pages mapped by domain 0", start, end, start);
        row("pages mapped too few", null, Math.max(0, start - end), 0);
    }

    /** The checks, as a report's rows. */
    List<Map<String, Object>> rows() {
        return rows;
    }

    /** Whether all hold. */
    boolean ok() {
        return ok;
    }
}
