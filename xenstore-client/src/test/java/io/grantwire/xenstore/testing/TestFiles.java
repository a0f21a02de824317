package io.grantwire.xenstore.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Files that tests leave behind. */
public final class TestFiles {
    private TestFiles() {}

    /** Removes a directory and what is in it, as far as that is possible. */
    public static void removeTree(Path top) {
        if (!Files.exists(top)) {
            return;
        }
        List<Path> all;
        try (Stream<Path> walk = Files.walk(top)) {
            all = walk.sorted(Comparator.reverseOrder()).toList();
        } catch (IOException | UncheckedIOException e) {
            return;
        }
        for (Path path : all) {
            try {
                Files.deleteIfExists(path);
            } catch (IOException e) {
                // Somebody else's file: it stays in the temporary directory.
            }
        }
    }
}
