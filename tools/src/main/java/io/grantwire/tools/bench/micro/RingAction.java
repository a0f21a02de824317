package io.grantwire.tools.bench.micro;

import io.grantwire.pmd.ring.Ring;
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

/** {@code bench ring}: the ring between lcores, measured as DPDK measures rte_ring. */
@Command(
        name = "grantwire bench ring",
        sortOptions = false,
        description = {
            "the ring between lcores, as DPDK's ring_perf_autotest measures rte_ring",
            "",
            "On one core, cycles of an enqueue and a dequeue of a bulk; on two, cycles per element,"
                    + " producer's and consumer's added. Each in a JVM of its own."
        })
public final class RingAction implements BenchAction {
    @Option(names = "--bulk", paramLabel = "N", description = "Elements at once (default: 32).")
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
                                "ring",
                                "Ring, bulk " + bulk + ", median of " + rounds + " rounds",
                                MachineFacts.of(cpus, tsc))
                        .column("cores", "cores", "%.0f")
                        .column("sync", "sync", "")
                        .column("unit", "unit", "")
                        .column("cycles", "cycles", "%.2f")
                        .column("cycles_min", "min", "%.2f")
                        .column("cycles_max", "max", "%.2f");
        BarChart chart = new BarChart("Ring, bulk " + bulk, "cycles");
        for (int cores = 1; cores <= 2; cores++) {
            for (Ring.Sync sync : Ring.Sync.values()) {
                Spread nanos = measure(context, cores, sync, cpus);
                Map<String, Object> row = new LinkedHashMap<>();
                row.put("cores", cores);
                row.put("sync", sync.name());
                row.put("bulk", bulk);
                row.put("unit", cores == 1 ? "enqueue + dequeue of a bulk" : "element");
                row.put("cycles", tsc.cycles(nanos.median()));
                row.put("cycles_min", tsc.cycles(nanos.min()));
                row.put("cycles_max", tsc.cycles(nanos.max()));
                report.row(row);
                chart.bar(
                        cores == 1 ? "one core, pair" : "two cores, element",
                        sync.name(),
                        tsc.cycles(nanos.median()));
            }
        }
        report.chart(chart);
        common.show(report, context);
        return ExitStatus.OK;
    }

    private Spread measure(Context context, int cores, Ring.Sync sync, List<Integer> cpus)
            throws InterruptedException {
        return MicroRun.run(
                context.stop(),
                "--what",
                cores == 1 ? "ring-one-core" : "ring-two-cores",
                "--sync",
                sync.name(),
                "--bulk",
                Integer.toString(bulk),
                "--cpu1",
                cpus.get(0).toString(),
                "--cpu2",
                cpus.get(1).toString(),
                "--rounds",
                Integer.toString(rounds));
    }
}
