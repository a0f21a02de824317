package io.grantwire.tools.cli;

/**
 * One command of the program. An instance serves one run, on the main thread.
 *
 * <p>A command that runs until it is told to stop watches {@link Context#stop()}; it closes what it
 * opened, in order, before it returns.
 */
public interface Command {
    /**
     * Runs the command.
     *
     * @param args the arguments behind the command's name
     * @param context where to print, and when to stop
     * @return the exit status
     * @throws UsageException when the arguments make no sense
     * @throws Exception when the run failed; its message is shown as one line
     */
    int run(String[] args, Context context) throws Exception;
}
