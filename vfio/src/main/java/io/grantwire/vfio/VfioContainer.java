package io.grantwire.vfio;

import io.grantwire.bindings.Fd;
import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.gen.libc.LibC;
import io.grantwire.bindings.gen.uapi.Uapi;
import io.grantwire.bindings.gen.uapi.vfio_iommu_type1_dma_map;
import io.grantwire.bindings.gen.uapi.vfio_iommu_type1_dma_unmap;
import io.grantwire.bindings.gen.uapi.vfio_iommu_type1_info;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * {@code /dev/vfio/vfio}: what the groups of this process share, which is their addresses
 * (linux/vfio.h). There is one for groups behind an IOMMU, and one for groups without.
 */
final class VfioContainer {
    /** The API that we know, and the only one there has been. */
    private static final int API_VERSION = 0;

    private static final String NODE = "/dev/vfio/vfio";
    private static final VfioContainer TYPE1 = new VfioContainer(false);
    private static final VfioContainer NO_IOMMU = new VfioContainer(true);

    private final boolean noIommu;
    private final VfioDmaSpace space = new VfioDmaSpace();
    private final Map<Integer, VfioGroup> groups = new HashMap<>();
    private Fd fd;

    private VfioContainer(boolean noIommu) {
        this.noIommu = noIommu;
    }

    /**
     * This process's.
     *
     * @param noIommu the one for groups without an IOMMU
     */
    static VfioContainer of(boolean noIommu) {
        return noIommu ? NO_IOMMU : TYPE1;
    }

    /** The addresses that its devices see. */
    DmaSpace space() {
        return noIommu ? PhysicalDmaSpace.host() : space;
    }

    /**
     * The group of a function, opened unless it is; the caller {@link #leave}s it in the end.
     *
     * @throws PciException when it cannot be had
     */
    synchronized VfioGroup join(PciAddress address, int number) {
        VfioGroup group = groups.get(number);
        if (group == null) {
            open();
            try {
                group = add(address, number);
            } catch (RuntimeException e) {
                closeIfUnused();
                throw e;
            }
            groups.put(number, group);
        }
        group.users++;
        return group;
    }

    /** Ends what {@link #join} began. */
    synchronized void leave(VfioGroup group) {
        if (--group.users > 0) {
            return;
        }
        groups.remove(group.number());
        group.fd().close();
        closeIfUnused();
    }

    /** With its last group the container's mappings go, and a new one begins empty. */
    private void closeIfUnused() {
        if (groups.isEmpty()) {
            space.detach();
            fd.close();
        }
    }

    private void open() {
        if (fd != null && fd.isOpen()) {
            return;
        }
        try {
            fd = Fd.open(NODE, LibC.O_RDWR());
        } catch (NativeException e) {
            throw new PciException("VFIO: " + e.getMessage(), e);
        }
        long version = fd.ioctl(Uapi.VFIO_GET_API_VERSION(), 0);
        if (version != API_VERSION) {
            fd.close();
            throw new PciException(
                    "VFIO: ENOTSUP (the kernel's API is version " + version + ", not 0)");
        }
        if (!noIommu && fd.ioctl(Uapi.VFIO_CHECK_EXTENSION(), Uapi.VFIO_TYPE1v2_IOMMU()) == 0) {
            fd.close();
            throw VfioErrors.noType1();
        }
    }

    private VfioGroup add(PciAddress address, int number) {
        VfioGroup group = VfioGroup.open(address, number, noIommu);
        try {
            if (!group.isViable()) {
                throw VfioErrors.notViable(address, number, Path.of("/sys"));
            }
            try {
                group.setContainer(fd);
            } catch (NativeException e) {
                throw VfioErrors.joining(address, number, e);
            }
            if (groups.isEmpty()) {
                int kind = noIommu ? Uapi.VFIO_NOIOMMU_IOMMU() : Uapi.VFIO_TYPE1v2_IOMMU();
                try {
                    fd.ioctl(Uapi.VFIO_SET_IOMMU(), kind);
                } catch (NativeException e) {
                    throw VfioErrors.setIommu(address, e);
                }
            }
            if (!noIommu) {
                space.attach(new Kernel(fd));
            }
            return group;
        } catch (NativeException e) {
            group.fd().close();
            throw VfioErrors.of(address, e);
        } catch (RuntimeException e) {
            group.fd().close();
            throw e;
        }
    }

    /** The IOMMU through one container. */
    private record Kernel(Fd fd) implements Type1Iommu {
        private static final int MOST = 1 << 20;

        @Override
        public Info info() {
            try (Arena arena = Arena.ofConfined()) {
                int bytes = (int) vfio_iommu_type1_info.sizeof();
                while (true) {
                    MemorySegment info = arena.allocate(bytes, Long.BYTES);
                    vfio_iommu_type1_info.argsz(info, bytes);
                    fd.ioctl(Uapi.VFIO_IOMMU_GET_INFO(), info);
                    // The kernel says here how much it would have written.
                    int wanted = vfio_iommu_type1_info.argsz(info);
                    if (wanted <= bytes || wanted > MOST) {
                        return Type1Info.parse(info);
                    }
                    bytes = wanted;
                }
            }
        }

        @Override
        public void map(MemorySegment memory, long iova) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment map = vfio_iommu_type1_dma_map.allocate(arena);
                vfio_iommu_type1_dma_map.argsz(map, (int) vfio_iommu_type1_dma_map.sizeof());
                vfio_iommu_type1_dma_map.flags(
                        map, Uapi.VFIO_DMA_MAP_FLAG_READ() | Uapi.VFIO_DMA_MAP_FLAG_WRITE());
                vfio_iommu_type1_dma_map.vaddr(map, memory.address());
                vfio_iommu_type1_dma_map.iova(map, iova);
                vfio_iommu_type1_dma_map.size(map, memory.byteSize());
                fd.ioctl(Uapi.VFIO_IOMMU_MAP_DMA(), map);
            }
        }

        @Override
        public void unmap(long iova, long bytes) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment unmap = vfio_iommu_type1_dma_unmap.allocate(arena);
                vfio_iommu_type1_dma_unmap.argsz(unmap, (int) vfio_iommu_type1_dma_unmap.sizeof());
                vfio_iommu_type1_dma_unmap.iova(unmap, iova);
                vfio_iommu_type1_dma_unmap.size(unmap, bytes);
                fd.ioctl(Uapi.VFIO_IOMMU_UNMAP_DMA(), unmap);
            }
        }
    }
}
