package io.grantwire.tools.doctor;

import io.grantwire.tools.cli.Cli;
import io.grantwire.tools.cli.Command;
import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.ExitStatus;
import io.grantwire.tools.cli.Json;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Option;

/** {@code doctor}: what this machine offers, and the command that mends each lack. */
public final class DoctorCommand implements Command {
    private static final List<Probe> PROBES =
            List.of(
                    new XenProbe(),
                    new NicProbe(),
                    new MemoryProbe(),
                    new JavaProbe(),
                    new ProgramProbe());

    @picocli.CommandLine.Command(
            name = "grantwire doctor",
            description = "Show what this machine offers, and the command that mends each lack.")
    private static final class Options {
        @Option(names = "--json", description = "Report as JSON.")
        boolean json;

        @Option(
                names = {"-h", "--help"},
                usageHelp = true,
                description = "Show this page.")
        boolean help;
    }

    @Override
    public int run(String[] args, Context context) {
        Options options = new Options();
        if (!Cli.parse(options, args, context)) {
            return ExitStatus.OK;
        }
        List<Finding> findings = look(Machine.here());
        if (options.json) {
            context.out().println(Json.pretty(report(findings)));
        } else {
            print(findings, io.grantwire.bindings.Process.euid() == 0, context.out());
        }
        return ExitStatus.OK;
    }

    static List<Finding> look(Machine machine) {
        List<Finding> findings = new ArrayList<>();
        PROBES.forEach(probe -> findings.addAll(probe.look(machine)));
        return findings;
    }

    private static Map<String, Object> report(List<Finding> findings) {
        Map<String, Object> report = new LinkedHashMap<>();
        report.put("findings", findings.stream().map(Finding::toMap).toList());
        return report;
    }

    /**
     * @param root whether the commands need no sudo, which small systems do not have
     */
    static void print(List<Finding> findings, boolean root, PrintStream out) {
        String area = "";
        int lacks = 0;
        for (Finding finding : findings) {
            if (!finding.area().equals(area)) {
                area = finding.area();
                out.println(area);
            }
            String state =
                    switch (finding.state()) {
                        case OK -> "ok  ";
                        case LACK -> "lack";
                        case NOTE -> "  - ";
                    };
            out.println("  " + state + "  " + finding.what() + ": " + finding.detail());
            if (!finding.mend().isEmpty()) {
                lacks++;
                String mend = root ? finding.mend().replace("sudo ", "") : finding.mend();
                out.println("          type: " + mend);
            }
        }
        out.println();
        out.println(
                lacks == 0
                        ? "Nothing lacks."
                        : lacks
                                + (lacks == 1 ? " thing lacks" : " things lack")
                                + "; the emulated host (grantwire demo) needs none of them.");
    }
}
