package io.grantwire.vfio.bind;

import java.nio.file.Path;

/**
 * One request to the kernel: a value written to an attribute.
 *
 * @param file the attribute
 * @param value what is written; a line end alone clears
 */
public record BindStep(Path file, String value) {
    /** The same as a shell command. */
    public String command() {
        return value.equals(CLEAR) ? "echo > " + file : "echo " + value + " > " + file;
    }

    /** What clears an attribute: the kernel drops the line end and is left with nothing. */
    static final String CLEAR = "\n";
}
