package io.grantwire.vfio;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The PCI functions of a machine, read from sysfs (Linux: Documentation/ABI/testing/sysfs-bus-pci).
 *
 * <p>Every call reads anew; nothing is kept, nothing is changed. Any thread may call it.
 */
public final class SysfsPci {
    private static final Logger LOG = LoggerFactory.getLogger(SysfsPci.class);

    private final Path bus;

    /**
     * @param sysfs the directory that sysfs is mounted on, or one that is laid out like it
     */
    public SysfsPci(Path sysfs) {
        this.bus = sysfs.resolve("bus/pci");
    }

    /** This machine's. */
    public static SysfsPci host() {
        return new SysfsPci(Path.of("/sys"));
    }

    /** All functions in order of address; empty on a machine without PCI. */
    public List<PciFunction> list() {
        List<PciFunction> functions = new ArrayList<>();
        for (Path dir : entries(bus.resolve("devices"))) {
            PciAddress.find(dir.getFileName().toString())
                    .flatMap(address -> read(address, dir))
                    .ifPresent(functions::add);
        }
        functions.sort((a, b) -> a.address().compareTo(b.address()));
        return functions;
    }

    /** The function at an address, if there is one. */
    public Optional<PciFunction> find(PciAddress address) {
        Path dir = bus.resolve("devices").resolve(address.toString());
        return Files.isDirectory(dir) ? read(address, dir) : Optional.empty();
    }

    /** The PCI drivers that the kernel has loaded, by name. */
    public List<String> drivers() {
        return entries(bus.resolve("drivers")).stream()
                .map(d -> d.getFileName().toString())
                .sorted()
                .toList();
    }

    private static Optional<PciFunction> read(PciAddress address, Path dir) {
        try {
            int numaNode = number(dir.resolve("numa_node"), -1);
            return Optional.of(
                    new PciFunction(
                            address,
                            number(dir.resolve("class")),
                            number(dir.resolve("vendor")),
                            number(dir.resolve("device")),
                            number(dir.resolve("subsystem_vendor"), 0),
                            number(dir.resolve("subsystem_device"), 0),
                            linkName(dir.resolve("driver")),
                            iommuGroup(dir),
                            numaNode < 0 ? OptionalInt.empty() : OptionalInt.of(numaNode),
                            interfaces(dir)));
        } catch (IOException | NumberFormatException e) {
            // Unplugged while we looked, or an attribute this kernel writes in another way.
            LOG.debug("left out {}: {}", address, e.toString());
            return Optional.empty();
        }
    }

    private static OptionalInt iommuGroup(Path dir) {
        Optional<String> group = linkName(dir.resolve("iommu_group"));
        return group.isPresent()
                ? OptionalInt.of(Integer.parseInt(group.get()))
                : OptionalInt.empty();
    }

    /**
     * Names in {@code net/} of the function, or of a bus that it carries, as virtio-net's {@code
     * virtio0/net/}. A bridge also holds the functions behind it: those are not its own.
     */
    private static List<String> interfaces(Path dir) {
        List<String> names = new ArrayList<>();
        addNames(dir.resolve("net"), names);
        for (Path child : entries(dir)) {
            boolean function = PciAddress.find(child.getFileName().toString()).isPresent();
            if (!function && Files.isDirectory(child, LinkOption.NOFOLLOW_LINKS)) {
                addNames(child.resolve("net"), names);
            }
        }
        names.sort(null);
        return names;
    }

    private static void addNames(Path net, List<String> names) {
        entries(net).forEach(entry -> names.add(entry.getFileName().toString()));
    }

    private static List<Path> entries(Path dir) {
        if (!Files.isDirectory(dir)) {
            return List.of();
        }
        try (Stream<Path> all = Files.list(dir)) {
            return all.toList();
        } catch (NoSuchFileException gone) {
            return List.of();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The last name of what a link points to; the target need not be there. */
    static Optional<String> linkName(Path link) {
        try {
            return Optional.of(Files.readSymbolicLink(link).getFileName().toString());
        } catch (IOException | UnsupportedOperationException none) {
            return Optional.empty();
        }
    }

    private static int number(Path file) throws IOException {
        return Integer.decode(Files.readString(file).strip());
    }

    private static int number(Path file, int ifAbsent) throws IOException {
        return Files.exists(file) ? number(file) : ifAbsent;
    }
}
