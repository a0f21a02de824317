package io.grantwire.tools.host;

import io.grantwire.bindings.LinkAhead;
import io.grantwire.pmd.domain.EmulatedHost;
import io.grantwire.tools.cli.Cli;
import io.grantwire.tools.cli.Command;
import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.ExitStatus;
import io.grantwire.tools.cli.Logging;
import io.grantwire.tools.cli.StdinWatch;
import java.nio.file.Path;
import java.util.logging.Level;
import picocli.CommandLine.Option;

/** {@code host}: an emulated host alone, store and hypervisor, until Ctrl-C. */
public final class HostCommand implements Command {
    @picocli.CommandLine.Command(
            name = "grantwire host",
            description =
                    "Run an emulated host: a xenstore and what a hypervisor does for grants and event"
                            + " channels, until Ctrl-C. Switch and guests join it with --dir.")
    private static final class Options {
        @Option(
                names = "--dir",
                paramLabel = "DIR",
                description =
                        "Where its sockets are (default: grantwire below $XDG_RUNTIME_DIR, or"
                                + " /dev/shm/grantwire-<uid>).")
        Path dir;

        @Option(names = "--log-level", paramLabel = "LEVEL", description = "1 to 8, or a name.")
        String logLevel = "info";

        @Option(
                names = "--control",
                description =
                        "Take orders from the standard input, one a line: "
                                + HostOrder.HELP
                                + ". The end of the input ends the host.")
        boolean control;

        @Option(names = "--until-eof", hidden = true, description = "End when the input ends.")
        boolean untilEof;

        @Option(
                names = {"-h", "--help"},
                usageHelp = true,
                description = "Show this page.")
        boolean help;
    }

    @Override
    public int run(String[] args, Context context) throws InterruptedException {
        LinkAhead.start();
        Options options = new Options();
        if (!Cli.parse(options, args, context)) {
            return ExitStatus.OK;
        }
        Level level = Logging.level(options.logLevel);
        Logging.start(level, context.out());
        Path dir = options.dir == null ? EmulatedHost.defaultDir() : options.dir;
        try (EmulatedHost host = EmulatedHost.start(dir)) {
            context.out().println("XENHOST:emulated host in " + host.dir());
            context.out()
                    .println(
                            "XENHOST:store: XENSTORED_PATH="
                                    + host.xenstoreSocket()
                                    + " xenstore-ls");
            context.out().flush();
            if (options.control) {
                HostOrders orders = new HostOrders(host, context.out());
                StdinWatch.start(context.in(), context.stop(), orders::take);
            } else if (options.untilEof) {
                StdinWatch.start(context.in(), context.stop());
            }
            context.stop().await();
        }
        return ExitStatus.OK;
    }
}
