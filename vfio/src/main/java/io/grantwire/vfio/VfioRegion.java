package io.grantwire.vfio;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.grantwire.bindings.Fd;
import io.grantwire.bindings.Mapping;
import io.grantwire.bindings.gen.uapi.Uapi;
import io.grantwire.bindings.gen.uapi.vfio_region_info;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * A region of a VFIO device: a BAR, or the configuration space.
 *
 * @param size bytes; 0 when the device does not have it
 * @param offset where it is in the device's file
 * @param flags {@code VFIO_REGION_INFO_FLAG_*}
 * @param areas the parts that can be mapped; the whole when there is one that covers it
 */
record VfioRegion(long size, long offset, int flags, List<Area> areas) {
    /** A part: bytes from the region's start. */
    record Area(long offset, long size) {}

    private static final int MOST = 1 << 16;

    // struct vfio_region_info_cap_sparse_mmap: header, nr_areas, reserved, then pairs of longs.
    private static final long SPARSE_COUNT = 8;
    private static final long SPARSE_AREAS = 16;
    private static final long SPARSE_AREA = 16;

    static VfioRegion of(Fd device, int index) {
        try (Arena arena = Arena.ofConfined()) {
            int bytes = (int) vfio_region_info.sizeof();
            while (true) {
                MemorySegment info = arena.allocate(bytes, Long.BYTES);
                vfio_region_info.argsz(info, bytes);
                vfio_region_info.index(info, index);
                device.ioctl(Uapi.VFIO_DEVICE_GET_REGION_INFO(), info);
                int wanted = vfio_region_info.argsz(info);
                if (wanted <= bytes || wanted > MOST) {
                    return parse(info);
                }
                bytes = wanted;
            }
        }
    }

    /**
     * @param info the structure with its capabilities, as long as the kernel filled it
     */
    static VfioRegion parse(MemorySegment info) {
        int flags = vfio_region_info.flags(info);
        long size = Math.max(vfio_region_info.size(info), 0);
        List<Area> areas = List.of();
        if (size > 0 && (flags & Uapi.VFIO_REGION_INFO_FLAG_MMAP()) != 0) {
            int first =
                    (flags & Uapi.VFIO_REGION_INFO_FLAG_CAPS()) != 0
                            ? vfio_region_info.cap_offset(info)
                            : 0;
            int id = Uapi.VFIO_REGION_INFO_CAP_SPARSE_MMAP();
            OptionalLong sparse = CapabilityChain.find(info, first, id, SPARSE_AREAS);
            areas =
                    sparse.isEmpty()
                            ? List.of(new Area(0, size))
                            : areas(info.asSlice(sparse.getAsLong()), size);
        }
        return new VfioRegion(size, vfio_region_info.offset(info), flags, areas);
    }

    private static List<Area> areas(MemorySegment cap, long size) {
        long named = Integer.toUnsignedLong(cap.get(JAVA_INT, SPARSE_COUNT));
        long count = Math.min(named, (cap.byteSize() - SPARSE_AREAS) / SPARSE_AREA);
        List<Area> areas = new ArrayList<>();
        for (long i = 0; i < count; i++) {
            long at = cap.get(JAVA_LONG, SPARSE_AREAS + i * SPARSE_AREA);
            long bytes = cap.get(JAVA_LONG, SPARSE_AREAS + i * SPARSE_AREA + Long.BYTES);
            boolean pages = (at | bytes) % Mapping.pageSize() == 0;
            if (pages && at >= 0 && bytes > 0 && at < size && bytes <= size - at) {
                areas.add(new Area(at, bytes));
            }
        }
        return List.copyOf(areas);
    }

    /** Whether one mapping shows all of it. */
    boolean isWhole() {
        return areas.equals(List.of(new Area(0, size)));
    }
}
