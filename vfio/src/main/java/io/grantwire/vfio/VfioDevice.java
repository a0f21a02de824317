package io.grantwire.vfio;

import io.grantwire.bindings.EventFd;
import io.grantwire.bindings.Fd;
import io.grantwire.bindings.Mapping;
import io.grantwire.bindings.Memfd;
import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.gen.libc.LibC;
import io.grantwire.bindings.gen.uapi.Uapi;
import io.grantwire.bindings.gen.uapi.vfio_device_info;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A function bound to vfio-pci (linux/vfio.h). */
final class VfioDevice extends AbstractPciDevice {
    private static final Logger LOG = LoggerFactory.getLogger(VfioDevice.class);

    private final VfioContainer container;
    private final VfioGroup group;
    private final Fd fd;
    private final FdConfigSpace config;
    private final VfioInterrupts interrupts;
    private final EventFd request;
    private final boolean canReset;
    private boolean told;

    private VfioDevice(PciFunction function, VfioContainer container, VfioGroup group, Fd fd) {
        super(function, "vfio-pci");
        this.container = container;
        this.group = group;
        this.fd = fd;
        VfioRegion space = VfioRegion.of(fd, Uapi.VFIO_PCI_CONFIG_REGION_INDEX());
        this.config =
                new FdConfigSpace(
                        address(), fd, space.offset(), (int) Math.min(space.size(), 4096));
        this.canReset = (deviceFlags(fd) & Uapi.VFIO_DEVICE_FLAGS_RESET()) != 0;
        this.interrupts = new VfioInterrupts(address(), fd);
        this.request = interrupts.onRequest();
    }

    static VfioDevice open(PciFunction function) {
        PciAddress address = function.address();
        OptionalInt number = function.iommuGroup();
        if (number.isEmpty()) {
            throw VfioErrors.noGroup(address, Iommu.host());
        }
        // A group without an IOMMU is named otherwise, where the kernel has such groups at all.
        boolean noIommu = Files.exists(Path.of(VfioGroup.node(number.getAsInt(), true)));
        if (noIommu) {
            Unprotected.warn(address);
        }
        VfioContainer container = VfioContainer.of(noIommu);
        VfioGroup group = container.join(address, number.getAsInt());
        Fd fd = null;
        try {
            fd = group.device(address);
            VfioDevice device = new VfioDevice(function, container, group, fd);
            device.enableMemory();
            return device;
        } catch (RuntimeException e) {
            if (fd != null) {
                fd.close();
            }
            container.leave(group);
            throw e instanceof NativeException n ? VfioErrors.of(address, n) : e;
        }
    }

    private static int deviceFlags(Fd fd) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment info = vfio_device_info.allocate(arena);
            vfio_device_info.argsz(info, (int) vfio_device_info.sizeof());
            fd.ioctl(Uapi.VFIO_DEVICE_GET_INFO(), info);
            return vfio_device_info.flags(info);
        }
    }

    @Override
    public PciConfigSpace config() {
        return config;
    }

    @Override
    public DmaSpace dma() {
        return container.space();
    }

    @Override
    public PciInterrupts interrupts() {
        return interrupts;
    }

    @Override
    Mapping mapBar(int index) {
        VfioRegion region;
        try {
            region = VfioRegion.of(fd, Uapi.VFIO_PCI_BAR0_REGION_INDEX() + index);
        } catch (NativeException e) {
            throw VfioErrors.of(address(), e);
        }
        if (region.size() == 0) {
            throw noBar(index);
        }
        if (region.areas().isEmpty()) {
            throw notMappable(index);
        }
        try {
            int prot = Mapping.READ | Mapping.WRITE;
            return region.isWhole()
                    ? Mapping.shared(fd, region.offset(), region.size(), prot)
                    : mapParts(region, prot);
        } catch (NativeException e) {
            throw VfioErrors.of(address(), e);
        }
    }

    /**
     * Older kernels keep the MSI-X table to themselves (capability "sparse mmap"). There reads give
     * zeros and writes are lost, for a hole would end the JVM.
     */
    private Mapping mapParts(VfioRegion region, int prot) {
        Mapping all = Mapping.reserve(region.size());
        try (Fd holes = Memfd.create("bar-holes", region.size(), false, 0)) {
            all.mapFixed(0, holes, 0, region.size(), prot);
            for (VfioRegion.Area area : region.areas()) {
                long at = area.offset();
                all.mapFixed(at, fd, region.offset() + at, area.size(), prot);
            }
            return all;
        } catch (RuntimeException e) {
            all.close();
            throw e;
        }
    }

    @Override
    public void reset() {
        if (!canReset) {
            throw cannotReset();
        }
        interrupts.disable();
        try {
            fd.ioctl(Uapi.VFIO_DEVICE_RESET(), 0);
        } catch (NativeException e) {
            throw e.errno() == LibC.ENOTTY() ? cannotReset() : VfioErrors.of(address(), e);
        }
    }

    @Override
    public boolean isGone() {
        // On unbind and unplugging the kernel waits until the device is closed, and says so here.
        boolean wanted = isOpen() && request != null && request.await(Duration.ZERO);
        if (wanted && !told) {
            told = true;
            LOG.warn("PCI device {}: the kernel wants it back; close it", address());
        }
        return wanted || super.isGone();
    }

    @Override
    void release() {
        try {
            interrupts.disable();
        } finally {
            if (request != null) {
                request.close();
            }
            fd.close();
            container.leave(group);
        }
    }
}
