package io.grantwire.vfio;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * A directory laid out like sysfs, with real directories under {@code devices} and links to them.
 */
final class FakeSysfs {
    private final Path root;

    FakeSysfs(Path root) throws IOException {
        this.root = root;
        Files.createDirectories(root.resolve("bus/pci/devices"));
        Files.createDirectories(root.resolve("bus/pci/drivers"));
    }

    Path root() {
        return root;
    }

    /** Adds a function under a parent path of {@code devices/}; returns its real directory. */
    Path function(String parent, String address, Map<String, String> attributes)
            throws IOException {
        Path dir =
                Files.createDirectories(root.resolve("devices").resolve(parent).resolve(address));
        for (Map.Entry<String, String> attribute : attributes.entrySet()) {
            Files.writeString(dir.resolve(attribute.getKey()), attribute.getValue() + "\n");
        }
        Files.createSymbolicLink(root.resolve("bus/pci/devices").resolve(address), dir);
        return dir;
    }

    void driver(Path function, String name) throws IOException {
        Path driver = Files.createDirectories(root.resolve("bus/pci/drivers").resolve(name));
        Files.createSymbolicLink(function.resolve("driver"), driver);
    }

    void iommuGroup(Path function, int number) throws IOException {
        Path group =
                Files.createDirectories(
                        root.resolve("kernel/iommu_groups").resolve(Integer.toString(number)));
        Files.createSymbolicLink(function.resolve("iommu_group"), group);
    }

    void file(String path, String text) throws IOException {
        Path file = root.resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }
}
