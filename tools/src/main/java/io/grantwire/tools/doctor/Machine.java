package io.grantwire.tools.doctor;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The machine to look at: its file system and environment, behind a root so that tests can make one
 * up.
 *
 * @param root the root directory, {@code /} in earnest
 * @param environment the environment variables
 */
record Machine(Path root, Map<String, String> environment) {
    /** The machine we run on. */
    static Machine here() {
        return new Machine(Path.of("/"), System.getenv());
    }

    /** Whether it is the one we run on, so that more than files can be asked. */
    boolean isReal() {
        return root.equals(Path.of("/"));
    }

    /** A path below the root. */
    Path path(String absolute) {
        return root.resolve(absolute.substring(1));
    }

    boolean exists(String absolute) {
        return Files.exists(path(absolute));
    }

    boolean mayUse(String absolute) {
        return Files.isReadable(path(absolute)) && Files.isWritable(path(absolute));
    }

    /** The first line of a file, or an empty string. */
    String firstLine(String absolute) {
        try (Stream<String> lines = Files.lines(path(absolute))) {
            return lines.findFirst().orElse("").strip();
        } catch (IOException | java.io.UncheckedIOException e) {
            return "";
        }
    }

    /** Where a program is on the PATH, or an empty string. */
    String program(String name) {
        String searched = environment.getOrDefault("PATH", "") + ":/usr/sbin:/sbin";
        for (String directory : searched.split(File.pathSeparator)) {
            Path candidate = Path.of(directory.isEmpty() ? "." : directory, name);
            Path seen = candidate.isAbsolute() ? path(candidate.toString()) : candidate;
            if (Files.isExecutable(seen) && !Files.isDirectory(seen)) {
                return candidate.toString();
            }
        }
        return "";
    }
}
