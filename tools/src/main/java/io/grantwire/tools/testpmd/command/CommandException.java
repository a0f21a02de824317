package io.grantwire.tools.testpmd.command;

/** A command that was not understood or could not be carried out; the prompt comes back. */
public final class CommandException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * @param message what is wrong, one line
     */
    public CommandException(String message) {
        super(message);
    }
}
