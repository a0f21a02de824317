package io.grantwire.tools.xenstore;

import io.grantwire.tools.cli.Cli;
import io.grantwire.tools.cli.Command;
import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.ExitStatus;
import io.grantwire.tools.cli.Logging;
import io.grantwire.tools.cli.UsageException;
import io.grantwire.xenstore.Xenstore;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import java.util.logging.Level;

/** {@code xenstore}: the Xen tools' way with the store, on a real host or an emulated one. */
public final class XenstoreCommand implements Command {
    private static final Map<String, Supplier<StoreAction>> ACTIONS = new LinkedHashMap<>();

    static {
        ACTIONS.put("ls", LsAction::new);
        ACTIONS.put("list", ListAction::new);
        ACTIONS.put("read", ReadAction::new);
        ACTIONS.put("write", WriteAction::new);
        ACTIONS.put("mkdir", MkdirAction::new);
        ACTIONS.put("rm", RmAction::new);
        ACTIONS.put("exists", ExistsAction::new);
        ACTIONS.put("chmod", ChmodAction::new);
        ACTIONS.put("watch", WatchAction::new);
        ACTIONS.put("prepare", PrepareAction::new);
    }

    @Override
    public int run(String[] args, Context context) throws Exception {
        String names = String.join(", ", ACTIONS.keySet());
        if (args.length == 0) {
            throw new UsageException("Say what to do: " + names);
        }
        if (args[0].equals("--help") || args[0].equals("-h")) {
            printHelp(context);
            return ExitStatus.OK;
        }
        Supplier<StoreAction> create = ACTIONS.get(args[0]);
        if (create == null) {
            throw new UsageException("Unknown action '" + args[0] + "': " + names);
        }
        StoreAction action = create.get();
        if (!Cli.parse(action, Arrays.copyOfRange(args, 1, args.length), context)) {
            return ExitStatus.OK;
        }
        action.check();
        Logging.start(Level.WARNING, context.err());
        try (Xenstore store = action.options.open()) {
            return action.run(store, context);
        } finally {
            context.out().flush();
        }
    }

    private static void printHelp(Context context) {
        context.out().println("Usage: grantwire xenstore <action> [options] …");
        context.out().println();
        context.out().println("Reads, writes and watches the store, as the Xen tools do.");
        context.out().println();
        context.out().println("Actions:");
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
        context.out().println("grantwire xenstore <action> --help shows the options.");
    }
}
