package io.grantwire.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.bindings.Mapping;
import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.gen.libc.LibC;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class VfioDmaSpaceTest {
    private static final long PAGE = Mapping.pageSize();

    /** Maps as the kernel does: no overlap, only within ranges, only so many. */
    private static final class FakeIommu implements Type1Iommu {
        final TreeMap<Long, MemorySegment> mapped = new TreeMap<>();
        int most = 8;
        int refuseWith;

        @Override
        public Info info() {
            IovaRange range = new IovaRange(0, (1L << 32) - 1);
            return new Info(List.of(range), PAGE | 1 << 21, most - mapped.size());
        }

        @Override
        public void map(MemorySegment memory, long iova) {
            if (refuseWith != 0) {
                throw new NativeException("ioctl", refuseWith);
            }
            Map.Entry<Long, MemorySegment> below = mapped.lowerEntry(iova + memory.byteSize());
            if (below != null && below.getKey() + below.getValue().byteSize() > iova) {
                throw new NativeException("ioctl", LibC.EEXIST());
            }
            mapped.put(iova, memory);
        }

        @Override
        public void unmap(long iova, long bytes) {
            MemorySegment memory = mapped.remove(iova);
            if (memory == null || memory.byteSize() != bytes) {
                throw new NativeException("ioctl", LibC.EINVAL());
            }
        }
    }

    private VfioDmaSpace space;
    private FakeIommu iommu;

    @BeforeEach
    void attach() {
        space = new VfioDmaSpace();
        iommu = new FakeIommu();
        space.attach(iommu);
    }

    @Test
    void allocatedMemoryIsMappedUntilItIsClosed() {
        DmaMapping mapping = space.allocate(10_000);
        assertTrue(mapping.segment().byteSize() >= 10_000);
        assertEquals(mapping.segment(), iommu.mapped.get(mapping.busAddress(0)));
        assertEquals(mapping.busAddress(0) + 9999, mapping.busAddress(9999));
        mapping.close();
        mapping.close();
        assertTrue(iommu.mapped.isEmpty());
        assertEquals(0, space.mappings());
    }

    @Test
    void memoryOfOthersStaysTheirs() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(2 * PAGE, PAGE);
            DmaMapping mapping = space.map(memory);
            mapping.close();
            memory.fill((byte) 1);
            assertThrows(IllegalArgumentException.class, () -> space.map(memory.asSlice(8, PAGE)));
            assertThrows(
                    IllegalArgumentException.class,
                    () -> space.map(MemorySegment.ofArray(new byte[4096])));
        }
    }

    @Test
    void whenAGroupComesBackSoDoTheMappingsAtTheirAddresses() {
        DmaMapping kept = space.allocate(PAGE);
        DmaMapping closed = space.allocate(PAGE);
        space.detach();
        closed.close();
        FakeIommu next = new FakeIommu();
        space.attach(next);
        assertEquals(Map.of(kept.busAddress(0), kept.segment()), next.mapped);
        kept.close();
        assertTrue(next.mapped.isEmpty());
    }

    @Test
    void withoutAGroupNothingCanBeMapped() {
        space.detach();
        PciException e = assertThrows(PciException.class, () -> space.allocate(PAGE));
        assertTrue(e.getMessage().contains("ENODEV"), e.getMessage());
    }

    @Test
    void theLimitOnMappingsIsNamedWithWhatRaisesIt() {
        for (int i = 0; i < iommu.most; i++) {
            space.allocate(PAGE);
        }
        PciException e = assertThrows(PciException.class, () -> space.allocate(PAGE));
        assertTrue(e.getMessage().contains("dma_entry_limit"), e.getMessage());
    }

    @Test
    void aRefusalLeavesNothingTaken() {
        iommu.refuseWith = LibC.ENOMEM();
        PciException e = assertThrows(PciException.class, () -> space.allocate(PAGE));
        assertTrue(
                e.getMessage().startsWith("DMA memory: ENOMEM (cannot lock 4 KiB"), e.getMessage());
        iommu.refuseWith = 0;
        DmaMapping first = space.allocate(PAGE);
        assertEquals(1 << 20, first.busAddress(0));
        assertEquals(1, space.mappings());
    }
}
