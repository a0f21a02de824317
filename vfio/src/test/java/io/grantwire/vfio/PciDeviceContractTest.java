package io.grantwire.vfio;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.bindings.Mapping;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every {@link PciDevice} does; run on a fake one here, and on cards in the NIC test bed. */
public abstract class PciDeviceContractTest {
    private static final int MSIX_CAPABILITY = 0x11;
    private static final int ROUNDS = 50;

    /** Memory that the JVM itself maps and unmaps meanwhile. */
    private static final int MAPS_SLACK = 10;

    private PciDevice device;

    /** For the tests of each implementation. */
    protected PciDeviceContractTest() {}

    /** Opens the device under test. */
    protected abstract PciDevice open();

    /** A memory BAR that it has. */
    protected abstract int memoryBar();

    /** A BAR that it does not have. */
    protected abstract int absentBar();

    @BeforeEach
    void openDevice() {
        device = open();
    }

    @AfterEach
    void closeDevice() {
        device.close();
    }

    @Test
    void theConfigurationSpaceIsThatOfTheFunction() {
        PciConfigSpace config = device.config();
        assertEquals(device.function().vendor(), config.read16(0));
        assertEquals(device.function().device(), config.read16(2));
        assertEquals(config.read16(0) | config.read16(2) << 16, config.read32(0));
        assertEquals(config.read16(0) >>> 8, config.read8(1));
        assertTrue(config.size() >= 256, "bytes: " + config.size());
        assertThrows(IndexOutOfBoundsException.class, () -> config.read8(config.size()));
        assertThrows(IndexOutOfBoundsException.class, () -> config.read32(-4));
        assertThrows(IndexOutOfBoundsException.class, () -> config.write16(config.size(), 0));
        assertThrows(IllegalArgumentException.class, () -> config.read32(2));
        assertFalse(device.isGone());
    }

    @Test
    void capabilitiesAreFound() {
        PciConfigSpace config = device.config();
        int at = config.findCapability(MSIX_CAPABILITY).orElseThrow();
        assertEquals(MSIX_CAPABILITY, config.read8(at));
        assertTrue(config.nextCapability(MSIX_CAPABILITY, at).isEmpty());
        assertTrue(config.findCapability(0xfe).isEmpty());
    }

    @Test
    void busMasteringIsOffUntilItIsAllowed() {
        int bit = PciConfigSpace.COMMAND_MASTER;
        assertEquals(0, device.config().read16(PciConfigSpace.COMMAND) & bit);
        device.setBusMaster(true);
        assertEquals(bit, device.config().read16(PciConfigSpace.COMMAND) & bit);
        device.setBusMaster(false);
        assertEquals(0, device.config().read16(PciConfigSpace.COMMAND) & bit);
    }

    @Test
    void aBarIsMappedOnceAndBounded() {
        Bar bar = device.bar(memoryBar());
        assertEquals(memoryBar(), bar.index());
        assertTrue(bar.size() > 0);
        assertSame(bar, device.bar(memoryBar()));
        bar.read32(0);
        assertThrows(IndexOutOfBoundsException.class, () -> bar.read32(bar.size()));
        assertThrows(IndexOutOfBoundsException.class, () -> bar.write32(-4, 0));
    }

    @Test
    void aBarThatIsNotThereIsAnError() {
        PciException absent = assertThrows(PciException.class, () -> device.bar(absentBar()));
        assertTrue(absent.getMessage().contains(device.address().toString()), absent.getMessage());
        assertThrows(PciException.class, () -> device.bar(6));
        assertThrows(PciException.class, () -> device.bar(-1));
    }

    @Test
    void dmaMemoryIsZeroedWholePagesWithAnAddressForEveryByte() {
        for (long bytes : new long[] {1, 4096, 4097, 100_000, 3 << 20}) {
            try (DmaMapping mapping = device.dma().allocate(bytes)) {
                MemorySegment segment = mapping.segment();
                assertTrue(segment.byteSize() >= bytes);
                assertEquals(0, segment.address() % Mapping.pageSize());
                assertEquals(-1, firstNonZero(segment));
                segment.fill((byte) 0x5a);
                long run = mapping.runShift() >= 62 ? segment.byteSize() : 1L << mapping.runShift();
                assertTrue(run >= Math.min(device.dma().contiguousBytes(), segment.byteSize()));
                assertTrue(mapping.runs().length * run >= segment.byteSize());
                for (long at = 0; at < bytes; at += Mapping.pageSize()) {
                    assertNotEquals(0, mapping.busAddress(at));
                    long last = Math.min(at + Mapping.pageSize(), segment.byteSize()) - 1;
                    assertEquals(last - at, mapping.busAddress(last) - mapping.busAddress(at));
                }
            }
        }
        assertThrows(IllegalArgumentException.class, () -> device.dma().allocate(0));
    }

    private static long firstNonZero(MemorySegment segment) {
        try (Arena arena = Arena.ofConfined()) {
            return segment.mismatch(arena.allocate(segment.byteSize()));
        }
    }

    @Test
    void noTwoPiecesOfDmaMemoryShareAnAddress() {
        List<DmaMapping> all = new ArrayList<>();
        List<long[]> pages = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            DmaMapping mapping = device.dma().allocate(1 + i * 3000L);
            all.add(mapping);
            for (long at = 0; at < mapping.segment().byteSize(); at += Mapping.pageSize()) {
                pages.add(new long[] {mapping.busAddress(at)});
            }
        }
        assertEquals(pages.size(), pages.stream().mapToLong(p -> p[0]).distinct().count());
        // What was given back is zeroed when it comes again.
        all.forEach(mapping -> mapping.segment().fill((byte) 1));
        all.forEach(DmaMapping::close);
        all.forEach(DmaMapping::close);
        try (DmaMapping again = device.dma().allocate(50_000)) {
            assertEquals(-1, firstNonZero(again.segment()));
        }
    }

    @Test
    void memoryThatIsThereCanBeMapped() {
        Mapping memory = Mapping.anonymous(16 * Mapping.pageSize());
        memory.segment().fill((byte) 7);
        try (DmaMapping mapping = device.dma().map(memory.segment())) {
            assertEquals(memory.segment().address(), mapping.segment().address());
            mapping.busAddress(memory.length() - 1);
        }
        assertEquals(7, memory.segment().get(JAVA_BYTE, 0));
        MemorySegment unaligned = memory.segment().asSlice(8, Mapping.pageSize());
        assertThrows(IllegalArgumentException.class, () -> device.dma().map(unaligned));
        memory.close();
        assertFalse(device.dma().description().isBlank());
        long together = device.dma().contiguousBytes();
        assertTrue(together == Long.MAX_VALUE || Long.bitCount(together) == 1, "" + together);
    }

    @Test
    void interruptsAreEnabledByKindAndSilentUntilTheDeviceInterrupts() {
        PciInterrupts interrupts = device.interrupts();
        for (PciInterrupts.Kind kind : PciInterrupts.Kind.values()) {
            int most = interrupts.available(kind);
            if (most > 0) {
                List<PciInterrupt> vectors = interrupts.enable(kind, most);
                assertEquals(most, vectors.size());
                for (PciInterrupt vector : vectors) {
                    assertTrue(vector.fd().isOpen());
                    assertFalse(vector.await(Duration.ZERO));
                    vector.unmask();
                }
            }
            assertThrows(PciException.class, () -> interrupts.enable(kind, most + 1));
            assertThrows(PciException.class, () -> interrupts.enable(kind, 0));
            interrupts.disable();
            interrupts.disable();
        }
    }

    @Test
    void aResetKeepsTheBarsAndTurnsInterruptsOff() {
        Bar bar = device.bar(memoryBar());
        int command = device.config().read16(PciConfigSpace.COMMAND);
        device.interrupts().enable(PciInterrupts.Kind.INTX, 1);
        reset(device);
        bar.read32(0);
        int kept = PciConfigSpace.COMMAND_MEMORY | PciConfigSpace.COMMAND_MASTER;
        assertEquals(command & kept, device.config().read16(PciConfigSpace.COMMAND) & kept);
        device.interrupts().enable(PciInterrupts.Kind.INTX, 1);
        assertFalse(device.isGone());
    }

    @Test
    void closedTwiceItIsGone() {
        device.bar(memoryBar());
        device.close();
        device.close();
        assertTrue(device.isGone());
        assertThrows(PciException.class, () -> device.bar(memoryBar()));
    }

    @Test
    void openedAndClosedManyTimesItLeavesNoDescriptorAndNoMapping() throws IOException {
        device.close();
        round();
        int descriptors = count(Path.of("/proc/self/fd"));
        long maps = foreignMaps();
        for (int i = 0; i < ROUNDS; i++) {
            round();
        }
        assertEquals(descriptors, count(Path.of("/proc/self/fd")));
        assertTrue(foreignMaps() <= maps + MAPS_SLACK, "mappings: " + maps + ", " + foreignMaps());
    }

    /** Not every device can be reset; then it must say so. */
    private static void reset(PciDevice device) {
        try {
            device.reset();
        } catch (PciException e) {
            assertTrue(e.getMessage().contains("ENOTTY"), e.getMessage());
        }
    }

    private void round() {
        try (PciDevice opened = open();
                DmaMapping ring = opened.dma().allocate(4096);
                DmaMapping packets = opened.dma().allocate(4 << 20)) {
            opened.setBusMaster(true);
            opened.bar(memoryBar()).read32(0);
            opened.interrupts().enable(PciInterrupts.Kind.INTX, 1);
            reset(opened);
            assertNotEquals(ring.busAddress(0), packets.busAddress(0));
        }
    }

    private static int count(Path directory) throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            return (int) entries.count();
        }
    }

    private static long foreignMaps() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/maps")).size();
    }
}
