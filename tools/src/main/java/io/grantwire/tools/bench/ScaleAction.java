package io.grantwire.tools.bench;

import io.grantwire.tools.bench.report.BarChart;
import io.grantwire.tools.bench.report.Report;
import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.ExitStatus;
import io.grantwire.tools.cli.UsageException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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
                        .column("cost_ratio", "cost ÷ one guest", "%.2f")
                        .column("idle_percent", "% per idle guest", "%.2f")
                        .column("resident_mib_switch", "switch MiB", "%.0f")
                        .column("resident_mib_guest", "guests MiB", "%.0f");
        BarChart chart = new BarChart("Guests on one switch", "cycles per packet");
        double one = 0;
        for (int n : numbers()) {
            PathResult all = measure(n, n, cpus, tsc, context);
            if (one == 0) {
                one = cost(all);
            }
            add(report, n, n, all, one);
            chart.bar(Integer.toString(n), "all busy", cost(all));
            if (n > 1) {
                PathResult idle = measure(n, 1, cpus, tsc, context);
                add(report, n, 1, idle, one);
                chart.bar(Integer.toString(n), "one busy", cost(idle));
            }
        }
        report.chart(chart);
        common.show(report, context);
        return ExitStatus.OK;
    }

    private PathResult measure(int n, int busy, List<Integer> cpus, Tsc tsc, Context context)
            throws java.io.IOException {
        return new PathRun(PathCase.GUEST_TO_GUEST, FrameSizes.parse(size), cpus)
                .guests(n)
                .times(timing.warmup(), timing.duration())
                .peerOptions(
                        List.of(
                                "--scale",
                                "--busy",
                                Integer.toString(busy),
                                "--load",
                                Double.toString(load)))
                .run(context.stop(), tsc);
    }

    private double cost(PathResult result) {
        return load == 0 ? result.cyclesPerPacket() : result.busyCyclesPerPacket();
    }

    private void add(Report report, int n, int busy, PathResult result, double one) {
        Map<String, Object> row = result.row();
        row.remove("case");
        row.put("guests", n);
        row.put("busy", busy);
        row.put("cycles_per_packet", PathResult.rounded(cost(result)));
        double ratio = cost(result) / one;
        row.put("cost_ratio", PathResult.rounded(ratio));
        if (busy < n) {
            row.put("idle_percent", PathResult.rounded(100 * (ratio - 1) / (n - busy)));
        }
        report.row(row);
    }
}
