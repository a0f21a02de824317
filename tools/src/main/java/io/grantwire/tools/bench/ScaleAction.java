package io.grantwire.tools.bench;

import io.grantwire.tools.bench.report.BarChart;
import io.grantwire.tools.bench.report.Report;
import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.ExitStatus;
import io.grantwire.tools.cli.UsageException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench scale}: many guests on one switch. */
@Command(
        name = "grantwire bench scale",
        sortOptions = false,
        description = {
            "one switch with 1 to 64 guests: all busy, and one busy among idle ones",
            "",
            "A wire brings frames, one for each busy guest in turn; the switch's worker runs on one"
                    + " core, all guests on another. What a frame costs is the time of the worker's"
                    + " rounds that find work; with --load 0 there are always frames, and it is the"
                    + " time between two."
        })
public final class ScaleAction implements BenchAction {
    private static final int MOST = 64;

    private record Case(int guests, int busy) {
        boolean all() {
            return busy == guests;
        }
    }

    @Option(
            names = "--guests",
            paramLabel = "N[,…]",
            description = "Numbers of guests (default: 1,2,4,8,16,32,64).")
    String guests = "1,2,4,8,16,32,64";

    @Option(names = "--size", paramLabel = "BYTES", description = "Frame size (default: 64).")
    String size = "64";

    @Option(
            names = "--load",
            paramLabel = "MPPS",
            description = {
                "Millions of frames a second from the wire, for all guests together; 0 for as"
                        + " many as are taken (default: 8)."
            })
    double load = 8;

    @Option(
            names = "--rx-usecs",
            paramLabel = "USEC",
            description = "As for the switch: how long frames may wait for more (default: 100).")
    int rxUsecs = 100;

    @Option(names = "--runs", paramLabel = "N", description = "Runs of each, in turn (default: 3).")
    int runs = 3;

    @Mixin Timing timing = new Timing();
    @Mixin CommonOptions common = new CommonOptions();

    @Override
    public void check() {
        numbers();
        if (FrameSizes.parse(size).cycle().size() > 1) {
            throw new UsageException("--size: one size, not a mix");
        }
        if (!(load >= 0 && load <= 100)) {
            throw new UsageException("--load " + load + ": 0 to 100");
        }
        if (rxUsecs < 0 || rxUsecs > 1000) {
            throw new UsageException("--rx-usecs " + rxUsecs + ": 0 to 1000");
        }
        if (runs < 1 || runs > 1000) {
            throw new UsageException("--runs " + runs + ": 1 to 1000");
        }
        timing.check();
    }

    private List<Integer> numbers() {
        List<Integer> numbers = new ArrayList<>();
        for (String part : guests.split(",", -1)) {
            if (!part.matches("[0-9]{1,2}")
                    || Integer.parseInt(part) < 1
                    || Integer.parseInt(part) > MOST) {
                throw new UsageException("--guests '" + guests + "': numbers from 1 to " + MOST);
            }
            numbers.add(Integer.parseInt(part));
        }
        return numbers;
    }

    @Override
    public int run(Context context) throws Exception {
        List<Integer> cpus = common.cpus(2);
        Tsc tsc = Tsc.here();
        Report report =
                new Report(
                                "scale",
                                "Guests on one switch, frames of "
                                        + size
                                        + " bytes from the wire, "
                                        + (load == 0 ? "as many as are taken" : load + " Mpps"),
                                MachineFacts.of(cpus, tsc))
                        .column("guests", "guests", "%.0f")
                        .column("busy", "busy", "%.0f")
                        .column("mpps", "Mpps", "%.2f")
                        .column("cycles_per_packet", "cycles", "%.1f")
                        .column("spread_percent", "spread %", "%.0f")
                        .column("cost_ratio", "cost ÷ one guest", "%.2f")
                        .column("idle_percent", "% per idle guest", "%.2f")
                        .column("resident_mib_switch", "switch MiB", "%.0f")
                        .column("resident_mib_guest", "guests MiB", "%.0f");
        Map<Case, List<PathResult>> results = measureInTurn(cpus, tsc, context);
        BarChart chart = new BarChart("Guests on one switch", "cycles per packet");
        double one = cost(results.values().iterator().next());
        results.forEach((c, runs) -> {
            report.row(row(c, runs, one));
            chart.bar(Integer.toString(c.guests), c.all() ? "all busy" : "one busy", cost(runs));
        });
        report.note("medians of " + runs + " runs in turn; spread: of all runs, of the median");
        report.chart(chart);
        common.show(report, context);
        return ExitStatus.OK;
    }

    /** Each case once, then each case again: what the machine does meanwhile hits all of them. */
    private Map<Case, List<PathResult>> measureInTurn(List<Integer> cpus, Tsc tsc, Context context)
            throws IOException {
        List<Case> cases = new ArrayList<>();
        for (int n : numbers()) {
            cases.add(new Case(n, n));
            if (n > 1) {
                cases.add(new Case(n, 1));
            }
        }
        Map<Case, List<PathResult>> results = new LinkedHashMap<>();
        for (int run = 0; run < runs; run++) {
            for (Case c : cases) {
                results.computeIfAbsent(c, k -> new ArrayList<>())
                        .add(measure(c.guests, c.busy, cpus, tsc, context));
            }
        }
        return results;
    }

    private PathResult measure(int n, int busy, List<Integer> cpus, Tsc tsc, Context context)
            throws IOException {
        return new PathRun(PathCase.GUEST_TO_GUEST, FrameSizes.parse(size), cpus)
                .guests(n)
                .times(timing.warmup(), timing.duration())
                .peerOptions(
                        List.of(
                                "--scale",
                                "--busy",
                                Integer.toString(busy),
                                "--load",
                                Double.toString(load),
                                "--rx-usecs",
                                Integer.toString(rxUsecs)))
                .run(context.stop(), tsc);
    }

    private double cost(PathResult result) {
        return load == 0 ? result.cyclesPerPacket() : result.busyCyclesPerPacket();
    }

    private double cost(List<PathResult> runs) {
        return spread(runs).median();
    }

    private Spread spread(List<PathResult> runs) {
        return Spread.of(runs.stream().map(this::cost).toList());
    }

    private Map<String, Object> row(Case c, List<PathResult> runs, double one) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("guests", c.guests);
        row.put("busy", c.busy);
        row.put("mpps", median(runs, r -> r.mpps().median()));
        row.put("cycles_per_packet", PathResult.rounded(cost(runs)));
        row.put("cycles_runs", runs.stream().map(r -> PathResult.rounded(cost(r))).toList());
        row.put("spread_percent", PathResult.rounded(spread(runs).percent()));
        double ratio = cost(runs) / one;
        row.put("cost_ratio", PathResult.rounded(ratio));
        if (!c.all()) {
            row.put("idle_percent", PathResult.rounded(100 * (ratio - 1) / (c.guests - c.busy)));
        }
        row.put("resident_mib_switch", median(runs, r -> r.hostResident() >> 20));
        row.put("resident_mib_guest", median(runs, r -> r.guestResident() >> 20));
        return row;
    }

    private static double median(List<PathResult> runs, ToDoubleFunction<PathResult> what) {
        return PathResult.rounded(Spread.of(runs.stream().mapToDouble(what).toArray()).median());
    }
}
