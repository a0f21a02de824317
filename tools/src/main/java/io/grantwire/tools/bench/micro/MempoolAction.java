package io.grantwire.tools.bench.micro;

import io.grantwire.tools.bench.BenchAction;
import io.grantwire.tools.bench.CommonOptions;
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

/** {@code bench mempool}: taking mbufs and giving them back. */
@Command(
        name = "grantwire bench mempool",
        sortOptions = false,
        description = {
            "packet buffers: taken from a pool and given back",
            "",
            "Cycles per mbuf for both together; on two cores, one takes and the other gives back."
        })
public final class MempoolAction implements BenchAction {
    @Option(names = "--bulk", paramLabel = "N", description = "Buffers at once (default: 32).")
    int bulk = 32;

    @Option(names = "--rounds", paramLabel = "N", description = "Rounds (default: 20).")
    int rounds = 20;

    @Mixin CommonOptions common = new CommonOptions();

    @Override
    public void check() {
        if (bulk < 1 || bulk > 512) {
            throw new UsageException("--bulk " + bulk + ": 1 to 512");
        }
        if (rounds < 1 || rounds > 1000) {
            throw new UsageException("--rounds " + rounds + ": 1 to 1000");
        }
    }

    @Override
    public int run(Context context) throws Exception {
        List<Integer> cpus = common.cpus(2);
        Tsc tsc = Tsc.here();
        Report report =
                new Report(
                                "mempool",
                                "Mempool, median of " + rounds + " rounds",
                                MachineFacts.of(cpus, tsc))
                        .column("what", "what", "")
                        .column("bulk", "bulk", "%.0f")
                        .column("cycles", "cycles per mbuf", "%.2f")
                        .column("cycles_min", "min", "%.2f")
                        .column("cycles_max", "max", "%.2f");
        BarChart chart = new BarChart("Mempool", "cycles per mbuf");
        for (String what : List.of("bulk", "single", "across")) {
            Spread nanos =
                    MicroRun.run(
                            context.stop(),
                            "--what",
                            "mempool-" + what,
                            "--bulk",
                            Integer.toString(bulk),
                            "--cpu1",
                            cpus.get(0).toString(),
                            "--cpu2",
                            cpus.get(1).toString(),
                            "--rounds",
                            Integer.toString(rounds));
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("what", what);
            row.put("bulk", bulk);
            row.put("cycles", tsc.cycles(nanos.median()));
            row.put("cycles_min", tsc.cycles(nanos.min()));
            row.put("cycles_max", tsc.cycles(nanos.max()));
            report.row(row);
            chart.bar(what, "Grantwire", tsc.cycles(nanos.median()));
        }
        report.chart(chart);
        common.show(report, context);
        return ExitStatus.OK;
    }
}
