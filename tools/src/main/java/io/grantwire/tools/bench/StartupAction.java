package io.grantwire.tools.bench;

import io.grantwire.tools.bench.peer.Sample;
import io.grantwire.tools.bench.report.BarChart;
import io.grantwire.tools.bench.report.Report;
import io.grantwire.tools.cli.CommandFailure;
import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.ExitStatus;
import io.grantwire.tools.cli.UsageException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench startup}: how long until frames move, and until they move as fast as they will. */
@Command(
        name = "grantwire bench startup",
        sortOptions = false,
        description = {
            "from the switch's start to the first frame, and to nine tenths of the peak",
            "",
            "Times from the start of the switch's process; the guests' process starts when the"
                    + " switch is up. The peak is the median rate of the last quarter of the run."
                    + " Polling threads rest without work, as those of all commands do."
        })
public final class StartupAction implements BenchAction {
    private static final int INTERVAL_MILLIS = 100;

    /** Samples that a rate is taken over: half a second. */
    private static final int WINDOW = 5;

    private static final double SHARE = 0.9;

    @Option(names = "--runs", paramLabel = "N", description = "Runs (default: 5).")
    int runs = 5;

    @Option(names = "--duration", paramLabel = "S", description = "Seconds of a run (default: 12).")
    int seconds = 12;

    @Option(
            names = "--case",
            paramLabel = "CASE",
            description = "to-guest or guest-to-guest (default: guest-to-guest).")
    String pathCase = "guest-to-guest";

    @Option(names = "--size", paramLabel = "BYTES", description = "Frame size (default: 64).")
    String size = "64";

    @Mixin CommonOptions common = new CommonOptions();

    @Override
    public void check() {
        if (PathCase.parse(pathCase).countedByHost()) {
            throw new UsageException("--case " + pathCase + ": to-guest or guest-to-guest");
        }
        FrameSizes.parse(size);
        if (runs < 1 || runs > 100) {
            throw new UsageException("--runs " + runs + ": 1 to 100");
        }
        if (seconds < 2 || seconds > 120) {
            throw new UsageException("--duration " + seconds + ": 2 to 120");
        }
    }

    @Override
    public int run(Context context) throws Exception {
        List<Integer> cpus = common.cpus(2);
        Tsc tsc = Tsc.here();
        Report report =
                new Report(
                                "startup",
                                "Start of the switch to the first frame, and to 90 % of the peak",
                                MachineFacts.of(cpus, tsc))
                        .column("run", "run", "%.0f")
                        .column("up_ms", "switch up ms", "%.0f")
                        .column("first_frame_ms", "first frame ms", "%.0f")
                        .column("peak_90_ms", "90 % of peak ms", "%.0f")
                        .column("mpps", "peak Mpps", "%.2f");
        BarChart chart = new BarChart("Start of the switch", "ms");
        List<Double> up = new ArrayList<>();
        List<Double> first = new ArrayList<>();
        List<Double> warm = new ArrayList<>();
        for (int i = 1; i <= runs; i++) {
            Map<String, Object> row = measure(cpus, context);
            row.put("run", i);
            report.row(row);
            up.add(millis(row, "up_ms"));
            first.add(millis(row, "first_frame_ms"));
            warm.add(millis(row, "peak_90_ms"));
            chart.bar("run " + i, "switch up", up.getLast());
            chart.bar("run " + i, "first frame", first.getLast());
            chart.bar("run " + i, "90 % of the peak", warm.getLast());
        }
        report.note(
                String.format(
                        java.util.Locale.ROOT,
                        "medians: switch up after %.0f ms, first frame after %.0f ms, 90 %% of the peak after %.0f ms",
                        Spread.of(up).median(),
                        Spread.of(first).median(),
                        Spread.of(warm).median()));
        report.chart(chart);
        common.show(report, context);
        return ExitStatus.OK;
    }

    private Map<String, Object> measure(List<Integer> cpus, Context context)
            throws java.io.IOException {
        PathCase one = PathCase.parse(pathCase);
        try (Rig rig = Rig.create(flag -> false, List.of(), context.stop())) {
            rig.start(args(one, cpus.get(0)), args(one, cpus.get(1)));
            rig.run(Duration.ofSeconds(seconds));
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("up_ms", (rig.upNanos() - rig.startedNanos()) / 1_000_000);
            row.putAll(evaluate(rig.guestSamples(), rig.startedNanos()));
            return row;
        }
    }

    private static double millis(Map<String, Object> row, String column) {
        return ((Number) row.get(column)).doubleValue();
    }

    private List<String> args(PathCase one, int cpu) {
        int guests = one == PathCase.GUEST_TO_GUEST ? 2 : 1;
        return List.of(
                "--case",
                one.key(),
                "--size",
                size,
                "--cpu",
                Integer.toString(cpu),
                "--guests",
                Integer.toString(guests),
                "--interval",
                Integer.toString(INTERVAL_MILLIS),
                "--rest",
                "--now");
    }

    /** The figures of a run. */
    static Map<String, Object> evaluate(List<Sample> samples, long started) {
        if (samples.size() < 4 * WINDOW || samples.getLast().firstNanos() == 0) {
            throw new CommandFailure("no frame arrived, or too few samples");
        }
        List<Double> late = new ArrayList<>();
        for (int i = 3 * samples.size() / 4; i + WINDOW < samples.size(); i++) {
            late.add(rate(samples, i));
        }
        double peak = Spread.of(late).median();
        int i = 0;
        while (i + WINDOW < samples.size() - 1 && rate(samples, i) < SHARE * peak) {
            i++;
        }
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("first_frame_ms", (samples.getLast().firstNanos() - started) / 1_000_000);
        row.put("peak_90_ms", Math.max(0, (samples.get(i).nanos() - started) / 1_000_000));
        row.put("mpps", PathResult.rounded(peak));
        return row;
    }

    private static double rate(List<Sample> samples, int from) {
        Sample a = samples.get(from);
        Sample b = samples.get(from + WINDOW);
        return 1e3 * (b.frames() - a.frames()) / (b.nanos() - a.nanos());
    }
}
