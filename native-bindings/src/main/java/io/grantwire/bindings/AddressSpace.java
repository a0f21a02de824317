package io.grantwire.bindings;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What {@code /proc/self/maps} says about a range of this process's address space. */
final class AddressSpace {
    private static final Path MAPS = Path.of("/proc/self/maps");

    private AddressSpace() {}

    /**
     * Whether a range is private anonymous memory that nobody may touch, as {@link Mapping#reserve}
     * leaves it. Format: proc_pid_maps(5).
     */
    static boolean isReserved(long address, long length) {
        try {
            for (String line : Files.readAllLines(MAPS)) {
                int dash = line.indexOf('-');
                int blank = line.indexOf(' ');
                long from = Long.parseUnsignedLong(line, 0, dash, 16);
                long to = Long.parseUnsignedLong(line, dash + 1, blank, 16);
                if (from <= address && address + length <= to) {
                    return line.startsWith("---p 00000000 00:00 0 ", blank + 1);
                }
            }
            return false;
        } catch (IOException | RuntimeException unreadable) {
            return false;
        }
    }
}
