package io.grantwire.tools.cli;

/** A run that failed for a known reason; ends the program with status {@link ExitStatus#FAILED}. */
public final class CommandFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * @param message what failed, on what, and what to do about it, in one line
     */
    public CommandFailure(String message) {
        super(message);
    }

    /**
     * @param message what failed, on what, and what to do about it, in one line
     * @param cause the failure underneath
     */
    public CommandFailure(String message, Throwable cause) {
        super(message, cause);
    }
}
