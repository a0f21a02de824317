package io.grantwire.pmd.driver.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.bindings.Fd;
import io.grantwire.bindings.Mapping;
import io.grantwire.bindings.gen.libc.LibC;
import io.grantwire.pmd.testkit.pci.TestDmaSpace;
import io.grantwire.pmd.testkit.pci.TestInterrupts;
import io.grantwire.pmd.testkit.pci.TestPciDevice;
import io.grantwire.vfio.Bar;
import io.grantwire.vfio.PciInterrupts.Kind;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CardRegistersTest {
    private static TestPciDevice device(Bar bar) {
        return new TestPciDevice(
                0x8086, 1, bar, new TestDmaSpace(), new TestInterrupts(Kind.MSIX, 1));
    }

    @Test
    void aRegisterMayBeAllOnesWhileTheCardIsThere() {
        Bar bar = new Bar(0, Arena.ofAuto().allocate(4096, 64));
        CardRegisters registers = new CardRegisters("pci:test", device(bar), bar);
        registers.write(8, -1);
        assertEquals(-1, registers.read(8));
        assertFalse(registers.gone());
        registers.update(8, 0xff, 0x0f);
        assertEquals(0xffffff0f, registers.read(8));
    }

    @Test
    void aCardThatReadsAsAllOnesAndIsNotThereHasGone() {
        Bar bar = new Bar(0, Arena.ofAuto().allocate(4096, 64));
        TestPciDevice pci = device(bar);
        CardRegisters registers = new CardRegisters("pci:test", pci, bar);
        bar.write32(8, -1);
        pci.unplug();
        assertEquals(-1, registers.read(8));
        assertTrue(registers.gone());
        bar.write32(12, 5);
        assertEquals(-1, registers.read(12), "it stays gone");
    }

    /** Real faults: a mapping whose pages the kernel has taken away, as vfio-pci does. */
    private static void withoutPages(Path dir, Access access) throws Exception {
        Path file = dir.resolve("registers");
        try (RandomAccessFile backing = new RandomAccessFile(file.toFile(), "rw")) {
            backing.setLength(4096);
            try (Fd fd = Fd.open(file.toString(), LibC.O_RDWR());
                    Mapping mapping = Mapping.shared(fd, 0, 4096, Mapping.READ | Mapping.WRITE)) {
                Bar bar = new Bar(0, mapping.segment());
                CardRegisters registers = new CardRegisters("pci:test", device(bar), bar);
                // Until it is compiled: there faults are reported late.
                for (int i = 0; i < 50_000; i++) {
                    access.run(registers, i);
                }
                backing.setLength(0);
                access.run(registers, 1);
                assertTrue(registers.gone());
                access.run(registers, 1);
            }
        }
    }

    private interface Access {
        void run(CardRegisters registers, int i);
    }

    @Test
    void aReadThatFaultsIsACardThatHasGone(@TempDir Path dir) throws Exception {
        withoutPages(dir, (registers, i) -> registers.read(16));
    }

    @Test
    void aWriteThatFaultsIsACardThatHasGone(@TempDir Path dir) throws Exception {
        withoutPages(dir, (registers, i) -> registers.write(16, i));
    }

    @Test
    void aDoorbellThatFaultsIsNoticedAtTheNextReadAtTheLatest(@TempDir Path dir) throws Exception {
        withoutPages(
                dir,
                (registers, i) -> {
                    try {
                        for (int k = 0; k < 10; k++) {
                            registers.doorbell(16, i);
                        }
                    } catch (InternalError late) {
                        // From a polling loop's point of view: out of nowhere.
                    }
                    registers.read(16);
                });
    }
}
