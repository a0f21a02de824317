package io.grantwire.tools.bench;

import io.grantwire.tools.bench.report.BarChart;
import io.grantwire.tools.bench.report.Report;
import io.grantwire.tools.cli.CommandFailure;
import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.ExitStatus;
import io.grantwire.tools.cli.UsageException;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench gc}: what each garbage collector does to the packet path. */
@Command(
        name = "grantwire bench gc",
        sortOptions = false,
        description = {
            "throughput and worst gap of the polling loop under each garbage collector",
            "",
            "The packet path allocates nothing; another thread of each process makes garbage"
                    + " meanwhile. A gap is the time between two rounds of a polling loop, whatever"
                    + " the reason: what the machine itself does to a thread counts as well."
        })
public final class GcAction implements BenchAction {
    private static final List<String> ALL = List.of("Serial", "Parallel", "G1", "Z", "Shenandoah");

    @Option(
            names = "--collectors",
            paramLabel = "NAME[,…]",
            description = "Serial, Parallel, G1, Z, Shenandoah (default: all).")
    String collectors = String.join(",", ALL);

    @Option(
            names = "--garbage",
            paramLabel = "MB",
            description = "Megabytes of garbage a second in each process (default: 20).")
    int garbage = 20;

    @Option(names = "--heap", paramLabel = "MB", description = "Java heap (default: 256).")
    int heap = 256;

    @Option(names = "--size", paramLabel = "BYTES", description = "Frame size (default: 64).")
    String size = "64";

    @Mixin Timing timing = new Timing();
    @Mixin CommonOptions common = new CommonOptions();

    @Override
    public void check() {
        for (String name : collectors.split(",", -1)) {
            if (!ALL.contains(name)) {
                throw new UsageException(
                        "--collectors '" + name + "': one of " + String.join(", ", ALL));
            }
        }
        FrameSizes.parse(size);
        timing.check();
        if (garbage < 0 || garbage > 10_000) {
            throw new UsageException("--garbage " + garbage + ": 0 to 10000 MB");
        }
        if (heap < 64 || heap > 100_000) {
            throw new UsageException("--heap " + heap + ": 64 to 100000 MB");
        }
    }

    @Override
    public int run(Context context) throws Exception {
        List<Integer> cpus = common.cpus(2);
        Tsc tsc = Tsc.here();
        Report report =
                new Report(
                                "gc",
                                "Garbage collectors: switch → guest, "
                                        + size
                                        + " bytes, "
                                        + garbage
                                        + " MB of garbage a second, heap "
                                        + heap
                                        + " MB",
                                MachineFacts.of(cpus, tsc))
                        .column("collector", "collector", "")
                        .column("mpps", "Mpps", "%.2f")
                        .column("mpps_min", "min", "%.2f")
                        .column("gap_us_switch", "worst gap µs, switch", "%.0f")
                        .column("gap_us_guest", "guest", "%.0f")
                        .column("resident_mib_switch", "switch MiB", "%.0f")
                        .column("resident_mib_guest", "guest MiB", "%.0f");
        BarChart chart = new BarChart("Worst gap of a polling loop", "µs");
        for (String name : collectors.split(",")) {
            try {
                PathResult result = measure(name, cpus, tsc, context);
                Map<String, Object> row = result.row();
                row.put("collector", name);
                row.put("gap_us_switch", result.hostGapNanos() / 1000);
                row.put("gap_us_guest", result.guestGapNanos() / 1000);
                report.row(row);
                chart.bar(name, "switch", result.hostGapNanos() / 1e3);
                chart.bar(name, "guest", result.guestGapNanos() / 1e3);
            } catch (CommandFailure e) {
                // A JDK without one of them is no reason to leave out the others.
                report.note(name + ": " + e.getMessage());
            }
        }
        report.chart(chart);
        common.show(report, context);
        return report.rows().isEmpty() ? ExitStatus.FAILED : ExitStatus.OK;
    }

    private PathResult measure(String name, List<Integer> cpus, Tsc tsc, Context context)
            throws java.io.IOException {
        return new PathRun(PathCase.TO_GUEST, FrameSizes.parse(size), cpus)
                .times(timing.warmup(), timing.duration())
                .peerOptions(List.of("--gaps", "--garbage", Integer.toString(garbage)))
                .jvmFlags(
                        flag -> flag.matches("-XX:\\+Use\\w+GC|-Xm[sx].*"),
                        List.of("-XX:+Use" + name + "GC", "-Xms" + heap + "m", "-Xmx" + heap + "m"))
                .run(context.stop(), tsc);
    }
}
