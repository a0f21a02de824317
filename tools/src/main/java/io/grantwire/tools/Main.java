package io.grantwire.tools;

import io.grantwire.tools.cli.Command;
import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.ExitStatus;
import io.grantwire.tools.cli.Messages;
import io.grantwire.tools.cli.Signals;
import io.grantwire.tools.cli.StopRequest;
import io.grantwire.tools.cli.UsageException;
import io.grantwire.tools.cli.Version;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.CancellationException;

/**
 * The program: {@code grantwire <command> …}.
 *
 * <p>Exit status: 0 success, 1 a failed run, 2 wrong usage, 130 cut short by Ctrl-C. A failure is
 * one line on standard error; {@code GRANTWIRE_DEBUG=1} in the environment adds the stack trace.
 */
public final class Main {
    private Main() {}

    /** Runs the program and ends the JVM with its exit status. */
    public static void main(String[] args) {
        PrintStream out = stream(FileDescriptor.out);
        PrintStream err = stream(FileDescriptor.err);
        StopRequest stop = new StopRequest();
        Signals.bind(stop);
        int status = run(args, System.in, out, err, stop);
        out.flush();
        err.flush();
        System.exit(status);
    }

    /** Output does not depend on the locale: file names and MAC tables are bytes to compare. */
    private static PrintStream stream(FileDescriptor descriptor) {
        return new PrintStream(new FileOutputStream(descriptor), true, StandardCharsets.UTF_8);
    }

    /**
     * Runs the program inside this JVM; what {@link #main} does apart from ending it.
     *
     * @return the exit status
     */
    public static int run(
            String[] args, InputStream in, PrintStream out, PrintStream err, StopRequest stop) {
        if (args.length == 0) {
            err.println("grantwire: no command given; grantwire --help lists them");
            return ExitStatus.USAGE;
        }
        String name = args[0];
        String[] rest = Arrays.copyOfRange(args, 1, args.length);
        switch (name) {
            case "-h", "--help" -> {
                printOverview(out);
                return ExitStatus.OK;
            }
            case "-V", "--version" -> {
                out.println("grantwire " + Version.text() + " (Java " + Runtime.version() + ")");
                return ExitStatus.OK;
            }
            case "help" -> {
                if (rest.length == 0) {
                    printOverview(out);
                    return ExitStatus.OK;
                }
                name = rest[0];
                rest = new String[] {"--help"};
            }
            default -> {}
        }
        Commands.Entry entry = Commands.find(name);
        if (entry == null) {
            err.println(
                    "grantwire: no such command: "
                            + Messages.oneLine(name)
                            + "; grantwire --help lists them");
            return ExitStatus.USAGE;
        }
        return run(entry, rest, new Context(name, in, out, err, stop));
    }

    private static int run(Commands.Entry entry, String[] args, Context context) {
        PrintStream err = context.err();
        String prefix = "grantwire " + entry.name() + ": ";
        try {
            Command command = entry.create().get();
            return command.run(args, context);
        } catch (UsageException | IllegalArgumentException e) {
            trace(e, err);
            err.println(prefix + Messages.of(e));
            return ExitStatus.USAGE;
        } catch (InterruptedException | CancellationException e) {
            trace(e, err);
            err.println(prefix + "interrupted");
            return ExitStatus.INTERRUPTED;
        } catch (Exception | OutOfMemoryError | LinkageError e) {
            trace(e, err);
            boolean ours = e.getClass().getName().startsWith("io.grantwire.");
            boolean known =
                    ours
                            || e instanceof java.io.IOException
                            || e instanceof java.io.UncheckedIOException
                            || e instanceof IllegalStateException
                            || e instanceof OutOfMemoryError;
            err.println(
                    prefix
                            + (known
                                    ? Messages.of(e)
                                    : "internal error: "
                                            + e.getClass().getSimpleName()
                                            + ": "
                                            + Messages.of(e)
                                            + " (GRANTWIRE_DEBUG=1 shows where)"));
            return ExitStatus.FAILED;
        }
    }

    private static void trace(Throwable failure, PrintStream err) {
        if (System.getenv("GRANTWIRE_DEBUG") != null) {
            failure.printStackTrace(err);
        }
    }

    private static void printOverview(PrintStream out) {
        out.println("Usage: grantwire <command> [options]");
        out.println();
        out.println("User-space packet switching for Xen guests, and on any Linux machine with an");
        out.println("emulated host.");
        out.println();
        out.println("Commands:");
        for (Commands.Entry entry : Commands.ALL) {
            if (!entry.summary().isEmpty()) {
                out.printf("  %-10s  %s%n", entry.name(), entry.summary());
            }
        }
        out.printf("  %-10s  %s%n", "verify", "the test suite (./grantwire verify)");
        out.println();
        out.println("  grantwire <command> --help   the command's options");
        out.println("  grantwire --version          the version");
        out.println();
        out.println("Exit status: 0 success, 1 a failed run, 2 wrong usage, 130 cut short.");
    }
}
