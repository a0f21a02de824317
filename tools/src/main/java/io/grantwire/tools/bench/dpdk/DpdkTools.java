package io.grantwire.tools.bench.dpdk;

import io.grantwire.bindings.HugePages;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What of DPDK is on this machine.
 *
 * @param root the root directory, {@code /} in earnest
 * @param path where programs are looked for, as in {@code $PATH}
 */
record DpdkTools(Path root, String path) {
    static final String TESTPMD = "dpdk-testpmd";
    static final String TEST = "dpdk-test";

    /** Megabytes of huge pages that two testpmds take. */
    static final int HUGE_MEGABYTES = 1024;

    private static final long MIB = 1 << 20;

    /** Debian's package of each driver, by the beginning of its file's name. */
    private static final Map<String, String> DRIVERS = new LinkedHashMap<>();

    static {
        DRIVERS.put("librte_net_vhost.so", "librte-net-vhost23");
        DRIVERS.put("librte_net_virtio.so", "librte-net-virtio23");
    }

    static DpdkTools here() {
        return new DpdkTools(Path.of("/"), System.getenv().getOrDefault("PATH", "") + ":/usr/sbin");
    }

    /** Where a program is, or null. */
    Path program(String name) {
        for (String directory : path.split(":")) {
            Path file = root.resolve(directory.replaceFirst("^/", "")).resolve(name);
            if (!directory.isEmpty() && Files.isExecutable(file)) {
                return file;
            }
        }
        return null;
    }

    /**
     * What vs-dpdk lacks, each with the command that mends it; empty when all is there.
     *
     * @param pools the kernel's huge pages
     */
    List<String> missing(List<HugePages.Pool> pools) {
        List<String> missing = new ArrayList<>();
        if (program(TESTPMD) == null) {
            missing.add(TESTPMD + " is not installed; on Debian type: apt-get install -y dpdk-dev");
        }
        DRIVERS.forEach((file, name) -> {
            if (!driverThere(file)) {
                missing.add(
                        "the driver "
                                + file
                                + " is not installed; on Debian type: apt-get install -y "
                                + name);
            }
        });
        long free = pools.stream().mapToLong(p -> p.free() * p.sizeBytes()).sum() / MIB;
        if (free < HUGE_MEGABYTES) {
            missing.add(
                    "huge pages: "
                            + free
                            + " MiB are free and "
                            + HUGE_MEGABYTES
                            + " needed; as root type: echo "
                            + (HUGE_MEGABYTES / 2 + 64)
                            + " > /proc/sys/vm/nr_hugepages");
        }
        if (!hugetlbfsMounted()) {
            missing.add(
                    "no hugetlbfs is mounted; as root type: mkdir -p /dev/hugepages && mount -t"
                            + " hugetlbfs nodev /dev/hugepages");
        }
        return missing;
    }

    private boolean driverThere(String prefix) {
        for (String lib : List.of("usr/lib", "usr/lib64", "usr/local/lib", "usr/local/lib64")) {
            try {
                if (found(root.resolve(lib), prefix, 3)) {
                    return true;
                }
            } catch (IOException e) {
                // Not there then.
            }
        }
        return false;
    }

    /** Drivers are in {@code lib/<arch>/dpdk/pmds-<version>} or nearer. */
    private static boolean found(Path directory, String prefix, int depth) throws IOException {
        if (!Files.isDirectory(directory)) {
            return false;
        }
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, prefix + "*")) {
            if (files.iterator().hasNext()) {
                return true;
            }
        }
        if (depth == 0) {
            return false;
        }
        try (DirectoryStream<Path> inside =
                Files.newDirectoryStream(directory, "{*-linux-gnu,dpdk,pmds-*}")) {
            for (Path one : inside) {
                if (found(one, prefix, depth - 1)) {
                    return true;
                }
            }
        }
        return false;
    }

    private boolean hugetlbfsMounted() {
        try {
            return Files.readAllLines(root.resolve("proc/mounts")).stream()
                    .anyMatch(line -> line.contains(" hugetlbfs "));
        } catch (IOException e) {
            return false;
        }
    }
}
