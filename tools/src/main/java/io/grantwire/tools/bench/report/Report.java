package io.grantwire.tools.bench.report;

import io.grantwire.tools.cli.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A benchmark's result, to be shown as a table, as JSON, or as a chart: rows of named values, and
 * what they depend on.
 */
public final class Report {
    /**
     * A column of the table.
     *
     * @param key of the value in a row
     * @param title above it
     * @param format for {@link String#format}, of a number
     */
    public record Column(String key, String title, String format) {}

    private final String name;
    private final String title;
    private final Map<String, Object> machine;
    private final List<Column> columns = new ArrayList<>();
    private final List<Map<String, Object>> rows = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private BarChart chart;
    private boolean single;

    /**
     * @param name of the benchmark
     * @param title for people
     * @param machine what the figures depend on
     */
    public Report(String name, String title, Map<String, Object> machine) {
        this.name = name;
        this.title = title;
        this.machine = new LinkedHashMap<>(machine);
    }

    /** Adds a column to the table. */
    public Report column(String key, String heading, String format) {
        columns.add(new Column(key, heading, format));
        return this;
    }

    /** Adds a row; values without a column appear in the JSON only. */
    public void row(Map<String, Object> values) {
        rows.add(new LinkedHashMap<>(values));
    }

    /** The rows. */
    public List<Map<String, Object>> rows() {
        return List.copyOf(rows);
    }

    /** Adds a line below the table. */
    public void note(String text) {
        notes.add(text);
    }

    /** Sets what the chart shows. */
    public void chart(BarChart value) {
        chart = value;
    }

    /** The JSON is then the one row's object itself, with the machine in it. */
    public void single() {
        single = true;
    }

    /** The table with title, machine and notes. */
    public String text() {
        StringBuilder text = new StringBuilder(title).append("\n\n");
        text.append(TextTable.of(columns, rows)).append('\n');
        for (String note : notes) {
            text.append(note).append('\n');
        }
        for (String line : machineLines()) {
            text.append(line).append('\n');
        }
        return text.toString();
    }

    private List<String> machineLines() {
        List<String> lines = new ArrayList<>();
        machine.forEach((key, value) -> lines.add(key.replace('_', ' ') + ": " + value));
        return lines;
    }

    /** One JSON object. */
    public String json() {
        Map<String, Object> map = new LinkedHashMap<>();
        if (single && rows.size() == 1) {
            map.putAll(rows.getFirst());
        } else {
            map.put("bench", name);
            map.put("results", rows);
        }
        if (!notes.isEmpty()) {
            map.put("notes", notes);
        }
        map.put("machine", machine);
        return Json.line(map);
    }

    /** Writes the chart as SVG, with the machine below it. */
    public void writeChart(Path file) throws IOException {
        if (chart == null) {
            throw new IllegalStateException("this benchmark has no chart");
        }
        List<String> footer = new ArrayList<>(notes);
        footer.addAll(machineLines());
        Files.writeString(file, chart.svg(footer), StandardCharsets.UTF_8);
    }
}
