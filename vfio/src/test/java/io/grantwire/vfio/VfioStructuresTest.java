package io.grantwire.vfio;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.bindings.gen.uapi.Uapi;
import io.grantwire.bindings.gen.uapi.vfio_iommu_type1_info;
import io.grantwire.bindings.gen.uapi.vfio_region_info;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What the kernel answers, read from structures made by hand after linux/vfio.h; odd ones too. */
class VfioStructuresTest {
    private static final int IOVA_RANGE = 1;
    private static final int DMA_AVAIL = 3;
    private static final int SPARSE_MMAP = 1;

    private static MemorySegment structure(int bytes) {
        return Arena.ofAuto().allocate(bytes, 8);
    }

    private static void header(MemorySegment info, int at, int id, int next) {
        info.set(JAVA_SHORT, at, (short) id);
        info.set(JAVA_SHORT, at + 2, (short) 1);
        info.set(JAVA_INT, at + 4, next);
    }

    @Test
    void aCapabilityIsFoundBehindOthers() {
        MemorySegment info = structure(64);
        header(info, 16, 7, 40);
        header(info, 40, 9, 0);
        assertEquals(OptionalLong.of(40), CapabilityChain.find(info, 16, 9, 8));
        assertEquals(OptionalLong.of(16), CapabilityChain.find(info, 16, 7, 8));
        assertEquals(OptionalLong.empty(), CapabilityChain.find(info, 16, 8, 8));
        assertEquals(OptionalLong.empty(), CapabilityChain.find(info, 0, 7, 8));
    }

    @Test
    void aChainThatLeadsBackEnds() {
        MemorySegment info = structure(64);
        header(info, 16, 7, 40);
        header(info, 40, 9, 16);
        assertTimeoutPreemptively(
                Duration.ofSeconds(5),
                () -> assertEquals(OptionalLong.empty(), CapabilityChain.find(info, 16, 1, 8)));
    }

    @Test
    void offsetsOutsideOrBetweenAreTheEnd() {
        MemorySegment info = structure(64);
        for (int first : new int[] {64, 60, 57, 17, 0x7fff_fff0, -8, -1}) {
            assertEquals(OptionalLong.empty(), CapabilityChain.find(info, first, 0, 8), "" + first);
        }
        header(info, 16, 7, -16);
        assertEquals(OptionalLong.empty(), CapabilityChain.find(info, 16, 1, 8));
    }

    @Test
    void aCapabilityThatIsCutOffIsNotThere() {
        MemorySegment info = structure(64);
        header(info, 56, 7, 0);
        assertEquals(OptionalLong.of(56), CapabilityChain.find(info, 56, 7, 8));
        assertEquals(OptionalLong.empty(), CapabilityChain.find(info, 56, 7, 9));
    }

    @Test
    void theIommusRangesPagesAndRoomForMappingsAreRead() {
        MemorySegment info = structure(24 + 16 + 32 + 16);
        vfio_iommu_type1_info.flags(
                info, Uapi.VFIO_IOMMU_INFO_CAPS() | Uapi.VFIO_IOMMU_INFO_PGSIZES());
        vfio_iommu_type1_info.iova_pgsizes(info, 0x4020_1000L);
        vfio_iommu_type1_info.cap_offset(info, 24);
        header(info, 24, IOVA_RANGE, 72);
        info.set(JAVA_INT, 32, 2);
        info.set(JAVA_LONG, 40, 0);
        info.set(JAVA_LONG, 48, 0xfedf_ffffL);
        info.set(JAVA_LONG, 56, 0xfef0_0000L);
        info.set(JAVA_LONG, 64, 0x7f_ffff_ffffL);
        header(info, 72, DMA_AVAIL, 0);
        info.set(JAVA_INT, 80, 65535);
        assertEquals(
                new Type1Iommu.Info(
                        List.of(
                                new IovaRange(0, 0xfedf_ffffL),
                                new IovaRange(0xfef0_0000L, 0x7f_ffff_ffffL)),
                        0x4020_1000L,
                        65535),
                Type1Info.parse(info));
    }

    @Test
    void anIommuThatNamesNoRangesHasTheUsualOnes() {
        Type1Iommu.Info info = Type1Info.parse(structure(24));
        assertEquals(0xfedf_ffffL, info.ranges().getFirst().end());
        assertEquals(65535, info.mappingsLeft());
    }

    @Test
    void moreRangesThanTheStructureHoldsAreCut() {
        MemorySegment info = structure(24 + 16 + 16);
        vfio_iommu_type1_info.flags(info, Uapi.VFIO_IOMMU_INFO_CAPS());
        vfio_iommu_type1_info.cap_offset(info, 24);
        header(info, 24, IOVA_RANGE, 0);
        info.set(JAVA_INT, 32, -1);
        info.set(JAVA_LONG, 48, 0xffffL);
        assertEquals(List.of(new IovaRange(0, 0xffff)), Type1Info.parse(info).ranges());
    }

    @Test
    void aRegionWithoutHolesIsOneArea() {
        MemorySegment info = structure((int) vfio_region_info.sizeof());
        vfio_region_info.flags(info, Uapi.VFIO_REGION_INFO_FLAG_MMAP());
        vfio_region_info.size(info, 0x20000);
        VfioRegion region = VfioRegion.parse(info);
        assertTrue(region.isWhole());
        assertEquals(0x20000, region.size());
    }

    @Test
    void aRegionThatCannotBeMappedHasNoArea() {
        MemorySegment info = structure((int) vfio_region_info.sizeof());
        vfio_region_info.size(info, 32);
        assertEquals(List.of(), VfioRegion.parse(info).areas());
    }

    @Test
    void partsOfARegionAreReadAndOddOnesLeftOut() {
        MemorySegment info = structure(32 + 16 + 6 * 16);
        vfio_region_info.flags(
                info, Uapi.VFIO_REGION_INFO_FLAG_MMAP() | Uapi.VFIO_REGION_INFO_FLAG_CAPS());
        vfio_region_info.size(info, 0x4000);
        vfio_region_info.cap_offset(info, 32);
        header(info, 32, SPARSE_MMAP, 0);
        info.set(JAVA_INT, 40, 1000);
        long[][] named = {
            {0, 0x1000},
            {0x2000, 0x2000},
            {0x3000, 0x2000},
            {-0x1000, 0x1000},
            {0x800, 0x1000},
            {0x1000, -0x1000}
        };
        for (int i = 0; i < named.length; i++) {
            info.set(JAVA_LONG, 48 + 16 * i, named[i][0]);
            info.set(JAVA_LONG, 56 + 16 * i, named[i][1]);
        }
        VfioRegion region = VfioRegion.parse(info);
        assertFalse(region.isWhole());
        assertEquals(
                List.of(new VfioRegion.Area(0, 0x1000), new VfioRegion.Area(0x2000, 0x2000)),
                region.areas());
    }

    @Test
    void randomAnswersNeverLeadOutside() {
        Random random = new Random(11);
        for (int i = 0; i < 20_000; i++) {
            byte[] bytes = new byte[32 + 8 * random.nextInt(20)];
            random.nextBytes(bytes);
            // Often a small offset, so that the chain is entered.
            bytes[16] = (byte) (24 + 4 * random.nextInt(10));
            bytes[12] = bytes[16];
            bytes[17] = bytes[18] = bytes[19] = bytes[13] = bytes[14] = bytes[15] = 0;
            MemorySegment info = structure(bytes.length).copyFrom(MemorySegment.ofArray(bytes));
            IovaAllocator allocator = new IovaAllocator();
            allocator.setRanges(Type1Info.parse(info).ranges());
            allocator.take(4096, 4096);
            VfioRegion region = VfioRegion.parse(info);
            for (VfioRegion.Area area : region.areas()) {
                assertTrue(area.offset() >= 0 && area.size() >= 0);
            }
        }
    }
}
