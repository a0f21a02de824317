package io.grantwire.tools.cli;

/** A command line that makes no sense; ends the program with status {@link ExitStatus#USAGE}. */
public final class UsageException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * @param message what is wrong with which option, in one line
     */
    public UsageException(String message) {
        super(message);
    }
}
