package io.grantwire.tools.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Short runs of the benchmarks: that they measure something and say it as agreed, not how fast it
 * is.
 */
class BenchProcessIT {
    @TempDir Path dir;

    @BeforeEach
    void packaged() {
        Program.assumePackaged();
        assumeTrue(
                io.grantwire.bindings.CpuAffinity.allowed().length >= 2,
                "a benchmark of the path needs two CPUs");
    }

    private static JsonObject run(Object... args) {
        try (Program program = Program.start(args)) {
            assertEquals(0, program.awaitEnd(), () -> program.out() + program.err());
            return JsonParser.parseString(program.out()).getAsJsonObject();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"from-guest", "round-trip", "guest-to-guest"})
    void onePathIsOneObject(String pathCase) throws IOException {
        Path chart = dir.resolve("path.svg");
        JsonObject o =
                run(
                        "bench",
                        "path",
                        "--case",
                        pathCase,
                        "--size",
                        "64",
                        "--warmup",
                        1,
                        "--duration",
                        1,
                        "--json",
                        "--chart",
                        chart);
        assertEquals(pathCase, o.get("case").getAsString());
        assertEquals(64, o.get("size").getAsInt());
        double mpps = o.get("mpps").getAsDouble();
        assertTrue(mpps > 0, o.toString());
        double tsc = o.getAsJsonObject("machine").get("tsc_mhz").getAsDouble();
        assertEquals(tsc / mpps, o.get("cycles_per_packet").getAsDouble(), 0.02 * tsc / mpps);
        assertTrue(o.get("alloc_bytes_per_packet").getAsDouble() >= 0, o.toString());
        assertTrue(Files.readString(chart).startsWith("<svg "));
    }

    @Test
    void aMixOfSizesArrivesToo() {
        JsonObject o =
                run(
                        "bench",
                        "path",
                        "--case",
                        "to-guest",
                        "--size",
                        "imix",
                        "--warmup",
                        1,
                        "--duration",
                        1,
                        "--json");
        assertEquals("imix", o.get("size").getAsString());
        assertTrue(o.get("mpps").getAsDouble() > 0);
    }

    @Test
    void guestsShareASwitch() {
        JsonArray results =
                run(
                                "bench",
                                "scale",
                                "--guests",
                                "9",
                                "--runs",
                                2,
                                "--warmup",
                                1,
                                "--duration",
                                1,
                                "--json")
                        .getAsJsonArray("results");
        assertEquals(2, results.size());
        JsonObject all = results.get(0).getAsJsonObject();
        assertEquals(9, all.get("guests").getAsInt());
        assertEquals(9, all.get("busy").getAsInt());
        assertTrue(all.get("mpps").getAsDouble() > 0);
        assertEquals(2, all.get("cycles_runs").getAsJsonArray().size());
        assertEquals(1, results.get(1).getAsJsonObject().get("busy").getAsInt());
    }

    @Test
    void aStartIsTimed() {
        JsonArray results =
                run("bench", "startup", "--runs", 1, "--duration", 4, "--json")
                        .getAsJsonArray("results");
        JsonObject row = results.get(0).getAsJsonObject();
        long first = row.get("first_frame_ms").getAsLong();
        long up = row.get("up_ms").getAsLong();
        assertTrue(up > 0 && up < first && first < 60_000, row.toString());
    }

    @Test
    void collectorsAreCompared() {
        JsonArray results =
                run("bench", "gc", "--collectors", "G1", "--warmup", 1, "--duration", 1, "--json")
                        .getAsJsonArray("results");
        assertEquals(1, results.size());
        assertTrue(results.get(0).getAsJsonObject().get("gap_us_switch").getAsLong() > 0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ring --rounds 1", "mempool --rounds 1", "copy --rounds 1 --size 64"})
    void smallPiecesAreMeasured(String what) {
        JsonArray results =
                run((Object[]) ("bench " + what + " --json").split(" ")).getAsJsonArray("results");
        assertFalse(results.isEmpty());
    }

    @Test
    @Tag("machine")
    void aShortSoakHolds() {
        JsonObject o = run("bench", "soak", "--duration", "15s", "--seed", 1, "--json");
        for (JsonElement one : o.getAsJsonArray("results")) {
            assertTrue(one.getAsJsonObject().get("ok").getAsBoolean(), one.toString());
        }
        String notes = o.getAsJsonArray("notes").toString();
        assertTrue(notes.matches(".*frames sent: [1-9].*"), notes);
        assertFalse(notes.contains("switch killed: 0"), notes);
    }

    /** Skipped with what it lacks, as the command says it, where DPDK is not there. */
    @Test
    @Tag("machine")
    void dpdkIsRunInTurn() {
        try (Program program =
                Program.start(
                        (Object[])
                                "bench vs-dpdk --size 64 --runs 1 --warmup 1 --duration 1 --json"
                                        .split(" "))) {
            int rc = program.awaitEnd();
            assumeTrue(
                    rc == 0 || !program.err().contains("DPDK cannot be run here:"), program::err);
            assertEquals(0, rc, () -> program.out() + program.err());
            JsonArray results =
                    JsonParser.parseString(program.out())
                            .getAsJsonObject()
                            .getAsJsonArray("results");
            assertTrue(results.size() > 3, results.toString());
            for (JsonElement one : results) {
                JsonObject row = one.getAsJsonObject();
                assertTrue(row.get("dpdk").getAsDouble() > 0, row.toString());
                assertTrue(row.get("grantwire").getAsDouble() > 0, row.toString());
            }
        }
    }
}
