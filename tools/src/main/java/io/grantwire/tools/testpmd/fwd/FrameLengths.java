package io.grantwire.tools.testpmd.fwd;

import io.grantwire.tools.testpmd.TestpmdOptions;
import io.grantwire.tools.testpmd.command.CommandException;

/** The segment lengths of generated frames: {@code 64}, or {@code 64,1024} for two segments. */
public final class FrameLengths {
    /** Longest frame that can be asked for, in bytes. */
    private static final int MAX_TOTAL = 65535;

    private FrameLengths() {}

    /**
     * Reads and checks them.
     *
     * @throws CommandException when the first segment cannot hold the headers, or a number is bad
     */
    public static int[] parse(String text) {
        String[] parts = text.split(",", -1);
        if (parts.length > TestpmdOptions.MAX_SEGMENTS) {
            throw new CommandException(
                    "Bad arguments: at most " + TestpmdOptions.MAX_SEGMENTS + " segments");
        }
        int[] lengths = new int[parts.length];
        int total = 0;
        for (int i = 0; i < parts.length; i++) {
            if (!parts[i].matches("[0-9]{1,5}")) {
                throw new CommandException("Bad arguments: not a length: '" + parts[i] + "'");
            }
            lengths[i] = Integer.parseInt(parts[i]);
            total += lengths[i];
            if (lengths[i] == 0) {
                throw new CommandException("Bad arguments: a segment of 0 bytes");
            }
        }
        if (lengths[0] < FrameTemplate.LENGTH) {
            throw new CommandException(
                    "Bad arguments: the first segment must hold the headers, "
                            + FrameTemplate.LENGTH
                            + " bytes");
        }
        if (total > MAX_TOTAL) {
            throw new CommandException("Bad arguments: " + total + " bytes are too many");
        }
        return lengths;
    }
}
