package io.grantwire.tools.process;

import io.grantwire.tools.cli.CommandFailure;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;

/**
 * The command line that starts this very program again: the same Java with the same options, so
 * that a child runs from the same modules and the same ahead-of-time cache.
 */
public final class SelfLauncher {
    private static final Path OWN_COMMAND_LINE = Path.of("/proc/self/cmdline");

    /**
     * A Ctrl-C at the terminal goes to every process there. Children ignore it, and the JVM heeds
     * that, so that the parent can end them in order.
     */
    private static final List<String> IGNORE_INTERRUPT =
            List.of("/bin/sh", "-c", "trap '' INT; exec \"$@\"", "sh");

    private final List<String> prefix;

    private SelfLauncher(List<String> prefix) {
        this.prefix = prefix;
    }

    /**
     * Finds out how this program was started.
     *
     * @param mainClass the class whose name ends Java's own part of the command line
     */
    public static SelfLauncher find(String mainClass) {
        try {
            String raw = Files.readString(OWN_COMMAND_LINE, StandardCharsets.UTF_8);
            return new SelfLauncher(prefix(Arrays.asList(raw.split("\0")), mainClass));
        } catch (IOException e) {
            throw new CommandFailure(
                    "cannot read " + OWN_COMMAND_LINE + ", so cannot start further processes", e);
        }
    }

    /** The part of a Java command line up to the main class, fit for a child. */
    static List<String> prefix(List<String> commandLine, String mainClass) {
        List<String> prefix = new ArrayList<>();
        for (String word : commandLine) {
            if (writesCache(word)) {
                continue;
            }
            prefix.add(word);
            if (word.equals(mainClass)
                    || word.endsWith("/" + mainClass)
                    || word.endsWith("=" + mainClass)) {
                return prefix;
            }
        }
        throw new CommandFailure(
                "this program was not started as " + mainClass + ": " + commandLine.getFirst());
    }

    /** Whether an option makes the JVM record an archive: only one process may write that. */
    private static boolean writesCache(String option) {
        return option.startsWith("-XX:AOTCacheOutput=")
                || option.startsWith("-XX:ArchiveClassesAtExit=")
                || option.equals("-XX:AOTMode=record");
    }

    /**
     * The same with other options for the Java virtual machine, in front of those that choose the
     * module.
     *
     * @param drop options of this program's that children do not get
     * @param add options that only children get
     */
    public SelfLauncher with(Predicate<String> drop, List<String> add) {
        List<String> words = new ArrayList<>(prefix);
        words.removeIf(drop);
        words.addAll(1, add);
        return new SelfLauncher(words);
    }

    /** The command line of a child. */
    public List<String> command(List<String> args) {
        List<String> command = new ArrayList<>(IGNORE_INTERRUPT);
        command.addAll(prefix);
        command.addAll(args);
        return command;
    }
}
