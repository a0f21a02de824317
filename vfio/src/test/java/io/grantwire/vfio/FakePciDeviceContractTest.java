package io.grantwire.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The fake device keeps the contract, so what drivers' tests learn from it holds on cards. */
class FakePciDeviceContractTest extends PciDeviceContractTest {
    @Override
    protected FakePciDevice open() {
        FakePciDevice device = new FakePciDevice(0x8086, 0x10d3, new FakeDmaSpace(12), 5);
        device.addBar(0, 0x20000);
        return device;
    }

    @Override
    protected int memoryBar() {
        return 0;
    }

    @Override
    protected int absentBar() {
        return 5;
    }

    @Test
    void aModelReachesMappedMemoryAndNoOther() {
        FakeDmaSpace dma = new FakeDmaSpace(12);
        DmaMapping mapping = dma.allocate(3 * 4096);
        dma.at(mapping.busAddress(4096), 4).set(ValueLayout.JAVA_INT, 0, 42);
        assertEquals(42, mapping.segment().get(ValueLayout.JAVA_INT, 4096));
        assertTrue(mapping.busAddress(4096) < mapping.busAddress(0), "runs are out of order");
        assertThrows(AssertionError.class, () -> dma.at(mapping.busAddress(4095), 2));
        mapping.close();
        assertThrows(AssertionError.class, () -> dma.at(mapping.busAddress(0), 4));
        assertEquals(0, dma.mappings());
    }

    @Test
    void aTestFiresInterruptsAndUnplugs() {
        FakePciDevice device = open();
        MemorySegment registers = device.addBar(2, 4096);
        List<PciInterrupt> vectors = device.interrupts().enable(PciInterrupts.Kind.MSIX, 2);
        device.fire(1);
        assertFalse(vectors.get(0).await(Duration.ZERO));
        assertTrue(vectors.get(1).await(Duration.ZERO));
        registers.set(ValueLayout.JAVA_INT, 8, 5);
        assertEquals(5, device.bar(2).read32(8));
        device.unplug();
        assertTrue(device.isGone());
        assertEquals(-1, device.bar(2).read32(8));
        device.close();
    }
}
