package io.grantwire.tools.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;

/** Parses a command's arguments into its annotated fields. */
public final class Cli {
    /** Width of help pages, the same on every terminal so that they can be compared. */
    public static final int WIDTH = 100;

    private Cli() {}

    /**
     * Parses; on {@code --help} prints the command's page instead.
     *
     * @param options an object with picocli's annotations
     * @return whether to go on; false when the help page was printed
     * @throws UsageException naming the argument that was wrong
     */
    public static boolean parse(Object options, String[] args, Context context) {
        CommandLine line = lineOf(options);
        parse(line, args);
        if (line.isUsageHelpRequested()) {
            printHelp(line, context.out());
            return false;
        }
        return true;
    }

    /**
     * Parses without looking for {@code --help}.
     *
     * @throws UsageException naming the argument that was wrong
     */
    public static void parse(CommandLine line, String[] args) {
        try {
            line.parseArgs(args);
        } catch (CommandLine.ParameterException e) {
            throw new UsageException(Messages.oneLine(e.getMessage()));
        }
    }

    /** The parser for an annotated object, set up as all commands have it. */
    public static CommandLine lineOf(Object options) {
        return new CommandLine(options)
                .setUsageHelpWidth(WIDTH)
                .setUsageHelpLongOptionsMaxWidth(34)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setOverwrittenOptionsAllowed(true)
                .setUnmatchedOptionsArePositionalParams(false)
                .setAbbreviatedOptionsAllowed(false);
    }

    /** Prints a help page as UTF-8. */
    public static void printHelp(CommandLine line, java.io.PrintStream out) {
        PrintWriter writer = new PrintWriter(out, false, StandardCharsets.UTF_8);
        line.usage(writer, CommandLine.Help.Ansi.OFF);
        writer.flush();
    }
}
