package io.grantwire.tools.nicbind;

import io.grantwire.tools.cli.UsageException;
import io.grantwire.vfio.bind.DeviceCategory;
import io.grantwire.vfio.bind.HostTree;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The options of {@code nic-bind}: dpdk-devbind's, and a few more. */
@picocli.CommandLine.Command(
        name = "grantwire nic-bind",
        sortOptions = false,
        customSynopsis = {
            "grantwire nic-bind -s | --status-dev CATEGORY [--json]",
            "       grantwire nic-bind -b DRIVER|none DEVICE… [options]",
            "       grantwire nic-bind -u DEVICE…|dpdk [options]"
        },
        description =
                "Show which driver has which PCI device, and move devices between the drivers of the"
                        + " kernel and those that give them to programs, as dpdk-devbind does.",
        footer = {
            "",
            "  grantwire nic-bind --status-dev net             network cards and their drivers",
            "  grantwire nic-bind -b vfio-pci eth1             give eth1's card to programs",
            "  grantwire nic-bind -b ixgbe 02:00.*             give cards back to their driver",
            "  grantwire nic-bind -b xen-pciback 0000:03:00.0  keep a card for a guest of Xen",
            "",
            "Exit status: 0 done, 1 refused or failed for at least one device, 2 wrong usage."
        })
final class NicBindOptions {
    @Option(
            names = {"-s", "--status"},
            description = "Show all devices by category.")
    boolean status;

    @Option(
            names = "--status-dev",
            paramLabel = "CATEGORY",
            description =
                    "Show one category: net, baseband, crypto, dma, event, mempool, compress, misc,"
                            + " regex or ml.")
    String statusDev;

    @Option(
            names = {"-b", "--bind"},
            paramLabel = "DRIVER",
            description = "Give the devices to this driver; none: take them from theirs.")
    String bind;

    @Option(
            names = {"-u", "--unbind"},
            description =
                    "Take the devices from their drivers; dpdk means all that programs have now.")
    boolean unbind;

    @Option(
            names = "--force",
            description =
                    "Do it even if a route leads through the device. You may lose your connection.")
    boolean force;

    @Option(
            names = "--noiommu-mode",
            description =
                    "Let vfio-pci do without an IOMMU where there is none. Its devices can then"
                            + " write to all memory.")
    boolean noIommuMode;

    @Option(
            names = {"-U", "--uid"},
            paramLabel = "USER",
            description = "With vfio-pci: the user who may open the device.")
    String user;

    @Option(
            names = {"-G", "--gid"},
            paramLabel = "GROUP",
            description = "With vfio-pci: the group that owns the device's node.")
    String group;

    @Option(names = "--dry-run", description = "Only show what would be written where.")
    boolean dryRun;

    @Option(names = "--json", description = "Report as JSON.")
    boolean json;

    @Option(names = "--sysfs", paramLabel = "DIR", description = "Where sysfs is (default: /sys).")
    Path sysfs;

    @Option(
            names = "--root",
            paramLabel = "DIR",
            description = "Where sys, proc, dev, lib and usr are (default: /).")
    Path root;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this page.")
    boolean help;

    @Parameters(
            paramLabel = "DEVICE",
            description =
                    "A PCI address with or without its domain, a pattern of addresses (02:00.*), or"
                            + " the name of a network interface.")
    List<String> devices = new ArrayList<>();

    /** Checks what picocli cannot. */
    void check() {
        if (bind != null && unbind) {
            throw new UsageException("-b and -u exclude each other");
        }
        if (!changes() && !shows()) {
            throw new UsageException(
                    devices.isEmpty()
                            ? "Say what to do: --status, -b DRIVER DEVICE… or -u DEVICE…"
                            : "No action for "
                                    + String.join(" ", devices)
                                    + ": say -b DRIVER, -u or --status");
        }
        if (changes() && devices.isEmpty()) {
            throw new UsageException(
                    "No devices given; name them by PCI address or interface: nic-bind "
                            + (bind == null ? "-u" : "-b " + bind)
                            + " 0000:02:00.0");
        }
        if (!changes() && !devices.isEmpty()) {
            throw new UsageException("The status takes no devices: " + String.join(" ", devices));
        }
        category();
        for (Path dir : sysfs == null ? List.<Path>of() : List.of(sysfs)) {
            mustBeDirectory("--sysfs", dir);
        }
        if (root != null) {
            mustBeDirectory("--root", root);
        }
    }

    private static void mustBeDirectory(String option, Path dir) {
        if (!Files.isDirectory(dir)) {
            throw new UsageException(option + " " + dir + ": no such directory");
        }
    }

    /** Whether devices are to be moved. */
    boolean changes() {
        return bind != null || unbind;
    }

    /** Whether the status is to be shown. */
    boolean shows() {
        return status || statusDev != null;
    }

    /** The driver to bind to, or null to unbind. */
    String driver() {
        return bind == null || bind.equals("none") || bind.equals("None") ? null : bind;
    }

    /** The categories to show. */
    List<DeviceCategory> categories() {
        DeviceCategory one = category();
        return status || one == null ? List.of(DeviceCategory.values()) : List.of(one);
    }

    private DeviceCategory category() {
        if (statusDev == null) {
            return null;
        }
        for (DeviceCategory category : DeviceCategory.values()) {
            if (category.name().toLowerCase(Locale.ROOT).equals(statusDev)) {
                return category;
            }
        }
        throw new UsageException(
                "--status-dev "
                        + statusDev
                        + ": no such category; there are "
                        + Arrays.stream(DeviceCategory.values())
                                .map(c -> c.name().toLowerCase(Locale.ROOT))
                                .collect(Collectors.joining(", ")));
    }

    /** The trees to work on. */
    HostTree tree() {
        HostTree tree = root == null ? HostTree.host() : HostTree.under(root);
        return sysfs == null ? tree : tree.withSysfs(sysfs);
    }
}
