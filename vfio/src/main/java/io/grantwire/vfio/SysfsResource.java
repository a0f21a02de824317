package io.grantwire.vfio;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A line of a function's {@code resource} file: first and last address, flags (PCI/sysfs-pci.rst,
 * linux/ioport.h).
 *
 * @param size bytes; 0 when there is none
 * @param flags {@code IORESOURCE_*}
 */
record SysfsResource(long size, long flags) {
    private static final long MEMORY = 0x200;

    private static final SysfsResource NONE = new SysfsResource(0, 0);

    static SysfsResource read(PciAddress address, Path dir, int index) {
        try {
            List<String> lines = Files.readAllLines(dir.resolve("resource"));
            return index < lines.size() ? parse(lines.get(index)) : NONE;
        } catch (IOException e) {
            throw new PciException(
                    "PCI device " + address + ": ENODEV (its BARs cannot be read: " + e + ")", e);
        }
    }

    /** Reads {@code 0x00000000febc0000 0x00000000febdffff 0x0000000000040200}. */
    static SysfsResource parse(String line) {
        String[] words = line.strip().split("\\s+");
        try {
            long first = Long.decode(words[0]);
            long last = Long.decode(words[1]);
            long flags = Long.decode(words[2]);
            boolean empty = flags == 0 || last <= first || first < 0;
            return empty ? NONE : new SysfsResource(last - first + 1, flags);
        } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
            return NONE;
        }
    }

    boolean isMemory() {
        return (flags & MEMORY) != 0;
    }
}
