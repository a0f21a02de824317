package io.grantwire.tools.bench.dpdk;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What DPDK's programs leave behind when they end: files that keep their huge pages, and the state
 * of their processes. The next program under the same prefix would use them again; ours have a
 * prefix of their own, so they go.
 */
final class DpdkFiles {
    private static final Path STATE = Path.of("/var/run/dpdk");

    private DpdkFiles() {}

    /** The {@code --file-prefix} for a program of this process. */
    static String prefix(String program) {
        return "gwbench" + ProcessHandle.current().pid() + program;
    }

    /** Removes what programs with {@link #prefix} have left; what cannot be removed stays. */
    static void removeOurs() {
        String ours = prefix("");
        for (Path mount : hugetlbfs()) {
            deleteAll(mount, ours + "*");
        }
        deleteAll(STATE, ours + "*");
    }

    private static List<Path> hugetlbfs() {
        List<Path> mounts = new ArrayList<>();
        try {
            for (String line : Files.readAllLines(Path.of("/proc/mounts"))) {
                String[] words = line.split(" ");
                if (words.length > 2 && words[2].equals("hugetlbfs")) {
                    mounts.add(Path.of(words[1]));
                }
            }
        } catch (IOException e) {
            // None then.
        }
        return mounts;
    }

    private static void deleteAll(Path directory, String glob) {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, glob)) {
            for (Path file : files) {
                if (Files.isDirectory(file, java.nio.file.LinkOption.NOFOLLOW_LINKS)) {
                    deleteAll(file, "*");
                }
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            // Not ours to remove, or gone already.
        }
    }
}
