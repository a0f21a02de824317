package io.grantwire.vfio;

import io.grantwire.bindings.Fd;
import io.grantwire.bindings.Mapping;
import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.gen.libc.LibC;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A function bound to a UIO driver (Linux: driver-api/uio-howto.rst). BARs and the configuration
 * space are sysfs files (PCI/sysfs-pci.rst); {@code /dev/uioN} is for the interrupt alone.
 */
final class UioDevice extends AbstractPciDevice {
    private static final List<String> TRANSLATED = List.of("DMA", "DMA-FQ");

    private final Path dir;
    private final Path sysfs;
    private final Fd configFile;
    private final FdConfigSpace config;
    private final UioInterrupts interrupts;

    private final FileChannel claim;

    private UioDevice(
            PciFunction function,
            String driver,
            Path sysfs,
            Path dir,
            FileChannel claim,
            Fd config,
            Fd uio) {
        super(function, driver);
        this.sysfs = sysfs;
        this.dir = dir;
        this.claim = claim;
        this.configFile = config;
        this.config = new FdConfigSpace(address(), config, 0, configSize(config));
        this.interrupts = new UioInterrupts(this, uio, driver.equals("igb_uio"));
    }

    /** sysfs says how much there is; without privileges only 64 bytes of it can be read. */
    private static int configSize(Fd config) {
        return Math.clamp(config.size(), 64, 4096);
    }

    static UioDevice open(PciFunction function, String driver) {
        return open(function, driver, Path.of("/sys"), Path.of("/dev"));
    }

    static UioDevice open(PciFunction function, String driver, Path sysfs, Path dev) {
        PciAddress address = function.address();
        Path dir = sysfs.resolve("bus/pci/devices").resolve(address.toString());
        FileChannel claim = null;
        Fd config = null;
        Fd uio = null;
        try {
            claim = claim(address, dir.resolve("config"));
            String node = node(dir).orElseThrow(() -> noNode(address));
            config = Fd.open(dir.resolve("config").toString(), LibC.O_RDWR());
            uio = Fd.open(dev.resolve(node).toString(), LibC.O_RDWR());
            UioDevice device = new UioDevice(function, driver, sysfs, dir, claim, config, uio);
            device.enableMemory();
            Unprotected.warn(address);
            return device;
        } catch (RuntimeException e) {
            if (config != null) {
                config.close();
            }
            if (uio != null) {
                uio.close();
            }
            unclaim(claim);
            throw e instanceof NativeException n ? VfioErrors.of(address, n) : e;
        }
    }

    /**
     * UIO lets any number of processes have a device. One of ours takes a lock on its configuration
     * space first, before it touches {@code /dev/uioN}, whose driver ends bus mastering whenever it
     * is closed.
     */
    private static FileChannel claim(PciAddress address, Path config) {
        FileChannel channel = null;
        try {
            channel = FileChannel.open(config, StandardOpenOption.READ, StandardOpenOption.WRITE);
            if (channel.tryLock() != null) {
                return channel;
            }
        } catch (IOException | OverlappingFileLockException e) {
            unclaim(channel);
            throw new PciException(
                    "PCI device " + address + ": EACCES (its configuration space: " + e + ")", e);
        }
        unclaim(channel);
        throw new PciException(
                "PCI device " + address + ": EBUSY (another process of Grantwire's has it)");
    }

    private static void unclaim(FileChannel channel) {
        if (channel != null) {
            try {
                channel.close();
            } catch (IOException e) {
                // The lock goes with the descriptor in any case.
            }
        }
    }

    private static PciException noNode(PciAddress address) {
        return new PciException(
                "PCI device " + address + ": ENODEV (its driver has made no /dev/uioN for it)");
    }

    /** {@code uio/uioN} below the function. */
    private static Optional<String> node(Path dir) {
        try (Stream<Path> nodes = Files.list(dir.resolve("uio"))) {
            return nodes.map(n -> n.getFileName().toString())
                    .filter(n -> n.startsWith("uio"))
                    .findFirst();
        } catch (IOException none) {
            return Optional.empty();
        }
    }

    @Override
    public PciConfigSpace config() {
        return config;
    }

    /**
     * Physical memory; refused where an IOMMU translates this device's addresses, since nobody can
     * tell it of ours.
     */
    @Override
    public DmaSpace dma() {
        if (function().iommuGroup().isPresent()) {
            int group = function().iommuGroup().getAsInt();
            Path type = sysfs.resolve("kernel/iommu_groups/" + group + "/type");
            try {
                if (TRANSLATED.contains(Files.readString(type).strip())) {
                    throw new PciException(
                            "PCI device "
                                    + address()
                                    + ": EPERM (an IOMMU is in its way, which UIO cannot set up;"
                                    + " type: grantwire nic-bind -b vfio-pci "
                                    + address()
                                    + ", or boot with iommu=pt)");
                }
            } catch (IOException unknown) {
                // Kernels before 5.x do not say; the first DMA will tell.
            }
        }
        return PhysicalDmaSpace.host();
    }

    @Override
    public PciInterrupts interrupts() {
        return interrupts;
    }

    @Override
    Mapping mapBar(int index) {
        SysfsResource resource = SysfsResource.read(address(), dir, index);
        if (resource.size() == 0) {
            throw noBar(index);
        }
        if (!resource.isMemory() || resource.size() < Mapping.pageSize()) {
            throw notMappable(index);
        }
        String path = dir.resolve("resource" + index).toString();
        try (Fd file = Fd.open(path, LibC.O_RDWR())) {
            return Mapping.shared(file, 0, resource.size(), Mapping.READ | Mapping.WRITE);
        } catch (NativeException e) {
            throw VfioErrors.of(address(), e);
        }
    }

    @Override
    public void reset() {
        Path file = dir.resolve("reset");
        if (!Files.exists(file)) {
            throw cannotReset();
        }
        interrupts.disable();
        try {
            Files.writeString(file, "1");
        } catch (IOException e) {
            throw new PciException(
                    "PCI device " + address() + ": EIO (reset: " + e.getMessage() + ")", e);
        }
    }

    @Override
    public boolean isGone() {
        // Unbinding does not wait for us here: then another driver has the device, or none.
        boolean bound =
                SysfsPci.linkName(dir.resolve("driver")).filter(kernelDriver()::equals).isPresent();
        return !bound || super.isGone();
    }

    @Override
    void release() {
        try {
            interrupts.disable();
        } finally {
            interrupts.close();
            configFile.close();
            unclaim(claim);
        }
    }
}
