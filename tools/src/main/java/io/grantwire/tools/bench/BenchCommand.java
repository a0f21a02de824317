package io.grantwire.tools.bench;

import io.grantwire.tools.bench.dpdk.VsDpdkAction;
import io.grantwire.tools.bench.micro.CopyAction;
import io.grantwire.tools.bench.micro.MempoolAction;
import io.grantwire.tools.bench.micro.RingAction;
import io.grantwire.tools.bench.soak.SoakAction;
import io.grantwire.tools.cli.Cli;
import io.grantwire.tools.cli.Command;
import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.ExitStatus;
import io.grantwire.tools.cli.Logging;
import io.grantwire.tools.cli.UsageException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import java.util.logging.Level;

/** {@code bench}: how fast the packet path and its parts are. */
public final class BenchCommand implements Command {
    private static final Map<String, Supplier<BenchAction>> ACTIONS = new LinkedHashMap<>();

    static {
        ACTIONS.put("path", PathAction::new);
        ACTIONS.put("ring", RingAction::new);
        ACTIONS.put("mempool", MempoolAction::new);
        ACTIONS.put("copy", CopyAction::new);
        ACTIONS.put("scale", ScaleAction::new);
        ACTIONS.put("startup", StartupAction::new);
        ACTIONS.put("gc", GcAction::new);
        ACTIONS.put("vs-dpdk", VsDpdkAction::new);
        ACTIONS.put("soak", SoakAction::new);
    }

    @Override
    public int run(String[] args, Context context) throws Exception {
        String names = String.join(", ", ACTIONS.keySet());
        if (args.length == 0) {
            throw new UsageException("Say what to measure: " + names);
        }
        if (args[0].equals("--help") || args[0].equals("-h")) {
            printHelp(context);
            return ExitStatus.OK;
        }
        Supplier<BenchAction> create = ACTIONS.get(args[0]);
        if (create == null) {
            throw new UsageException("Unknown benchmark '" + args[0] + "': " + names);
        }
        BenchAction action = create.get();
        if (!Cli.parse(action, Arrays.copyOfRange(args, 1, args.length), context)) {
            return ExitStatus.OK;
        }
        action.check();
        Logging.start(Level.WARNING, context.err());
        try {
            return action.run(context);
        } finally {
            context.out().flush();
        }
    }

    private static void printHelp(Context context) {
        context.out().println("Usage: grantwire bench <benchmark> [options]");
        context.out().println();
        context.out().println("Measures the packet path and its parts on this machine.");
        context.out().println();
        context.out().println("Benchmarks:");
        ACTIONS.forEach((name, create) ->
                context.out()
                        .printf(
                                "  %-8s  %s%n",
                                name,
                                Cli.lineOf(create.get())
                                        .getCommandSpec()
                                        .usageMessage()
                                        .description()[0]));
        context.out().println();
        context.out().println("grantwire bench <benchmark> --help shows the options.");
    }
}
