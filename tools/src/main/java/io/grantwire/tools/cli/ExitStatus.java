package io.grantwire.tools.cli;

/** What a command hands back to the shell. */
public final class ExitStatus {
    /** The command did what it was asked. */
    public static final int OK = 0;

    /** The run failed; one line on standard error says why. */
    public static final int FAILED = 1;

    /** The command line was wrong; one line on standard error says how. */
    public static final int USAGE = 2;

    /** The run was ended by Ctrl-C before its work was done. */
    public static final int INTERRUPTED = 130;

    private ExitStatus() {}
}
