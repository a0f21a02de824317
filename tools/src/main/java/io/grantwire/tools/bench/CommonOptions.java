package io.grantwire.tools.bench;

import io.grantwire.bindings.CpuAffinity;
import io.grantwire.tools.bench.report.Report;
import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.UsageException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine.Option;

/** What every benchmark takes: where to run, and how to show the result. */
public final class CommonOptions {
    @Option(
            names = "--cores",
            paramLabel = "LIST",
            description =
                    "CPUs for the polling threads, one each, in this order (default: the first two"
                            + " that this process may use).")
    String cores;

    @Option(names = "--json", description = "Print JSON instead of a table.")
    boolean json;

    @Option(
            names = "--chart",
            paramLabel = "FILE",
            description = "Also write a chart, SVG, to this file.")
    Path chart;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this page.")
    boolean help;

    /**
     * The CPUs to use.
     *
     * @param least how many there must be
     * @throws UsageException when there are fewer, or one may not be used
     */
    public List<Integer> cpus(int least) {
        int[] allowed = CpuAffinity.allowed();
        List<Integer> cpus = new ArrayList<>();
        if (cores == null) {
            for (int i = 0; i < Math.min(least, allowed.length); i++) {
                cpus.add(allowed[i]);
            }
        } else {
            for (String part : cores.split(",", -1)) {
                if (!part.matches("[0-9]{1,4}")) {
                    throw new UsageException("--cores '" + cores + "': write CPUs as 0,1");
                }
                int cpu = Integer.parseInt(part);
                if (Arrays.stream(allowed).noneMatch(a -> a == cpu)) {
                    throw new UsageException(
                            "--cores "
                                    + cores
                                    + ": this process may not use CPU "
                                    + cpu
                                    + ", only "
                                    + Arrays.toString(allowed));
                }
                cpus.add(cpu);
            }
        }
        if (cpus.size() < least) {
            throw new UsageException(
                    "This needs "
                            + least
                            + " CPUs, and there "
                            + (cpus.size() == 1 ? "is 1" : "are " + cpus.size())
                            + (cores == null ? " that this process may use" : " in --cores"));
        }
        return List.copyOf(cpus);
    }

    /** Whether JSON is wanted. */
    public boolean json() {
        return json;
    }

    /** Prints a report as asked, and writes its chart when one is wanted. */
    public void show(Report report, Context context) throws IOException {
        if (json) {
            context.out().println(report.json());
        } else {
            context.out().print(report.text());
        }
        if (chart != null) {
            report.writeChart(chart);
            context.err().println("grantwire bench: chart in " + chart);
        }
    }
}
