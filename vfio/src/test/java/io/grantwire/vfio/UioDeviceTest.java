package io.grantwire.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A UIO device whose files are a test's. */
class UioDeviceTest {
    private static final PciAddress ADDRESS = PciAddress.parse("0000:09:00.0");
    private static final int BAR_BYTES = 0x20000;

    @TempDir Path dir;

    private FakeSysfs sysfs;
    private Path nic;

    @BeforeEach
    void makeTree() throws IOException {
        sysfs = new FakeSysfs(dir);
        nic =
                sysfs.function(
                        "pci0000:00",
                        ADDRESS.toString(),
                        Map.of("class", "0x020000", "vendor", "0x8086", "device", "0x10d3"));
        sysfs.driver(nic, "uio_pci_generic");
        Files.createDirectories(nic.resolve("uio/uio7"));
        ByteBuffer config = ByteBuffer.allocate(256).order(ByteOrder.LITTLE_ENDIAN);
        config.putShort(0, (short) 0x8086).putShort(2, (short) 0x10d3);
        Files.write(nic.resolve("config"), config.array());
        Files.write(nic.resolve("resource0"), new byte[BAR_BYTES]);
        Files.writeString(
                nic.resolve("resource"),
                "0x00000000febc0000 0x00000000febdffff 0x0000000000040200\n"
                        + "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
                        + "0x000000000000c040 0x000000000000c05f 0x0000000000040101\n");
        sysfs.file("dev/uio7", "");
    }

    private UioDevice open() {
        PciFunction function = new SysfsPci(dir).find(ADDRESS).orElseThrow();
        return UioDevice.open(function, "uio_pci_generic", dir, dir.resolve("dev"));
    }

    private int command() throws IOException {
        return Files.readAllBytes(nic.resolve("config"))[PciConfigSpace.COMMAND]
                | Files.readAllBytes(nic.resolve("config"))[PciConfigSpace.COMMAND + 1] << 8;
    }

    @Test
    void theConfigurationSpaceIsSysfssFile() throws IOException {
        try (UioDevice device = open()) {
            assertEquals(256, device.config().size());
            assertEquals(0x10d3_8086, device.config().read32(0));
            assertEquals(PciConfigSpace.COMMAND_MEMORY, command());
            device.setBusMaster(true);
            assertEquals(PciConfigSpace.COMMAND_MEMORY | PciConfigSpace.COMMAND_MASTER, command());
        }
        assertEquals(PciConfigSpace.COMMAND_MEMORY, command());
    }

    @Test
    void aBarIsSysfssFileMapped() throws IOException {
        try (UioDevice device = open()) {
            Bar bar = device.bar(0);
            assertEquals(BAR_BYTES, bar.size());
            bar.write32(0x100, 0x01020304);
            assertEquals(4, Files.readAllBytes(nic.resolve("resource0"))[0x100]);
            assertTrue(
                    assertThrows(PciException.class, () -> device.bar(1))
                            .getMessage()
                            .contains("it has no BAR 1"));
            assertTrue(
                    assertThrows(PciException.class, () -> device.bar(2))
                            .getMessage()
                            .contains("I/O ports"));
        }
    }

    @Test
    void theInterruptLineIsMaskedInTheCommandRegister() throws IOException {
        try (UioDevice device = open()) {
            PciInterrupts interrupts = device.interrupts();
            assertEquals(0, interrupts.available(PciInterrupts.Kind.MSIX));
            PciInterrupt line = interrupts.enable(PciInterrupts.Kind.INTX, 1).getFirst();
            assertEquals(0, command() & PciConfigSpace.COMMAND_INTX_DISABLE);
            assertFalse(line.await(Duration.ZERO));
            interrupts.disable();
            assertEquals(
                    PciConfigSpace.COMMAND_INTX_DISABLE,
                    command() & PciConfigSpace.COMMAND_INTX_DISABLE);
            PciException messages =
                    assertThrows(
                            PciException.class,
                            () -> interrupts.enable(PciInterrupts.Kind.MSIX, 1));
            assertTrue(messages.getMessage().contains("vfio-pci has messages"));
        }
    }

    @Test
    void aResetIsAskedOfSysfsWhereItHasOne() throws IOException {
        try (UioDevice device = open()) {
            PciException none = assertThrows(PciException.class, device::reset);
            assertTrue(none.getMessage().contains("ENOTTY"), none.getMessage());
            Files.writeString(nic.resolve("reset"), "");
            device.reset();
            assertEquals("1", Files.readString(nic.resolve("reset")));
        }
    }

    @Test
    void aDeviceThatIsUnboundOrTakenByAnotherDriverHasGone() throws IOException {
        try (UioDevice device = open()) {
            assertFalse(device.isGone());
            Files.delete(nic.resolve("driver"));
            assertTrue(device.isGone());
            sysfs.driver(nic, "e1000e");
            assertTrue(device.isGone());
        }
    }

    @Test
    void aDeviceThatReadsAsOnesHasGone() throws IOException {
        try (UioDevice device = open()) {
            device.config().write32(0, -1);
            assertTrue(device.isGone());
        }
    }

    @Test
    void whereAnIommuTranslatesDmaIsRefused() throws IOException {
        sysfs.iommuGroup(nic, 5);
        sysfs.file("kernel/iommu_groups/5/type", "DMA-FQ\n");
        try (UioDevice device = open()) {
            PciException e = assertThrows(PciException.class, device::dma);
            assertTrue(e.getMessage().contains("nic-bind -b vfio-pci 0000:09:00.0"));
        }
    }

    @Test
    void aDriverWithoutANodeIsAnError() throws IOException {
        Files.delete(nic.resolve("uio/uio7"));
        PciException e = assertThrows(PciException.class, this::open);
        assertTrue(e.getMessage().contains("no /dev/uioN"), e.getMessage());
    }

    @Test
    void aSecondOwnerIsRefusedAndTheFirstUnharmed() {
        try (UioDevice device = open()) {
            assertThrows(PciException.class, this::open);
            assertEquals(0x8086, device.config().read16(0));
        }
        open().close();
    }
}
