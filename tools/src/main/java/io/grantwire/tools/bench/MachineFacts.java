package io.grantwire.tools.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a figure depends on: processor, kernel, JDK and its options, load; for every report. */
public final class MachineFacts {
    private MachineFacts() {}

    /**
     * The facts by name, in the order in which they are shown.
     *
     * @param cpus where the polling threads run
     */
    public static Map<String, Object> of(List<Integer> cpus, Tsc tsc) {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("date", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        facts.put("cpu", cpuModel());
        facts.put("cpus", Runtime.getRuntime().availableProcessors());
        facts.put("pinned_to", cpus);
        facts.put("tsc_mhz", Math.round(tsc.megahertz() * 10) / 10.0);
        facts.put("tsc_source", tsc.source());
        facts.put("kernel", System.getProperty("os.version"));
        facts.put("load", firstLine(Path.of("/proc/loadavg")));
        facts.put("hugepages", firstLine(Path.of("/proc/sys/vm/nr_hugepages")));
        facts.put("jdk", System.getProperty("java.vendor") + " " + Runtime.version());
        facts.put("jvm_flags", flags());
        return facts;
    }

    private static String cpuModel() {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/cpuinfo"))) {
                if (line.startsWith("model name")) {
                    return line.substring(line.indexOf(':') + 1).strip();
                }
            }
        } catch (IOException e) {
            // Told as below.
        }
        return System.getProperty("os.arch");
    }

    /** The options that change how code runs; paths of this installation say nothing. */
    private static List<String> flags() {
        return ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(flag -> flag.startsWith("-X"))
                .map(flag -> flag.replaceFirst("^(-XX:AOTCache)=.*", "$1"))
                .filter(flag -> !flag.startsWith("-Xlog"))
                .toList();
    }

    private static String firstLine(Path file) {
        // With a buffer: files in /proc/sys give what one read takes, and then say that they end.
        try (BufferedReader reader = Files.newBufferedReader(file)) {
            String line = reader.readLine();
            return line == null ? "" : line;
        } catch (IOException e) {
            return "unknown";
        }
    }
}
