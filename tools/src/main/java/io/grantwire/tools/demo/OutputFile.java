package io.grantwire.tools.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The capture that the demo writes: half of one is not left behind when the run fails. */
final class OutputFile {
    private final Path path;
    private final boolean existed;

    private OutputFile(Path path, boolean existed) {
        this.path = path;
        this.existed = existed;
    }

    /** Takes note of whether the file is there already; null for no file. */
    static OutputFile of(Path path) {
        return new OutputFile(path, path != null && Files.exists(path));
    }

    /** Removes the file if it was not there before. */
    void removeIfNew() {
        if (path == null || existed) {
            return;
        }
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            // Then it was not us who made it; why the run failed is what has to be told.
            return;
        }
    }
}
