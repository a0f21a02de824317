package io.grantwire.tools.bench.dpdk;

import io.grantwire.bindings.HugePages;
import io.grantwire.pmd.ring.Ring;
import io.grantwire.tools.bench.BenchAction;
import io.grantwire.tools.bench.CommonOptions;
import io.grantwire.tools.bench.FrameSizes;
import io.grantwire.tools.bench.MachineFacts;
import io.grantwire.tools.bench.PathCase;
import io.grantwire.tools.bench.PathRun;
import io.grantwire.tools.bench.Spread;
import io.grantwire.tools.bench.Timing;
import io.grantwire.tools.bench.Tsc;
import io.grantwire.tools.bench.micro.MicroRun;
import io.grantwire.tools.bench.report.BarChart;
import io.grantwire.tools.bench.report.Report;
import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.ExitStatus;
import io.grantwire.tools.cli.UsageException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench vs-dpdk}: the same work, DPDK's programs and ours in turn. */
@Command(
        name = "grantwire bench vs-dpdk",
        sortOptions = false,
        description = {
            "the same work by DPDK's programs and by ours, in turn: medians and ratio",
            "",
            "DPDK's side is a testpmd with net_vhost and one with net_virtio_user, and for rings"
                    + " dpdk-test's ring_perf_autotest. Ours are bench path and bench ring."
        })
public final class VsDpdkAction implements BenchAction {
    @Option(
            names = "--case",
            paramLabel = "CASE[,…]",
            description = "to-guest, from-guest, round-trip, ring (default: all).")
    String cases = "to-guest,from-guest,round-trip,ring";

    @Option(
            names = "--size",
            paramLabel = "BYTES[,…]",
            description = "Frame sizes (default: 64,512,1518).")
    String sizes = "64,512,1518";

    @Option(names = "--runs", paramLabel = "N", description = "Runs of each (default: 5).")
    int runs = 5;

    @Mixin Timing timing = new Timing();
    @Mixin CommonOptions common = new CommonOptions();

    /** Where DPDK is; tests put something else here. */
    DpdkTools tools = DpdkTools.here();

    private final List<Map<String, Object>> rows = new ArrayList<>();

    @Override
    public void check() {
        for (String name : cases.split(",", -1)) {
            if (!name.equals("ring") && PathCase.parse(name) == PathCase.GUEST_TO_GUEST) {
                throw new UsageException(
                        "--case " + name + ": DPDK has no program to compare it with");
            }
        }
        for (FrameSizes size : FrameSizes.parseList(sizes)) {
            if (size.cycle().size() > 1) {
                throw new UsageException("--size imix: DPDK's testpmd cannot make it");
            }
        }
        if (runs < 1 || runs > 1000) {
            throw new UsageException("--runs " + runs + ": 1 to 1000");
        }
        timing.check();
    }

    @Override
    public int run(Context context) throws Exception {
        List<String> missing = tools.missing(HugePages.pools());
        if (!missing.isEmpty()) {
            context.err().println("grantwire bench vs-dpdk: DPDK cannot be run here:");
            missing.forEach(line -> context.err().println("  " + line));
            return ExitStatus.FAILED;
        }
        List<Integer> cpus = common.cpus(2);
        Tsc tsc = Tsc.here();
        Report report =
                new Report(
                                "vs-dpdk",
                                "Grantwire and DPDK in turn, medians of " + runs + " runs",
                                MachineFacts.of(cpus, tsc))
                        .column("case", "case", "")
                        .column("size", "size", "%.0f")
                        .column("unit", "unit", "")
                        .column("dpdk", "DPDK", "%.2f")
                        .column("dpdk_spread_percent", "spread %", "%.0f")
                        .column("grantwire", "Grantwire", "%.2f")
                        .column("grantwire_spread_percent", "spread %", "%.0f")
                        .column("ratio", "ratio", "%.2f");
        BarChart chart = new BarChart("Grantwire and DPDK", "Mpps");
        for (String name : cases.split(",")) {
            if (name.equals("ring")) {
                rings(context, cpus, tsc, report);
                continue;
            }
            PathCase one = PathCase.parse(name);
            for (FrameSizes size : FrameSizes.parseList(sizes)) {
                path(context, cpus, tsc, one, size);
                Map<String, Object> row = rows.getLast();
                chart.bar(one.key() + " " + size.name(), "DPDK", (double) row.get("dpdk"));
                chart.bar(
                        one.key() + " " + size.name(), "Grantwire", (double) row.get("grantwire"));
            }
        }
        rows.forEach(report::row);
        report.note("ratio: above 1, Grantwire is faster; spread: of all runs, of the median");
        report.chart(chart);
        common.show(report, context);
        return ExitStatus.OK;
    }

    private void path(Context context, List<Integer> cpus, Tsc tsc, PathCase one, FrameSizes size)
            throws IOException {
        List<Double> dpdk = new ArrayList<>();
        List<Double> ours = new ArrayList<>();
        for (int i = 1; i <= runs; i++) {
            try (TestpmdPair pair =
                    new TestpmdPair(
                            tools.program(DpdkTools.TESTPMD), one, size, cpus, context.stop())) {
                dpdk.add(pair.run(timing.warmup(), timing.duration()).median());
            }
            ours.add(
                    new PathRun(one, size, cpus)
                            .times(timing.warmup(), timing.duration())
                            .run(context.stop(), tsc)
                            .mpps()
                            .median());
            context.err()
                    .printf(
                            java.util.Locale.ROOT,
                            "  %s %s B, run %d of %d: DPDK %.2f, Grantwire %.2f Mpps%n",
                            one.key(),
                            size.name(),
                            i,
                            runs,
                            dpdk.getLast(),
                            ours.getLast());
        }
        Map<String, Object> row = row(one.key(), "Mpps", dpdk, ours);
        row.put("size", size.json());
        row.put("ratio", (double) row.get("grantwire") / (double) row.get("dpdk"));
        rows.add(row);
    }

    private static Map<String, Object> row(
            String name, String unit, List<Double> dpdk, List<Double> ours) {
        Spread theirs = Spread.of(dpdk);
        Spread mine = Spread.of(ours);
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("case", name);
        row.put("unit", unit);
        row.put("dpdk", theirs.median());
        row.put("dpdk_spread_percent", theirs.percent());
        row.put("dpdk_runs", dpdk);
        row.put("grantwire", mine.median());
        row.put("grantwire_spread_percent", mine.percent());
        row.put("grantwire_runs", ours);
        return row;
    }

    private void rings(Context context, List<Integer> cpus, Tsc tsc, Report report)
            throws InterruptedException {
        Path program = tools.program(DpdkTools.TEST);
        if (program == null) {
            report.note(
                    "rings are not compared: dpdk-test is not installed; on Debian type: apt-get"
                            + " install -y dpdk-dev");
            return;
        }
        Map<String, List<Double>> theirs = new LinkedHashMap<>();
        Map<String, List<Double>> mine = new LinkedHashMap<>();
        for (int i = 1; i <= runs; i++) {
            RingPerf.run(program, cpus, context.stop())
                    .forEach((what, cycles) ->
                            theirs.computeIfAbsent(what, w -> new ArrayList<>()).add(cycles));
            for (String what : theirs.keySet()) {
                mine.computeIfAbsent(what, w -> new ArrayList<>())
                        .add(tsc.cycles(ring(context, cpus, what)));
            }
            context.err().println("  ring, run " + i + " of " + runs);
        }
        for (String what : theirs.keySet()) {
            boolean one = what.startsWith("1");
            Map<String, Object> row =
                    row(
                            "ring " + what.substring(2) + (one ? ", one core" : ", two cores"),
                            one ? "cycles per pair of 32" : "cycles per element",
                            theirs.get(what),
                            mine.get(what));
            row.put("ratio", (double) row.get("dpdk") / (double) row.get("grantwire"));
            rows.add(row);
        }
    }

    private static double ring(Context context, List<Integer> cpus, String what)
            throws InterruptedException {
        Ring.Sync sync = what.endsWith("SP/SC") ? Ring.Sync.SINGLE : Ring.Sync.MULTI;
        return MicroRun.run(
                        context.stop(),
                        "--what",
                        what.startsWith("1") ? "ring-one-core" : "ring-two-cores",
                        "--sync",
                        sync.name(),
                        "--bulk",
                        "32",
                        "--cpu1",
                        cpus.get(0).toString(),
                        "--cpu2",
                        cpus.get(1).toString())
                .median();
    }
}
