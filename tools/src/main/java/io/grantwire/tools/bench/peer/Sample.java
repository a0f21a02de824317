package io.grantwire.tools.bench.peer;

import com.google.gson.JsonObject;
import io.grantwire.tools.cli.Json;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A peer's counters at one moment.
 *
 * @param nanos {@link System#nanoTime}, which on Linux is one clock for all processes
 * @param frames frames received, or for a side that only sends, sent
 * @param allocated bytes that the polling threads have allocated on the Java heap
 * @param worstGap longest time between two rounds of the polling loop since the last sample, in
 *     nanoseconds; 0 when not looked at
 * @param firstNanos when the first frame was received; 0 before that
 * @param residentBytes what the process has in memory
 * @param busyNanos time of the polling thread's rounds that found work; 0 when not looked at
 */
public record Sample(
        long nanos,
        long frames,
        long allocated,
        long worstGap,
        long firstNanos,
        long residentBytes,
        long busyNanos) {
    private static final String EVENT = "sample";

    /** As a line that {@link #parse} reads. */
    public String line() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("event", EVENT);
        map.put("nanos", nanos);
        map.put("frames", frames);
        map.put("allocated", allocated);
        map.put("worst_gap", worstGap);
        map.put("first_nanos", firstNanos);
        map.put("resident_bytes", residentBytes);
        map.put("busy_nanos", busyNanos);
        return Json.line(map);
    }

    /** The sample on a line that a peer printed, or null when it is something else. */
    public static Sample parse(String line) {
        if (!line.startsWith("{\"event\":\"" + EVENT + "\"")) {
            return null;
        }
        JsonObject o = Json.parse(line).getAsJsonObject();
        return new Sample(
                o.get("nanos").getAsLong(),
                o.get("frames").getAsLong(),
                o.get("allocated").getAsLong(),
                o.get("worst_gap").getAsLong(),
                o.get("first_nanos").getAsLong(),
                o.get("resident_bytes").getAsLong(),
                o.get("busy_nanos").getAsLong());
    }
}
