package io.grantwire.vfio;

import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.Process;
import io.grantwire.bindings.ResourceLimits;
import io.grantwire.bindings.gen.libc.LibC;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** What goes wrong with VFIO, why, and what to type: one line each. */
final class VfioErrors {
    /** Drivers that leave a group viable (Linux: drivers/iommu/iommu.c, driver_managed_dma). */
    private static final List<String> HARMLESS = List.of("vfio-pci", "pci-stub", "pcieport");

    private VfioErrors() {}

    static PciException of(PciAddress address, NativeException e) {
        return new PciException("PCI device " + address + ": " + e.getMessage(), e);
    }

    static PciException noGroup(PciAddress address, Iommu iommu) {
        return new PciException(
                "PCI device "
                        + address
                        + ": ENODEV (it has no IOMMU group: "
                        + iommu.unavailable()
                                .orElse("the IOMMU does not serve it; bind it to uio_pci_generic")
                        + ")");
    }

    static PciException noType1() {
        return new PciException(
                "VFIO: ENOTSUP (no IOMMU driver of type 1; type: modprobe vfio_iommu_type1)");
    }

    static PciException openGroup(PciAddress address, int group, NativeException e, Path proc) {
        String node = "/dev/vfio/" + group;
        String why;
        if (e.errno() == LibC.EBUSY()) {
            why = holder(node, proc) + " has its IOMMU group " + group + "; end that one first";
        } else if (e.errno() == LibC.ENOENT()) {
            why = node + " is not there; type: grantwire nic-bind -b vfio-pci " + address;
        } else if (e.errno() == LibC.EACCES()) {
            why = node + " is not yours; run as root, or type: sudo chown $USER " + node;
        } else if (e.errno() == LibC.EPERM()) {
            why = node + " needs CAP_SYS_RAWIO; run as root";
        } else {
            return of(address, e);
        }
        return new PciException(
                "PCI device " + address + ": " + e.errnoName() + " (" + why + ")", e);
    }

    /** Who has a file open, as far as we may look. */
    private static String holder(String node, Path proc) {
        try (Stream<Path> all = Files.list(proc)) {
            for (Path process : all.toList()) {
                String pid = process.getFileName().toString();
                if (!pid.equals(Integer.toString(Process.pid()))
                        && Character.isDigit(pid.charAt(0))
                        && hasOpen(process, node)) {
                    return "process "
                            + pid
                            + " ("
                            + Files.readString(process.resolve("comm")).strip()
                            + ")";
                }
            }
        } catch (IOException unreadable) {
            // Gone meanwhile, or not ours to see.
        }
        return "another process";
    }

    private static boolean hasOpen(Path process, String node) {
        try (Stream<Path> descriptors = Files.list(process.resolve("fd"))) {
            for (Path descriptor : descriptors.toList()) {
                if (Files.readSymbolicLink(descriptor).toString().equals(node)) {
                    return true;
                }
            }
        } catch (IOException unreadable) {
            // As above.
        }
        return false;
    }

    /** Names the functions of a group that kernel drivers have. */
    static PciException notViable(PciAddress address, int group, Path sysfs) {
        List<String> held = new ArrayList<>();
        List<String> addresses = new ArrayList<>();
        SysfsPci pci = new SysfsPci(sysfs);
        for (PciFunction other : pci.list()) {
            Optional<String> driver = other.driver();
            if (other.iommuGroup().orElse(-1) == group
                    && driver.isPresent()
                    && !HARMLESS.contains(driver.get())) {
                held.add(other.address() + " is with " + driver.get());
                addresses.add(other.address().toString());
            }
        }
        return new PciException(
                "PCI device "
                        + address
                        + ": EPERM (its IOMMU group "
                        + group
                        + " is not all free: "
                        + (held.isEmpty()
                                ? "a kernel driver uses it"
                                : String.join(", ", held)
                                        + "; type: grantwire nic-bind -b vfio-pci "
                                        + String.join(" ", addresses))
                        + ")");
    }

    static PciException setIommu(PciAddress address, NativeException e) {
        if (e.errno() != LibC.EPERM()) {
            return of(address, e);
        }
        return new PciException(
                "PCI device "
                        + address
                        + ": EPERM (this machine does not remap interrupts, so a device could forge"
                        + " them; switch that on in the firmware, or, if you trust the device, type:"
                        + " echo 1 > /sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts)",
                e);
    }

    static PciException joining(PciAddress address, int group, NativeException e) {
        if (e.errno() == LibC.EINVAL()) {
            return new PciException(
                    "PCI device "
                            + address
                            + ": EINVAL (its IOMMU group "
                            + group
                            + " cannot join the others: memory is mapped where it has reserved"
                            + " addresses, or its IOMMU is of another kind)",
                    e);
        }
        return of(address, e);
    }

    static PciException tooManyMappings() {
        return new PciException(
                "DMA memory: ENOSPC (the kernel's limit on mappings is reached; raise it with:"
                        + " modprobe -r vfio_iommu_type1; modprobe vfio_iommu_type1"
                        + " dma_entry_limit=1048576)");
    }

    static PciException mapping(long bytes, NativeException e) {
        if (e.errno() == LibC.ENOSPC()) {
            return tooManyMappings();
        }
        if (e.errno() == LibC.ENOMEM()) {
            return new PciException(memlock(bytes, ResourceLimits.memlock(), Process.pid()), e);
        }
        return new PciException("DMA memory: " + e.getMessage(), e);
    }

    static String memlock(long bytes, long limit, int pid) {
        return "DMA memory: ENOMEM (cannot lock "
                + bytes / 1024
                + " KiB; "
                + (limit == ResourceLimits.UNLIMITED
                        ? "there is no limit, so memory is short"
                        : "the limit is "
                                + limit / 1024
                                + " KiB in all; type: ulimit -l unlimited, or: prlimit"
                                + " --memlock=unlimited --pid "
                                + pid)
                + ")";
    }
}
