package io.grantwire.pmd.testkit.pci;

import io.grantwire.vfio.Bar;
import io.grantwire.vfio.DmaSpace;
import io.grantwire.vfio.PciAddress;
import io.grantwire.vfio.PciConfigSpace;
import io.grantwire.vfio.PciDevice;
import io.grantwire.vfio.PciException;
import io.grantwire.vfio.PciFunction;
import io.grantwire.vfio.PciInterrupts;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** A PCI function whose registers are a test's model. */
public final class TestPciDevice implements PciDevice {
    private static final PciAddress ADDRESS = new PciAddress(0, 9, 0, 0);

    private final int vendor;
    private final int device;
    private final Bar registers;
    private final TestDmaSpace dma;
    private final TestInterrupts interrupts;
    private boolean busMaster;
    private boolean gone;
    private boolean wantedBack;
    private boolean closed;

    /** A function with one BAR. */
    public TestPciDevice(
            int vendor, int device, Bar registers, TestDmaSpace dma, TestInterrupts interrupts) {
        this.vendor = vendor;
        this.device = device;
        this.registers = registers;
        this.dma = dma;
        this.interrupts = interrupts;
    }

    /** Pulls the card out. */
    public void unplug() {
        gone = true;
    }

    /** The kernel wants the card back, which goes on as before meanwhile. */
    public void wantBack() {
        wantedBack = true;
    }

    /** Whether it was pulled out. */
    public boolean unplugged() {
        return gone;
    }

    /** Whether the device may read and write memory. */
    public boolean busMaster() {
        return busMaster;
    }

    /** Whether it was given back. */
    public boolean closed() {
        return closed;
    }

    @Override
    public PciAddress address() {
        return ADDRESS;
    }

    @Override
    public PciFunction function() {
        return new PciFunction(
                ADDRESS,
                0x020000,
                vendor,
                device,
                0,
                0,
                Optional.of("vfio-pci"),
                OptionalInt.of(1),
                OptionalInt.empty(),
                List.of());
    }

    @Override
    public String kernelDriver() {
        return "vfio-pci";
    }

    @Override
    public PciConfigSpace config() {
        throw new UnsupportedOperationException("the model has no configuration space");
    }

    @Override
    public Bar bar(int index) {
        if (index != 0) {
            throw new PciException("PCI device " + ADDRESS + ": EINVAL (no BAR " + index + ")");
        }
        return registers;
    }

    @Override
    public DmaSpace dma() {
        return dma;
    }

    @Override
    public PciInterrupts interrupts() {
        return interrupts;
    }

    @Override
    public void setBusMaster(boolean on) {
        if (gone) {
            throw new PciException("PCI device " + ADDRESS + ": ENODEV (it is gone)");
        }
        busMaster = on;
    }

    @Override
    public void reset() {
        throw new PciException("PCI device " + ADDRESS + ": ENOTTY (it cannot be reset)");
    }

    @Override
    public boolean isGone() {
        return gone || wantedBack;
    }

    @Override
    public void close() {
        busMaster = false;
        closed = true;
    }
}
