package io.grantwire.tools.bench.micro;

import io.grantwire.pmd.ring.Ring;
import io.grantwire.tools.bench.Spread;
import io.grantwire.tools.cli.Cli;
import io.grantwire.tools.cli.Command;
import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.ExitStatus;
import io.grantwire.tools.cli.Json;
import io.grantwire.tools.cli.Logging;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.logging.Level;
import picocli.CommandLine.Option;

/**
 * One small benchmark in a JVM of its own, so that what the compiler has learned from others does
 * not count. Prints one line of JSON.
 */
public final class MicroCommand implements Command {
    @picocli.CommandLine.Command(
            name = "grantwire bench-micro",
            description = "One small benchmark; grantwire bench starts it.")
    private static final class Options {
        @Option(names = "--what", paramLabel = "NAME", required = true)
        String what;

        @Option(names = "--sync", paramLabel = "SYNC")
        Ring.Sync sync = Ring.Sync.SINGLE;

        @Option(names = "--bulk", paramLabel = "N")
        int bulk = 32;

        @Option(names = "--cpu1", paramLabel = "N")
        int cpu1;

        @Option(names = "--cpu2", paramLabel = "N")
        int cpu2 = 1;

        @Option(names = "--rounds", paramLabel = "N")
        int rounds = 20;

        @Option(names = "--size", paramLabel = "BYTES")
        int size = 64;

        @Option(
                names = {"-h", "--help"},
                usageHelp = true)
        boolean help;
    }

    @Override
    public int run(String[] args, Context context) throws InterruptedException {
        Options o = new Options();
        if (!Cli.parse(o, args, context)) {
            return ExitStatus.OK;
        }
        Logging.start(Level.WARNING, context.err());
        Spread nanos =
                switch (o.what) {
                    case "ring-one-core" -> RingLoops.oneCore(o.sync, o.bulk, o.cpu1, o.rounds);
                    case "ring-two-cores" ->
                            RingLoops.twoCores(o.sync, o.bulk, o.cpu1, o.cpu2, o.rounds);
                    case "mempool-bulk" -> MempoolLoops.bulks(o.bulk, o.cpu1, o.rounds);
                    case "mempool-single" -> MempoolLoops.singles(o.bulk, o.cpu1, o.rounds);
                    case "mempool-across" -> MempoolLoops.across(o.bulk, o.cpu1, o.cpu2, o.rounds);
                    case "copy-near" -> CopyLoops.near(o.size, o.cpu1, o.rounds);
                    case "copy-ring" -> CopyLoops.ring(o.size, o.cpu1, o.rounds);
                    default -> throw new IllegalArgumentException("no benchmark " + o.what);
                };
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("nanos", nanos.median());
        map.put("nanos_min", nanos.min());
        map.put("nanos_max", nanos.max());
        context.out().println(Json.line(map));
        return ExitStatus.OK;
    }
}
