package io.grantwire.vfio;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.grantwire.bindings.Fd;
import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.gen.libc.LibC;
import io.grantwire.bindings.gen.uapi.Uapi;
import io.grantwire.bindings.gen.uapi.vfio_group_status;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * Devices that an IOMMU cannot tell apart, {@code /dev/vfio/N}. The kernel lets one be opened once,
 * so all devices of it in this process share it; guarded by its {@link VfioContainer}.
 */
final class VfioGroup {
    private final int number;
    private final Fd fd;

    /** Devices of ours in it. */
    int users;

    private VfioGroup(int number, Fd fd) {
        this.number = number;
        this.fd = fd;
    }

    static String node(int number, boolean noIommu) {
        return "/dev/vfio/" + (noIommu ? "noiommu-" : "") + number;
    }

    static VfioGroup open(PciAddress address, int number, boolean noIommu) {
        try {
            return new VfioGroup(number, Fd.open(node(number, noIommu), LibC.O_RDWR()));
        } catch (NativeException e) {
            throw VfioErrors.openGroup(address, number, e, Path.of("/proc"));
        }
    }

    int number() {
        return number;
    }

    Fd fd() {
        return fd;
    }

    /** Whether no kernel driver has a device of it. */
    boolean isViable() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment status = vfio_group_status.allocate(arena);
            vfio_group_status.argsz(status, (int) vfio_group_status.sizeof());
            fd.ioctl(Uapi.VFIO_GROUP_GET_STATUS(), status);
            return (vfio_group_status.flags(status) & Uapi.VFIO_GROUP_FLAGS_VIABLE()) != 0;
        }
    }

    void setContainer(Fd container) {
        try (Arena arena = Arena.ofConfined()) {
            fd.ioctl(
                    Uapi.VFIO_GROUP_SET_CONTAINER(),
                    arena.allocateFrom(JAVA_INT, container.value()));
        }
    }

    /** Opens a device of it. */
    Fd device(PciAddress address) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocateFrom(address.toString());
            long device = fd.ioctl(Uapi.VFIO_GROUP_GET_DEVICE_FD(), name);
            return Fd.adopt((int) device, "PCI device " + address);
        }
    }
}
