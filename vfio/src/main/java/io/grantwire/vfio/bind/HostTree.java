package io.grantwire.vfio.bind;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Where the kernel's file systems are mounted: the machine's own, or a tree laid out like them.
 *
 * @param sysfs sysfs
 * @param proc procfs
 * @param dev the device nodes
 * @param modules {@code /lib/modules}, with a directory for each kernel release
 * @param share {@code /usr/share}, where the PCI id list is
 */
public record HostTree(Path sysfs, Path proc, Path dev, Path modules, Path share) {
    /** This machine's. */
    public static HostTree host() {
        return under(Path.of("/"));
    }

    /** Everything below one directory. */
    public static HostTree under(Path root) {
        return new HostTree(
                root.resolve("sys"),
                root.resolve("proc"),
                root.resolve("dev"),
                root.resolve("lib/modules"),
                root.resolve("usr/share"));
    }

    /** The same with another sysfs. */
    public HostTree withSysfs(Path other) {
        return new HostTree(other, proc, dev, modules, share);
    }

    /** The directory of a PCI function; the same name whatever bus it is behind. */
    public Path device(Object address) {
        return sysfs.resolve("bus/pci/devices").resolve(address.toString());
    }

    /** The directory of a PCI driver. */
    public Path driver(String name) {
        return sysfs.resolve("bus/pci/drivers").resolve(name);
    }

    /** The modules of the running kernel; need not be there. */
    Path runningModules() {
        List<String> release = lines(proc.resolve("sys/kernel/osrelease"));
        return modules.resolve(release.isEmpty() ? "unknown" : release.getFirst().strip());
    }

    /** The lines of a file, none if it cannot be read. */
    static List<String> lines(Path file) {
        try {
            // Latin 1 takes any byte: the files read here are ASCII where it matters.
            return Files.readAllLines(file, java.nio.charset.StandardCharsets.ISO_8859_1);
        } catch (IOException unreadable) {
            return List.of();
        }
    }

    /** The names in a directory in order, none if it cannot be read. */
    static List<String> names(Path dir) {
        if (!Files.isDirectory(dir)) {
            return List.of();
        }
        try (var entries = Files.list(dir)) {
            return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
        } catch (IOException | java.io.UncheckedIOException unreadable) {
            return List.of();
        }
    }
}
