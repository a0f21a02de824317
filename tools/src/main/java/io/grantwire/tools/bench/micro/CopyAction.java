package io.grantwire.tools.bench.micro;

import io.grantwire.tools.bench.BenchAction;
import io.grantwire.tools.bench.CommonOptions;
import io.grantwire.tools.bench.FrameSizes;
import io.grantwire.tools.bench.MachineFacts;
import io.grantwire.tools.bench.Spread;
import io.grantwire.tools.bench.Tsc;
import io.grantwire.tools.bench.report.BarChart;
import io.grantwire.tools.bench.report.Report;
import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.ExitStatus;
import io.grantwire.tools.cli.UsageException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench copy}: the copy of a frame. */
@Command(
        name = "grantwire bench copy",
        sortOptions = false,
        description = {
            "the copy of a frame from one pool into another, by size",
            "",
            "near: between the same buffers, the instructions alone. ring: into 256 buffers in turn,"
                    + " as a guest's ring has them."
        })
public final class CopyAction implements BenchAction {
    @Option(
            names = "--size",
            paramLabel = "BYTES[,…]",
            description = "Bytes of a frame, 64 to 1518 (default: 64,128,256,512,1024,1280,1518).")
    String sizes = "64,128,256,512,1024,1280,1518";

    @Option(names = "--rounds", paramLabel = "N", description = "Rounds (default: 20).")
    int rounds = 20;

    @Mixin CommonOptions common = new CommonOptions();

    @Override
    public void check() {
        for (FrameSizes size : FrameSizes.parseList(sizes)) {
            if (size.cycle().size() > 1) {
                throw new UsageException("--size: a copy has one size, not a mix");
            }
        }
        if (rounds < 1 || rounds > 1000) {
            throw new UsageException("--rounds " + rounds + ": 1 to 1000");
        }
    }

    @Override
    public int run(Context context) throws Exception {
        List<Integer> cpus = common.cpus(1);
        Tsc tsc = Tsc.here();
        Report report =
                new Report(
                                "copy",
                                "Copy of a frame, median of " + rounds + " rounds",
                                MachineFacts.of(cpus, tsc))
                        .column("size", "size", "%.0f")
                        .column("near_nanos", "near ns", "%.2f")
                        .column("near_cycles", "cycles", "%.1f")
                        .column("ring_nanos", "ring ns", "%.2f")
                        .column("ring_cycles", "cycles", "%.1f");
        BarChart chart = new BarChart("Copy of a frame", "ns");
        for (FrameSizes size : FrameSizes.parseList(sizes)) {
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("size", size.json());
            for (String what : List.of("near", "ring")) {
                Spread nanos =
                        MicroRun.run(
                                context.stop(),
                                "--what",
                                "copy-" + what,
                                "--size",
                                size.name(),
                                "--cpu1",
                                cpus.get(0).toString(),
                                "--rounds",
                                Integer.toString(rounds));
                row.put(what + "_nanos", nanos.median());
                row.put(what + "_cycles", tsc.cycles(nanos.median()));
                chart.bar(size.name(), what, nanos.median());
            }
            report.row(row);
        }
        report.chart(chart);
        common.show(report, context);
        return ExitStatus.OK;
    }
}
