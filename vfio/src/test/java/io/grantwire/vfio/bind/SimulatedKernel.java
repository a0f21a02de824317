package io.grantwire.vfio.bind;

import io.grantwire.bindings.Errno;
import io.grantwire.bindings.NativeException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A made-up machine: the trees that {@link HostTree} names, and a kernel that answers what is
 * written to the attributes of PCI devices and drivers as Linux does (drivers/base/bus.c,
 * drivers/pci/pci-driver.c, drivers/xen/xen-pciback/pci_stub.c): it checks who has the device, the
 * override and the driver's model list, moves the links, or refuses with an errno.
 *
 * <p>As an {@link AttributeWriter} it answers at once. {@link #watch} makes it look at the files
 * instead, for programs that write them; a file cannot refuse, so a refusal shows as nothing done.
 */
public final class SimulatedKernel implements AttributeWriter {
    private final Path root;
    private final Map<String, Set<String>> modelsOf = new HashMap<>();
    private final Map<String, String> interfaceOf = new HashMap<>();
    private final Map<String, String> refusals = new HashMap<>();
    private final Set<String> slots = new HashSet<>();
    private final List<String> log = new ArrayList<>();
    private boolean iommu;
    private int nextGroup = 10;

    /** Makes an empty machine below a directory. */
    public SimulatedKernel(Path root) {
        this.root = root;
        makeDirectories(sys("bus/pci/devices"));
        makeDirectories(sys("bus/pci/drivers"));
        makeDirectories(sys("class/net"));
        makeDirectories(sys("class/iommu"));
        makeDirectories(sys("module"));
        makeDirectories(root.resolve("proc/net"));
        makeDirectories(root.resolve("dev/vfio"));
        file("proc/sys/kernel/osrelease", "6.1.0-sim\n");
        file("proc/net/route", "Iface\tDestination\tGateway\tFlags\n");
    }

    /** Where everything lies. */
    public HostTree tree() {
        return HostTree.under(root);
    }

    /** What was asked, and how it went. */
    public synchronized List<String> log() {
        return List.copyOf(log);
    }

    /** Gives the machine an IOMMU; devices made later get groups 10, 11, … of their own. */
    public SimulatedKernel withIommu() {
        iommu = true;
        makeDirectories(sys("class/iommu/dmar0"));
        makeDirectories(sys("kernel/iommu_groups/0"));
        return this;
    }

    /**
     * Loads a driver that knows some models, written {@code 8086:10d3}; one for user space none.
     */
    public SimulatedKernel driver(String name, String... models) {
        modelsOf.put(name, Set.of(models));
        Path dir = sys("bus/pci/drivers").resolve(name);
        makeDirectories(dir);
        for (String attribute : List.of("bind", "unbind")) {
            write0(dir.resolve(attribute), "");
        }
        if (name.equals("pciback")) {
            write0(dir.resolve("new_slot"), "");
            write0(dir.resolve("remove_slot"), "");
        }
        Path module =
                sys("module").resolve(name.replace('-', '_').replace("pciback", "xen_pciback"));
        makeDirectories(module);
        link(dir.resolve("module"), module);
        if (name.equals("vfio-pci")) {
            file("sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "N\n");
        }
        return this;
    }

    /** Plugs a device in: {@code device("0000:09:00.0", 0x020000, "8086:10d3")}. */
    public SimulatedKernel device(String address, int classCode, String model) {
        Path dir = sys("devices/pci0000:00").resolve(address);
        makeDirectories(dir);
        String[] ids = model.split(":");
        write0(dir.resolve("class"), "0x%06x\n".formatted(classCode));
        write0(dir.resolve("vendor"), "0x" + ids[0] + "\n");
        write0(dir.resolve("device"), "0x" + ids[1] + "\n");
        write0(dir.resolve("subsystem_vendor"), "0x" + ids[0] + "\n");
        write0(dir.resolve("subsystem_device"), "0x0001\n");
        write0(dir.resolve("numa_node"), "-1\n");
        write0(dir.resolve("driver_override"), "(null)\n");
        write0(
                dir.resolve("modalias"),
                ("pci:v0000%sd0000%ssv0000%ssd00000001bc%02xsc%02xi%02x\n")
                        .formatted(
                                ids[0].toUpperCase(Locale.ROOT),
                                ids[1].toUpperCase(Locale.ROOT),
                                ids[0].toUpperCase(Locale.ROOT),
                                classCode >>> 16,
                                classCode >>> 8 & 0xff,
                                classCode & 0xff));
        link(sys("bus/pci/devices").resolve(address), dir);
        if (iommu) {
            group(address, nextGroup++);
        }
        return this;
    }

    /** Puts a device into an IOMMU group. */
    public SimulatedKernel group(String address, int number) {
        Path group = sys("kernel/iommu_groups/" + number);
        makeDirectories(group);
        Path old = dir(address).resolve("iommu_group");
        delete(old);
        link(old, group);
        return this;
    }

    /** The interface that a device has while a kernel driver has it. */
    public SimulatedKernel netInterface(String address, String name) {
        interfaceOf.put(address, name);
        return this;
    }

    /** Binds a device without being asked, as at boot. */
    public SimulatedKernel bound(String address, String driver) {
        attach(address, driver);
        return this;
    }

    /** Puts one interface on top of another. */
    public SimulatedKernel stack(String lower, String upper) {
        makeDirectories(sys("class/net").resolve(lower));
        makeDirectories(sys("class/net").resolve(upper));
        link(
                sys("class/net").resolve(lower).resolve("upper_" + upper),
                sys("class/net").resolve(upper));
        return this;
    }

    /** Makes a driver refuse a device, every time. */
    public synchronized SimulatedKernel refuse(String driver, String address, String errno) {
        refusals.put(driver + " " + address, errno);
        return this;
    }

    /** Writes a file of the machine. */
    public SimulatedKernel file(String path, String text) {
        Path file = root.resolve(path);
        makeDirectories(file.getParent());
        write0(file, text);
        return this;
    }

    /** The text of an attribute of a device. */
    public String attribute(String address, String name) {
        return read(dir(address).resolve(name)).strip();
    }

    /** The driver that has a device, or an empty string. */
    public String driverOf(String address) {
        Path link = dir(address).resolve("driver");
        try {
            return Files.isSymbolicLink(link)
                    ? Files.readSymbolicLink(link).getFileName().toString()
                    : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Pulls a device out. */
    public void unplug(String address) {
        delete(sys("bus/pci/devices").resolve(address));
        deleteTree(dir(address));
    }

    @Override
    public synchronized void write(Path file, String value) {
        String errno = answer(file, value.strip());
        log.add(
                value.strip()
                        + " > "
                        + sys("").relativize(file)
                        + (errno.isEmpty() ? "" : " " + errno));
        if (!errno.isEmpty()) {
            throw new NativeException("write(" + file + ")", Errno.numberOf(errno));
        }
    }

    /** Looks at the files of a program until closed. */
    public AutoCloseable watch() {
        Thread thread = new Thread(this::look, "simulated-kernel");
        thread.setDaemon(true);
        thread.start();
        return () -> {
            thread.interrupt();
            thread.join();
        };
    }

    private void look() {
        try {
            while (!Thread.currentThread().isInterrupted()) {
                try (Stream<Path> drivers = Files.list(sys("bus/pci/drivers"))) {
                    drivers.forEach(this::lookAtDriver);
                }
                Thread.sleep(1);
            }
        } catch (InterruptedException e) {
            // Closed.
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void lookAtDriver(Path driver) {
        for (String attribute : List.of("unbind", "new_slot", "bind", "remove_slot")) {
            Path file = driver.resolve(attribute);
            if (!Files.isRegularFile(file)) {
                continue;
            }
            String value = read(file).strip();
            if (!value.isEmpty()) {
                // Emptied first: its effect is what the program waits for before it writes again.
                write0(file, "");
                try {
                    write(file, value);
                } catch (NativeException refused) {
                    // A file cannot say so; the log has it.
                }
            }
        }
    }

    /** What the kernel answers: an errno's name, or nothing for success. */
    private String answer(Path file, String value) {
        Path relative = sys("").relativize(file);
        String attribute = file.getFileName().toString();
        if (attribute.equals("driver_override")) {
            if (!Files.exists(file)) {
                return "ENOENT";
            }
            write0(file, (value.isEmpty() ? "(null)" : value) + "\n");
            return "";
        }
        if (!relative.startsWith("bus/pci/drivers")) {
            if (!Files.exists(file)) {
                return "ENOENT";
            }
            write0(file, value + "\n");
            return "";
        }
        if (!Files.exists(file)) {
            return "ENOENT";
        }
        String driver = file.getParent().getFileName().toString();
        if (refusals.containsKey(driver + "/" + attribute + " " + value)) {
            return refusals.get(driver + "/" + attribute + " " + value);
        }
        return switch (attribute) {
            case "unbind" -> unbind(driver, value);
            case "bind" -> bind(driver, value);
            case "new_slot" -> slots.add(value) ? "" : "EEXIST";
            case "remove_slot" -> slots.remove(value) ? "" : "ENODEV";
            default -> "EACCES";
        };
    }

    private String unbind(String driver, String address) {
        if (!Files.exists(dir(address)) || !driverOf(address).equals(driver)) {
            return "ENODEV";
        }
        delete(dir(address).resolve("driver"));
        String name = interfaceOf.get(address);
        if (name != null) {
            deleteTree(dir(address).resolve("net"));
        }
        return "";
    }

    private String bind(String driver, String address) {
        if (!Files.exists(dir(address))) {
            return "ENODEV";
        }
        String override = attribute(address, "driver_override");
        boolean overridden = !override.isEmpty() && !override.equals("(null)");
        String model =
                attribute(address, "vendor").substring(2)
                        + ":"
                        + attribute(address, "device").substring(2);
        boolean matches =
                overridden
                        ? override.equals(driver)
                        : modelsOf.get(driver).contains(model) || driver.equals("pciback");
        if (!matches) {
            return "ENODEV";
        }
        if (!driverOf(address).isEmpty()) {
            return "EBUSY";
        }
        if (driver.equals("pciback") && !slots.contains(address)) {
            return "ENODEV";
        }
        String refusal = refusals.get(driver + " " + address);
        if (refusal != null) {
            return refusal;
        }
        if (driver.equals("vfio-pci") && !mayBeOnVfio()) {
            return "EINVAL";
        }
        attach(address, driver);
        return "";
    }

    private boolean mayBeOnVfio() {
        return iommu
                || read(sys("module/vfio/parameters/enable_unsafe_noiommu_mode"))
                        .strip()
                        .matches("[Yy1]");
    }

    private void attach(String address, String driver) {
        link(dir(address).resolve("driver"), sys("bus/pci/drivers").resolve(driver));
        boolean userSpace = PciDrivers.isUserSpace(driver) || driver.equals("pciback");
        String name = interfaceOf.get(address);
        if (name != null && !userSpace) {
            makeDirectories(dir(address).resolve("net").resolve(name));
            makeDirectories(sys("class/net").resolve(name));
        }
        if (driver.equals("vfio-pci")) {
            if (iommu) {
                String group = linkName(dir(address).resolve("iommu_group"));
                file("dev/vfio/" + group, "");
            } else {
                group(address, 0);
                file("dev/vfio/noiommu-0", "");
            }
        }
    }

    private Path sys(String path) {
        return root.resolve("sys").resolve(path);
    }

    private Path dir(String address) {
        return sys("devices/pci0000:00").resolve(address);
    }

    private static String linkName(Path link) {
        try {
            return Files.readSymbolicLink(link).getFileName().toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void makeDirectories(Path dir) {
        try {
            Files.createDirectories(dir);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void write0(Path file, String text) {
        try {
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (NoSuchFileException gone) {
            return "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Relative, as sysfs has them: lspci follows no others. */
    private static void link(Path link, Path target) {
        try {
            Path from = link.getParent().toRealPath();
            Files.createSymbolicLink(link, from.relativize(target.toRealPath()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void delete(Path path) {
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void deleteTree(Path dir) {
        if (!Files.exists(dir)) {
            return;
        }
        try {
            Files.walkFileTree(
                    dir,
                    new SimpleFileVisitor<>() {
                        @Override
                        public FileVisitResult visitFile(Path file, BasicFileAttributes a)
                                throws IOException {
                            Files.delete(file);
                            return FileVisitResult.CONTINUE;
                        }

                        @Override
                        public FileVisitResult postVisitDirectory(Path d, IOException e)
                                throws IOException {
                            Files.delete(d);
                            return FileVisitResult.CONTINUE;
                        }
                    });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
