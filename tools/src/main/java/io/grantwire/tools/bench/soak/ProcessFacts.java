package io.grantwire.tools.bench.soak;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * What a process has of the system, from its directory in {@code /proc}, see proc(5).
 *
 * @param files descriptors that are open
 * @param maps mappings
 * @param threads threads
 * @param residentKib memory, in KiB
 */
record ProcessFacts(long files, long maps, long threads, long residentKib) {
    static ProcessFacts of(long pid) throws IOException {
        Path dir = Path.of("/proc", Long.toString(pid));
        try (Stream<Path> files = Files.list(dir.resolve("fd"));
                Stream<String> maps = Files.lines(dir.resolve("maps"))) {
            return new ProcessFacts(
                    files.count(), maps.count(), status(dir, "Threads:"), status(dir, "VmRSS:"));
        }
    }

    private static long status(Path dir, String key) throws IOException {
        try (Stream<String> lines = Files.lines(dir.resolve("status"))) {
            return lines.filter(line -> line.startsWith(key))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
                    .findFirst()
                    .orElse(0);
        }
    }
}
