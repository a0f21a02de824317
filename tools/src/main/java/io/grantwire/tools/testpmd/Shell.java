package io.grantwire.tools.testpmd;

import io.grantwire.bindings.NativeException;
import io.grantwire.pmd.ethdev.EthDeviceException;
import io.grantwire.tools.cli.Messages;
import io.grantwire.tools.testpmd.command.CommandException;
import io.grantwire.tools.testpmd.command.CommandTable;
import java.io.IOException;
import java.io.PrintStream;
import java.util.function.BooleanSupplier;

/** Runs command lines until the input ends, {@code quit}, or a request to stop. */
final class Shell {
    private final CommandTable table;
    private final Session session;
    private final PrintStream out;
    private final BooleanSupplier stop;
    private int failures;

    Shell(CommandTable table, Session session, PrintStream out, BooleanSupplier stop) {
        this.table = table;
        this.session = session;
        this.out = out;
        this.stop = stop;
    }

    /**
     * Runs all lines of a source.
     *
     * @param echo put in front of each line and shown with it, as a person at a terminal would see
     *     it; null when a person typed the line
     */
    void run(LineSource lines, String echo) throws IOException {
        while (!session.quitting() && !stop.getAsBoolean()) {
            String line = lines.next();
            if (line == null) {
                return;
            }
            if (echo != null && !line.isBlank()) {
                out.println(echo + line);
            }
            runLine(line);
        }
    }

    /** Runs one line; a failure is printed and counted. */
    void runLine(String line) {
        try {
            table.run(line);
        } catch (CommandException
                | EthDeviceException
                | NativeException
                | IllegalArgumentException
                | IllegalStateException e) {
            failures++;
            out.println(Messages.of(e));
        }
        out.flush();
    }

    /** How many commands failed so far. */
    int failures() {
        return failures;
    }
}
