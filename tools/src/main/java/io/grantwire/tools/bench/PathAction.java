package io.grantwire.tools.bench;

import io.grantwire.tools.bench.report.BarChart;
import io.grantwire.tools.bench.report.Report;
import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.ExitStatus;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench path}: frames between a back end and guests, each in a process of its own. */
@Command(
        name = "grantwire bench path",
        sortOptions = false,
        description = {
            "frames between switch and guest, each process on its own core",
            "",
            "The back end's device or switch, and the guest's xenvirt device, joined through an"
                    + " emulated host. Frames that went all the way are counted where they end. One"
                    + " case and one size with --json give one object, otherwise a list."
        })
public final class PathAction implements BenchAction {
    @Option(
            names = "--case",
            paramLabel = "CASE[,…]",
            description = "to-guest, from-guest, round-trip, guest-to-guest (default: all).")
    String cases = PathCase.keys();

    @Option(
            names = "--size",
            paramLabel = "BYTES[,…]",
            description =
                    "Bytes of a frame without CRC, 64 to 1518, or imix (default: "
                            + FrameSizes.ALL
                            + ").")
    String sizes = FrameSizes.ALL;

    @Mixin Timing timing = new Timing();

    @Option(names = "--burst", paramLabel = "N", description = "Frames per burst (default: 32).")
    int burst = 32;

    @Mixin CommonOptions common = new CommonOptions();

    @Override
    public void check() {
        PathCase.parseList(cases);
        FrameSizes.parseList(sizes);
        timing.check();
        if (burst < 1 || burst > 256) {
            throw new io.grantwire.tools.cli.UsageException("--burst " + burst + ": 1 to 256");
        }
    }

    @Override
    public int run(Context context) throws Exception {
        List<Integer> cpus = common.cpus(2);
        Tsc tsc = Tsc.here();
        Report report =
                new Report(
                                "path",
                                "Packet path, median of the seconds that count",
                                MachineFacts.of(cpus, tsc))
                        .column("case", "case", "")
                        .column("size", "size", "%.0f")
                        .column("mpps", "Mpps", "%.2f")
                        .column("mpps_min", "min", "%.2f")
                        .column("mpps_max", "max", "%.2f")
                        .column("gbps", "Gbit/s", "%.1f")
                        .column("cycles_per_packet", "cycles", "%.1f")
                        .column("alloc_bytes_per_packet", "alloc B", "%.3f");
        report.single();
        BarChart chart = new BarChart("Packet path", "Mpps");
        for (PathCase one : PathCase.parseList(cases)) {
            for (FrameSizes size : FrameSizes.parseList(sizes)) {
                PathResult result =
                        new PathRun(one, size, cpus)
                                .times(timing.warmup(), timing.duration())
                                .peerOptions(List.of("--burst", Integer.toString(burst)))
                                .run(context.stop(), tsc);
                report.row(result.row());
                chart.bar(size.name(), one.title(), result.mpps().median());
            }
        }
        report.chart(chart);
        common.show(report, context);
        return ExitStatus.OK;
    }
}
