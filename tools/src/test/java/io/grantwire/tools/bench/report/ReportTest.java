package io.grantwire.tools.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;

class ReportTest {
    private static Report report() {
        return new Report("path", "Packet path", Map.of("jdk", "25"))
                .column("case", "case", "")
                .column("mpps", "Mpps", "%.2f");
    }

    private static Map<String, Object> row(String name, double mpps) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("case", name);
        row.put("mpps", mpps);
        row.put("hidden", 1);
        return row;
    }

    @Test
    void aTableHasNumbersToTheRight() {
        Report report = report();
        report.row(row("to-guest", 40.125));
        report.row(row("round-trip", 9));
        report.note("seen on a Tuesday");
        assertEquals(
                """
                Packet path

                case         Mpps
                to-guest    40.13
                round-trip   9.00

                seen on a Tuesday
                jdk: 25
                """,
                report.text());
    }

    @Test
    void oneResultIsOneObjectAndSeveralAreAList() {
        Report one = report();
        one.single();
        one.row(row("to-guest", 40));
        JsonObject object = JsonParser.parseString(one.json()).getAsJsonObject();
        assertEquals("to-guest", object.get("case").getAsString());
        assertEquals("25", object.getAsJsonObject("machine").get("jdk").getAsString());
        one.row(row("from-guest", 41));
        JsonObject several = JsonParser.parseString(one.json()).getAsJsonObject();
        assertEquals("path", several.get("bench").getAsString());
        assertEquals(2, several.getAsJsonArray("results").size());
    }

    @Test
    void theChartIsXmlWithABarForEachValue(@TempDir Path dir) throws Exception {
        Report report = report();
        report.note("a < b & c");
        report.chart(
                new BarChart("Path <64 B>", "Mpps")
                        .bar("64", "DPDK", 33)
                        .bar("64", "Grantwire", 45)
                        .bar("512", "DPDK", 26));
        Path file = dir.resolve("chart.svg");
        report.writeChart(file);
        byte[] bytes = Files.readAllBytes(file);
        Document document =
                DocumentBuilderFactory.newInstance()
                        .newDocumentBuilder()
                        .parse(new ByteArrayInputStream(bytes));
        // The background, two in the legend, three bars.
        assertEquals(6, document.getElementsByTagName("rect").getLength());
        String text = new String(bytes, StandardCharsets.UTF_8);
        for (String part : List.of("Path &lt;64 B&gt;", ">45<", "a &lt; b &amp; c", "jdk: 25")) {
            assertTrue(text.contains(part), part);
        }
    }

    @Test
    void axesEndAtRoundNumbers() {
        assertEquals(50, BarChart.axisTop(45));
        assertEquals(50, BarChart.axisTop(50));
        assertEquals(100, BarChart.axisTop(51));
        assertEquals(0.25, BarChart.axisTop(0.21), 1e-12);
        assertEquals(1, BarChart.axisTop(0));
    }
}
