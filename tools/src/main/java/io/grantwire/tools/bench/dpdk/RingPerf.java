package io.grantwire.tools.bench.dpdk;

import io.grantwire.tools.cli.CommandFailure;
import io.grantwire.tools.cli.StopRequest;
import io.grantwire.tools.process.Child;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** DPDK's {@code ring_perf_autotest}, and what it prints. */
final class RingPerf {
    /** Elements of 8 bytes, pointers; ours have 4. The test has no smaller ones. */
    private static final Pattern ELEMENT =
            Pattern.compile("legacy APIs: ([SM]P/[SM]C): bulk \\(size: 32\\): ([0-9.]+)");

    private static final Duration PATIENCE = Duration.ofMinutes(5);
    private static final long LOOK_MILLIS = 20;

    private RingPerf() {}

    /**
     * Runs it.
     *
     * @return cycles by what was measured: {@code 1 SP/SC} a pair of bulks of 32 on one core,
     *     {@code 2 SP/SC} an element on two; and MP/MC
     */
    static Map<String, Double> run(Path program, List<Integer> cpus, StopRequest stop) {
        List<String> lines = new ArrayList<>();
        List<String> command =
                List.of(
                        program.toString(),
                        "--lcores",
                        "0@" + cpus.get(0) + ",1@" + cpus.get(1),
                        "-m",
                        "256",
                        "--no-pci",
                        "--file-prefix=" + DpdkFiles.prefix("ring"));
        Child child =
                Child.start(
                        "dpdk-test",
                        command,
                        line -> {
                            synchronized (lines) {
                                lines.add(line);
                            }
                        });
        child.tell("ring_perf_autotest");
        child.tell("quit");
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (child.alive()) {
            if (stop.requested() || System.nanoTime() - deadline >= 0) {
                child.terminate();
                child.awaitEnd(Duration.ofSeconds(5));
                if (stop.requested()) {
                    throw new CancellationException("interrupted");
                }
                throw new CommandFailure("dpdk-test does not end");
            }
            try {
                Thread.sleep(LOOK_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new CancellationException("interrupted");
            }
        }
        child.awaitEnd(Duration.ofSeconds(5));
        DpdkFiles.removeOurs();
        synchronized (lines) {
            Map<String, Double> cycles = parse(lines);
            if (cycles.isEmpty()) {
                throw new CommandFailure(
                        "dpdk-test printed no figures; its last line: "
                                + (lines.isEmpty() ? "none" : lines.getLast()));
            }
            return cycles;
        }
    }

    /** The figures in the test's output. */
    static Map<String, Double> parse(List<String> lines) {
        Map<String, Double> cycles = new LinkedHashMap<>();
        int cores = 0;
        for (String line : lines) {
            if (line.startsWith("###")) {
                cores =
                        line.contains("Testing bulk enq/deq")
                                ? 1
                                : line.contains("Testing using two") ? 2 : 0;
            }
            Matcher m = ELEMENT.matcher(line.strip());
            if (cores > 0 && m.matches()) {
                cycles.putIfAbsent(cores + " " + m.group(1), Double.parseDouble(m.group(2)));
            }
        }
        return cycles;
    }
}
