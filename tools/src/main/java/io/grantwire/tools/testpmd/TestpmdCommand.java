package io.grantwire.tools.testpmd;

import io.grantwire.bindings.LinkAhead;
import io.grantwire.tools.cli.Cli;
import io.grantwire.tools.cli.Command;
import io.grantwire.tools.cli.CommandFailure;
import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.ExitStatus;
import io.grantwire.tools.cli.Logging;
import io.grantwire.tools.cli.Messages;
import io.grantwire.tools.cli.StopRequest;
import io.grantwire.tools.eal.CoreList;
import io.grantwire.tools.eal.EalOptions;
import io.grantwire.tools.testpmd.command.CommandTable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.logging.Level;

/** {@code testpmd}: the guest's side and a tester for any port, with DPDK's commands. */
public final class TestpmdCommand implements Command {
    private static final String PROMPT = "testpmd> ";

    @Override
    public int run(String[] args, Context context) throws Exception {
        LinkAhead.start();
        int split = Arrays.asList(args).indexOf("--");
        String[] ealArgs = split < 0 ? args : Arrays.copyOf(args, split);
        String[] ownArgs =
                split < 0 ? new String[0] : Arrays.copyOfRange(args, split + 1, args.length);
        if (TestpmdHelp.wanted(ealArgs) || TestpmdHelp.wanted(ownArgs)) {
            TestpmdHelp.print(context.out());
            return ExitStatus.OK;
        }
        EalOptions eal = new EalOptions();
        Cli.parse(TestpmdHelp.ealLine(eal), ealArgs);
        TestpmdOptions options = new TestpmdOptions();
        Cli.parse(TestpmdHelp.ownLine(options), ownArgs);
        options.check();
        List<CoreList.Core> cores = eal.workers();
        ForwardConfig config = new ForwardConfig(cores, options);
        Logging.start(
                eal.logLevel() == null ? Level.INFO : Logging.level(eal.logLevel()), context.out());
        try (PortSet ports = PortSet.create(eal, options)) {
            return run(
                    new Session(ports.ports(), config, options, context.out()), options, context);
        }
    }

    private static int run(Session session, TestpmdOptions options, Context context)
            throws Exception {
        StopRequest stop = context.stop();
        CommandTable table = ControlCommands.table(session);
        Shell shell = new Shell(table, session, context.out(), stop::requested);
        boolean typed = options.interactive && isTerminal();
        try (session) {
            if (options.interactive) {
                context.out().println("Interactive-mode selected");
            }
            if (!options.disableDeviceStart) {
                session.startPorts(session.ports());
            }
            if (options.cmdlineFile != null) {
                runFile(options.cmdlineFile, shell, context);
            }
            if (!session.quitting() && !stop.requested()) {
                if (options.interactive) {
                    interact(session, shell, table, typed, options, context);
                } else {
                    unattended(session, options, context);
                }
            }
        } finally {
            context.out().flush();
        }
        if (stop.interrupted()) {
            return ExitStatus.INTERRUPTED;
        }
        if (shell.failures() > 0 && !typed) {
            throw new CommandFailure(
                    shell.failures() == 1
                            ? "a command failed"
                            : shell.failures() + " commands failed");
        }
        return ExitStatus.OK;
    }

    private static void runFile(Path file, Shell shell, Context context) throws IOException {
        try (InputStream in = Files.newInputStream(file);
                LineSource lines = new PipedLines(in)) {
            shell.run(lines, PROMPT);
        } catch (java.nio.file.NoSuchFileException e) {
            throw new CommandFailure("cannot read the commands: " + Messages.of(e));
        }
    }

    private static void interact(
            Session session,
            Shell shell,
            CommandTable table,
            boolean typed,
            TestpmdOptions options,
            Context context)
            throws IOException {
        if (options.autoStart && !session.forwarding()) {
            session.startForwarding(options.txFirst ? 1 : 0);
        }
        LineSource source = typed ? new TerminalLines(table, PROMPT) : new PipedLines(context.in());
        try (LineSource lines =
                new AsyncLines(source, () -> context.stop().requested() || failed(session))) {
            shell.run(lines, typed ? null : PROMPT);
        }
    }

    /** Forwards until Enter, the end of the input, or a signal; with a period, until a signal. */
    private static void unattended(Session session, TestpmdOptions options, Context context)
            throws Exception {
        if (!session.forwarding()) {
            context.out().println("No commandline core given, start packet forwarding");
            session.startForwarding(options.txFirst ? 1 : 0);
        }
        if (options.statsPeriod > 0) {
            Duration period = Duration.ofSeconds(options.statsPeriod);
            while (!context.stop().await(period) && !failed(session)) {
                context.out().println("\nPort statistics ====================================");
                session.ports().forEach(session::showStats);
                context.out().println("\n====================================================");
                context.out().flush();
            }
            return;
        }
        context.out().println("Press enter to exit");
        context.out().flush();
        LineSource enter = new PipedLines(context.in());
        try (LineSource lines =
                new AsyncLines(enter, () -> context.stop().requested() || failed(session))) {
            lines.next();
        }
    }

    /** Asked while the command thread waits: looks after what it has. */
    private static boolean failed(Session session) {
        Throwable failure = session.failure();
        if (failure != null) {
            throw new CommandFailure("forwarding failed: " + Messages.of(failure), failure);
        }
        try {
            session.closeGonePorts();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return true;
        }
        return false;
    }

    private static boolean isTerminal() {
        try {
            String target = Files.readSymbolicLink(Path.of("/proc/self/fd/0")).toString();
            return target.startsWith("/dev/pts/")
                    || target.startsWith("/dev/tty")
                    || target.equals("/dev/console");
        } catch (IOException | UnsupportedOperationException e) {
            return false;
        }
    }
}
