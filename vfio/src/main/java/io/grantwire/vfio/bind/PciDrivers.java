package io.grantwire.vfio.bind;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The PCI drivers of a kernel, and which of them hand devices to user space. */
public final class PciDrivers {
    /** VFIO's driver for PCI devices. */
    public static final String VFIO_PCI = "vfio-pci";

    /** The driver that keeps devices for guests of Xen; its module is xen-pciback. */
    public static final String PCIBACK = "pciback";

    /** The drivers that give a device to a program of this machine. */
    public static final List<String> USER_SPACE = List.of("igb_uio", VFIO_PCI, "uio_pci_generic");

    private final HostTree tree;

    /**
     * @param tree where to look
     */
    public PciDrivers(HostTree tree) {
        this.tree = tree;
    }

    /**
     * The driver that a person means by a name: the driver's own, with {@code -} and {@code _} the
     * same, or that of its module ({@code xen-pciback} for {@code pciback}).
     *
     * @return its directory's name in {@code bus/pci/drivers}; empty when the kernel has none
     */
    public Optional<String> find(String name) {
        if (!name.matches("[A-Za-z0-9_.+-]+") || name.matches("\\.+")) {
            return Optional.empty();
        }
        if (Files.isDirectory(tree.driver(name))) {
            return Optional.of(name);
        }
        List<String> all = HostTree.names(tree.sysfs().resolve("bus/pci/drivers"));
        String wanted = KernelModules.plain(name);
        for (String driver : all) {
            if (KernelModules.plain(driver).equals(wanted)) {
                return Optional.of(driver);
            }
        }
        for (String driver : all) {
            if (module(driver).equals(wanted)) {
                return Optional.of(driver);
            }
        }
        return Optional.empty();
    }

    /** Whether a driver gives devices to programs of this machine. */
    public static boolean isUserSpace(String driver) {
        return USER_SPACE.contains(driver);
    }

    /** Whether two names of drivers or modules mean the same driver. */
    boolean same(String driver, String other) {
        String plain = KernelModules.plain(other);
        return KernelModules.plain(driver).equals(plain) || module(driver).equals(plain);
    }

    /** The module that a driver comes from, with {@code _}; its own name when built in. */
    private String module(String driver) {
        Path link = tree.driver(driver).resolve("module");
        try {
            return Files.isSymbolicLink(link)
                    ? Files.readSymbolicLink(link).getFileName().toString()
                    : KernelModules.plain(driver);
        } catch (IOException gone) {
            return KernelModules.plain(driver);
        }
    }
}
