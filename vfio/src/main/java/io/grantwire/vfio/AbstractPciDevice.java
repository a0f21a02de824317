package io.grantwire.vfio;

import io.grantwire.bindings.Mapping;
import java.util.HashSet;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What VFIO and UIO devices have in common; see {@link PciDevice} for threads. */
abstract class AbstractPciDevice implements PciDevice {
    private static final Logger LOG = LoggerFactory.getLogger(AbstractPciDevice.class);
    private static final int BARS = 6;
    private static final int ALL_ONES = 0xffff;

    /** The functions that this process has open. */
    private static final Set<PciAddress> OPEN = new HashSet<>();

    private final PciFunction function;
    private final String kernelDriver;
    private final Mapping[] mappings = new Mapping[BARS];
    private final Bar[] bars = new Bar[BARS];
    private boolean open = true;

    AbstractPciDevice(PciFunction function, String kernelDriver) {
        this.function = function;
        this.kernelDriver = kernelDriver;
    }

    /** Takes note that a function is open, unless it is. */
    static void claim(PciAddress address) {
        synchronized (OPEN) {
            if (!OPEN.add(address)) {
                throw new PciException(
                        "PCI device " + address + ": EBUSY (this process has it open already)");
            }
        }
    }

    /** Undoes {@link #claim}. */
    static void unclaim(PciAddress address) {
        synchronized (OPEN) {
            OPEN.remove(address);
        }
    }

    @Override
    public final PciAddress address() {
        return function.address();
    }

    @Override
    public final PciFunction function() {
        return function;
    }

    @Override
    public final String kernelDriver() {
        return kernelDriver;
    }

    @Override
    public final Bar bar(int index) {
        if (index < 0 || index >= BARS) {
            throw noBar(index);
        }
        checkOpen();
        if (bars[index] == null) {
            mappings[index] = mapBar(index);
            bars[index] = new Bar(index, mappings[index].segment());
        }
        return bars[index];
    }

    /** Maps a BAR; called once for each. */
    abstract Mapping mapBar(int index);

    /** Gives back all but the BARs, which are unmapped already. */
    abstract void release();

    final PciException noBar(int index) {
        return new PciException(
                "PCI device " + address() + ": EINVAL (it has no BAR " + index + ")");
    }

    final PciException notMappable(int index) {
        return new PciException(
                "PCI device "
                        + address()
                        + ": EINVAL (BAR "
                        + index
                        + " cannot be mapped: it has I/O ports, or less than a page)");
    }

    final PciException cannotReset() {
        return new PciException(
                "PCI device " + address() + ": ENOTTY (neither it nor the kernel can reset it)");
    }

    final boolean isOpen() {
        return open;
    }

    private void checkOpen() {
        if (!open) {
            throw new PciException("PCI device " + address() + ": EBADF (it was closed before)");
        }
    }

    /** Has the device answer at its BARs. */
    final void enableMemory() {
        setCommand(PciConfigSpace.COMMAND_MEMORY, true);
    }

    @Override
    public final void setBusMaster(boolean on) {
        setCommand(PciConfigSpace.COMMAND_MASTER, on);
    }

    final void setCommand(int bit, boolean on) {
        int before = config().read16(PciConfigSpace.COMMAND);
        int after = on ? before | bit : before & ~bit;
        if (after != before) {
            config().write16(PciConfigSpace.COMMAND, after);
        }
    }

    @Override
    public boolean isGone() {
        try {
            return !open || config().read16(0) == ALL_ONES;
        } catch (PciException e) {
            return true;
        }
    }

    @Override
    public final void close() {
        if (!open) {
            return;
        }
        try {
            setBusMaster(false);
        } catch (PciException e) {
            LOG.debug("closing: {}", e.getMessage());
        }
        open = false;
        for (Mapping mapping : mappings) {
            if (mapping != null) {
                mapping.close();
            }
        }
        try {
            release();
        } catch (PciException e) {
            LOG.debug("closing: {}", e.getMessage());
        } finally {
            unclaim(address());
        }
    }
}
