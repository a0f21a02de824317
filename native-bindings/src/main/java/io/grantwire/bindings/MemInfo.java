package io.grantwire.bindings;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Figures of {@code /proc/meminfo}, in bytes. */
final class MemInfo {
    private static final Path MEMINFO = Path.of("/proc/meminfo");

    private MemInfo() {}

    /**
     * One figure.
     *
     * @param name as the kernel spells it, for instance {@code MemAvailable}
     * @return bytes; 0 when the kernel does not tell
     */
    static long bytes(String name) {
        try {
            for (String line : Files.readAllLines(MEMINFO)) {
                if (line.startsWith(name + ":")) {
                    return 1024
                            * Long.parseLong(line.substring(name.length()).replaceAll("\\D", ""));
                }
            }
            return 0;
        } catch (IOException unreadable) {
            return 0;
        }
    }
}
