package io.grantwire.bindings;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** The kernel's pools of huge pages, as sysfs shows them. */
public final class HugePages {
    private static final Path SYSFS = Path.of("/sys/kernel/mm/hugepages");

    private HugePages() {}

    /**
     * One pool.
     *
     * @param sizeBytes the size of a page
     * @param total pages reserved
     * @param free pages that nobody uses
     */
    public record Pool(long sizeBytes, int total, int free) {}

    /** The pools, smallest pages first; empty when the kernel has none. */
    public static List<Pool> pools() {
        return pools(SYSFS);
    }

    /**
     * The pools under a directory laid out like {@code /sys/kernel/mm/hugepages}.
     *
     * @param root the directory
     */
    public static List<Pool> pools(Path root) {
        List<Pool> pools = new ArrayList<>();
        try (DirectoryStream<Path> dirs = Files.newDirectoryStream(root, "hugepages-*kB")) {
            for (Path dir : dirs) {
                String name = dir.getFileName().toString();
                long kib = Long.parseLong(name, "hugepages-".length(), name.length() - 2, 10);
                pools.add(
                        new Pool(
                                kib * 1024,
                                number(dir.resolve("nr_hugepages")),
                                number(dir.resolve("free_hugepages"))));
            }
        } catch (NoSuchFileException | NotDirectoryException none) {
            return List.of();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        pools.sort(Comparator.comparingLong(Pool::sizeBytes));
        return List.copyOf(pools);
    }

    /** Bytes of a huge page when no size is asked for; 0 when the kernel has none. */
    public static long defaultSize() {
        return MemInfo.bytes("Hugepagesize");
    }

    /** Pages of the default size that somebody uses. */
    static long inUse() {
        long size = defaultSize();
        return pools().stream()
                .filter(pool -> pool.sizeBytes() == size)
                .mapToLong(pool -> pool.total() - pool.free())
                .sum();
    }

    private static int number(Path file) throws IOException {
        return Integer.parseInt(Files.readString(file).strip());
    }
}
