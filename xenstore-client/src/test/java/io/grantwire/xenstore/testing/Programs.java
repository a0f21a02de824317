package io.grantwire.xenstore.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Programs of this machine. */
final class Programs {
    private Programs() {}

    /** The first of these names that is on the path, or where administrators' programs are. */
    static Optional<String> find(String... names) {
        String path = System.getenv().getOrDefault("PATH", "");
        List<String> directories =
                Stream.concat(Arrays.stream(path.split(":")), Stream.of("/usr/sbin", "/sbin"))
                        .filter(d -> !d.isEmpty())
                        .toList();
        for (String name : names) {
            for (String directory : directories) {
                Path program = Path.of(directory, name);
                if (Files.isExecutable(program)) {
                    return Optional.of(program.toString());
                }
            }
        }
        return Optional.empty();
    }

    /**
     * Runs a program to its end.
     *
     * @throws IOException when it fails or takes too long; the message ends with its last words
     */
    static void run(long seconds, List<String> command) throws IOException, InterruptedException {
        Path log = Files.createTempFile("gw", ".log");
        try {
            Process process =
                    new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(log.toFile())
                            .start();
            if (!process.waitFor(seconds, TimeUnit.SECONDS)) {
                process.destroy();
                throw new IOException(command.getFirst() + " took over " + seconds + " s");
            }
            if (process.exitValue() != 0) {
                String words =
                        Files.readAllLines(log).reversed().stream()
                                .filter(line -> !line.isBlank())
                                .limit(2)
                                .reduce("", (late, early) -> early + " " + late);
                throw new IOException(command.getFirst() + " failed:" + words);
            }
        } finally {
            Files.deleteIfExists(log);
        }
    }
}
