package io.grantwire.pmd.testkit.pci;

import io.grantwire.bindings.Fd;
import io.grantwire.vfio.Bar;
import io.grantwire.vfio.PciAddress;
import io.grantwire.vfio.PciConfigSpace;
import io.grantwire.vfio.PciDevice;
import io.grantwire.vfio.PciException;
import io.grantwire.vfio.PciFunction;
import io.grantwire.vfio.PciInterrupt;
import io.grantwire.vfio.PciInterrupts;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * A PCI card that is a model in this process: what all models share. A model implements {@link
 * #readRegister} and {@link #writeRegister}, which a driver's accesses reach at once, on its own
 * thread; so a model does its work inside the write of a tail or doorbell register.
 */
public abstract class FakePciDevice implements PciDevice {
    private static final int CONFIG_BYTES = 256;

    private final PciFunction function;
    private final FakeDmaSpace dma;
    private final int bars;
    private final FakeInterrupts interrupts;
    private final byte[] config = new byte[CONFIG_BYTES];
    private boolean busMaster;
    private boolean closed;
    private boolean gone;
    private boolean wantedBack;
    private boolean faulting;

    /**
     * @param barBytes size of each BAR
     * @param vectors MSI-X vectors; 0 for INTx only
     */
    protected FakePciDevice(int vendor, int device, FakeDmaSpace dma, int barBytes, int vectors) {
        this.function =
                new PciFunction(
                        PciAddress.parse("0000:00:04.0"),
                        0x020000,
                        vendor,
                        device,
                        vendor,
                        0,
                        Optional.of("vfio-pci"),
                        OptionalInt.of(4),
                        OptionalInt.empty(),
                        List.of());
        this.dma = dma;
        this.bars = barBytes;
        this.interrupts = new FakeInterrupts(vectors);
    }

    /** A register's value; {@code size} is 1, 2 or 4. */
    protected abstract int readRegister(int bar, long offset, int size);

    /** The driver wrote a register. */
    protected abstract void writeRegister(int bar, long offset, int size, int value);

    // What a test does to the card.

    /** Pulls the card out: registers read as all ones. */
    public void unplug() {
        gone = true;
    }

    /** Pulls the card out such that accesses fault. */
    public void unplugWithFaults() {
        gone = true;
        faulting = true;
    }

    /** The kernel wants the card back, which goes on as before meanwhile. */
    public void wantBack() {
        wantedBack = true;
    }

    /** Whether the driver has given the card back. */
    public boolean isClosed() {
        return closed;
    }

    /** Whether the card may access memory. */
    protected boolean busMaster() {
        return busMaster && !gone;
    }

    /** The same, for tests. */
    public boolean mayAccessMemory() {
        return busMaster();
    }

    /** Interrupts, if the driver has enabled the vector. */
    protected void interrupt(int vector) {
        interrupts.raise(vector);
    }

    /** How often the card has interrupted. */
    public int interrupted() {
        return interrupts.raised;
    }

    /** Puts bytes into the configuration space. */
    protected void setConfig(int offset, int... bytes) {
        for (int i = 0; i < bytes.length; i++) {
            config[offset + i] = (byte) bytes[i];
        }
    }

    // What the driver sees.

    @Override
    public PciAddress address() {
        return function.address();
    }

    @Override
    public PciFunction function() {
        return function;
    }

    @Override
    public String kernelDriver() {
        return "vfio-pci";
    }

    @Override
    public FakeDmaSpace dma() {
        return dma;
    }

    @Override
    public Bar bar(int index) {
        return new ModelBar(index);
    }

    @Override
    public PciInterrupts interrupts() {
        return interrupts;
    }

    @Override
    public void setBusMaster(boolean on) {
        busMaster = on;
    }

    @Override
    public void reset() {
        throw new PciException("reset: ENOTTY (a model resets by its own registers only)");
    }

    @Override
    public boolean isGone() {
        return gone || wantedBack;
    }

    @Override
    public void close() {
        closed = true;
        busMaster = false;
    }

    @Override
    public PciConfigSpace config() {
        ByteBuffer bytes = ByteBuffer.wrap(config).order(ByteOrder.LITTLE_ENDIAN);
        return new PciConfigSpace() {
            @Override
            public int size() {
                return CONFIG_BYTES;
            }

            @Override
            public int read8(int offset) {
                return gone ? 0xff : bytes.get(offset) & 0xff;
            }

            @Override
            public int read16(int offset) {
                return gone ? 0xffff : bytes.getShort(offset) & 0xffff;
            }

            @Override
            public int read32(int offset) {
                return gone ? -1 : bytes.getInt(offset);
            }

            @Override
            public void write8(int offset, int value) {
                bytes.put(offset, (byte) value);
            }

            @Override
            public void write16(int offset, int value) {
                bytes.putShort(offset, (short) value);
            }

            @Override
            public void write32(int offset, int value) {
                bytes.putInt(offset, value);
            }
        };
    }

    private final class ModelBar extends Bar {
        private final int index;

        ModelBar(int index) {
            super(index, MemorySegment.NULL);
            this.index = index;
        }

        @Override
        public long size() {
            return bars;
        }

        private int read(long offset, int size) {
            check(offset, size);
            return gone ? -1 : readRegister(index, offset, size);
        }

        private void write(long offset, int size, int value) {
            check(offset, size);
            if (!gone) {
                writeRegister(index, offset, size, value);
            }
        }

        private void check(long offset, int size) {
            if (offset < 0 || offset > bars - size || offset % size != 0) {
                throw new IndexOutOfBoundsException("register " + offset);
            }
            if (closed) {
                throw new AssertionError("a register of a closed card");
            }
            if (faulting) {
                throw new InternalError("a fault in a mapped BAR");
            }
        }

        @Override
        public int read8(long offset) {
            return read(offset, 1) & 0xff;
        }

        @Override
        public int read16(long offset) {
            return read(offset, 2) & 0xffff;
        }

        @Override
        public int read32(long offset) {
            return read(offset, 4);
        }

        @Override
        public void write8(long offset, int value) {
            write(offset, 1, value & 0xff);
        }

        @Override
        public void write16(long offset, int value) {
            write(offset, 2, value & 0xffff);
        }

        @Override
        public void write32(long offset, int value) {
            write(offset, 4, value);
        }

        @Override
        public void write64(long offset, long value) {
            throw new AssertionError("64-bit accesses are not for this card");
        }

        @Override
        public Bar slice(long offset, long size) {
            throw new AssertionError("a model's BAR has no parts");
        }
    }

    private static final class FakeInterrupts implements PciInterrupts {
        private final int vectors;
        private final List<Semaphore> enabled = new ArrayList<>();
        private int raised;

        FakeInterrupts(int vectors) {
            this.vectors = vectors;
        }

        synchronized void raise(int vector) {
            if (vector < enabled.size()) {
                raised++;
                enabled.get(vector).release();
            }
        }

        @Override
        public int available(Kind kind) {
            return switch (kind) {
                case MSIX -> vectors;
                case MSI -> 0;
                case INTX -> 1;
            };
        }

        @Override
        public synchronized List<PciInterrupt> enable(Kind kind, int count) {
            if (count < 1 || count > available(kind)) {
                throw new PciException("interrupts: EINVAL");
            }
            enabled.clear();
            List<PciInterrupt> out = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                Semaphore semaphore = new Semaphore(0);
                enabled.add(semaphore);
                out.add(new FakeInterrupt(semaphore));
            }
            return out;
        }

        @Override
        public synchronized void disable() {
            enabled.clear();
        }
    }

    private record FakeInterrupt(Semaphore semaphore) implements PciInterrupt {
        @Override
        public boolean await(Duration timeout) {
            try {
                boolean woken = semaphore.tryAcquire(timeout.toNanos(), TimeUnit.NANOSECONDS);
                // As an eventfd: one read takes all that has come.
                semaphore.drainPermits();
                return woken;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        }

        @Override
        public void unmask() {}

        @Override
        public Fd fd() {
            throw new PciException("a model has no descriptor");
        }
    }
}
