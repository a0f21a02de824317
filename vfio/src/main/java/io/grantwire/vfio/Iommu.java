package io.grantwire.vfio;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Whether devices can be handed to this process safely: VFIO needs an IOMMU that keeps a device's
 * DMA to the memory it was given. Every call reads sysfs anew.
 */
public final class Iommu {
    private final Path sysfs;

    /**
     * @param sysfs the directory that sysfs is mounted on, or one that is laid out like it
     */
    public Iommu(Path sysfs) {
        this.sysfs = sysfs;
    }

    /** This machine's. */
    public static Iommu host() {
        return new Iommu(Path.of("/sys"));
    }

    /** Whether the kernel drives an IOMMU. */
    public boolean isPresent() {
        return count(sysfs.resolve("class/iommu")) > 0;
    }

    /** How many groups of devices it tells apart; 0 without an IOMMU. */
    public int groups() {
        return count(sysfs.resolve("kernel/iommu_groups"));
    }

    /** Whether vfio-pci hands out devices without an IOMMU: their DMA then reaches all memory. */
    public boolean unsafeModeEnabled() {
        Path parameter = sysfs.resolve("module/vfio/parameters/enable_unsafe_noiommu_mode");
        try {
            String value = Files.readString(parameter).strip();
            return value.equalsIgnoreCase("y") || value.equals("1");
        } catch (IOException absent) {
            return false;
        }
    }

    /** Why there is no IOMMU to use and what might mend it; empty when there is one. */
    public Optional<String> unavailable() {
        if (isPresent() && groups() > 0) {
            return Optional.empty();
        }
        if (hypervisor().equals("xen")) {
            return Optional.of(
                    "Xen owns the IOMMU; pass the device to this domain, or bind it to"
                            + " uio_pci_generic");
        }
        return Optional.of(
                "the kernel found no IOMMU; switch VT-d or AMD-Vi on in the firmware and boot with"
                        + " intel_iommu=on or amd_iommu=on");
    }

    private String hypervisor() {
        try {
            return Files.readString(sysfs.resolve("hypervisor/type")).strip();
        } catch (IOException absent) {
            return "";
        }
    }

    private static int count(Path dir) {
        if (!Files.isDirectory(dir)) {
            return 0;
        }
        try (Stream<Path> entries = Files.list(dir)) {
            return (int) entries.count();
        } catch (IOException unreadable) {
            return 0;
        }
    }
}
