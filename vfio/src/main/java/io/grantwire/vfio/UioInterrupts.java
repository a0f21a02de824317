package io.grantwire.vfio;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.grantwire.bindings.Fd;
import io.grantwire.bindings.NativeException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;

/**
 * A UIO device's only interrupt: reads of {@code /dev/uioN} wait for it. The driver masks it when
 * it comes. With uio_pci_generic it is the line, masked in the command register; with igb_uio
 * whatever that module was told to use, unmasked by a write.
 */
final class UioInterrupts implements PciInterrupts, PciInterrupt {
    private static final Arena FOREVER = Arena.global();
    private static final MemorySegment ON = FOREVER.allocateFrom(JAVA_INT, 1);
    private static final MemorySegment OFF = FOREVER.allocateFrom(JAVA_INT, 0);

    private final UioDevice device;
    private final Fd uio;
    private final boolean byWrite;
    private boolean on;

    /**
     * @param uio becomes this object's
     * @param byWrite whether the driver takes writes for masking
     */
    UioInterrupts(UioDevice device, Fd uio, boolean byWrite) {
        this.device = device;
        this.uio = uio;
        this.byWrite = byWrite;
        uio.setNonBlocking(true);
    }

    @Override
    public int available(Kind kind) {
        return kind == Kind.INTX ? 1 : 0;
    }

    @Override
    public List<PciInterrupt> enable(Kind kind, int vectors) {
        if (kind != Kind.INTX || vectors != 1) {
            throw new PciException(
                    "PCI device "
                            + device.address()
                            + ": ENOTSUP ("
                            + device.kernelDriver()
                            + " has one INTX interrupt; vfio-pci has messages)");
        }
        disable();
        drain();
        on = true;
        unmask();
        return List.of(this);
    }

    @Override
    public void disable() {
        if (on) {
            on = false;
            mask(true);
        }
    }

    @Override
    public boolean await(Duration timeout) {
        try {
            return uio.pollReadable(timeout) && drain();
        } catch (NativeException e) {
            throw VfioErrors.of(device.address(), e);
        }
    }

    /** Takes note of what has come; the kernel counts, and a read returns when the count is new. */
    private boolean drain() {
        try (Arena arena = Arena.ofConfined()) {
            return uio.read(arena.allocate(JAVA_INT)) == Integer.BYTES;
        } catch (NativeException e) {
            throw VfioErrors.of(device.address(), e);
        }
    }

    @Override
    public void unmask() {
        mask(false);
    }

    private void mask(boolean masked) {
        if (!byWrite) {
            device.setCommand(PciConfigSpace.COMMAND_INTX_DISABLE, masked);
            return;
        }
        try {
            uio.write(masked ? OFF : ON);
        } catch (NativeException e) {
            throw VfioErrors.of(device.address(), e);
        }
    }

    @Override
    public Fd fd() {
        return uio;
    }

    void close() {
        uio.close();
    }
}
