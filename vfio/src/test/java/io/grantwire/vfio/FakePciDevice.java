package io.grantwire.vfio;

import io.grantwire.bindings.EventFd;
import io.grantwire.bindings.Fd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;

/**
 * A PCI device without a machine, for tests of drivers: registers, configuration space and DMA
 * memory are plain memory, which the test's model of a device reads and writes; interrupts are
 * fired by the test. Life cycle and errors are those of a real one.
 */
public final class FakePciDevice implements PciDevice {
    private static final int CONFIG_BYTES = 4096;
    private static final int FIRST_CAPABILITY = 0x40;
    private static final int CAPABILITIES_LISTED = 1 << 4;
    private static final int MSIX = 0x11;

    private final PciFunction function;
    private final MemorySegment config = Arena.ofAuto().allocate(CONFIG_BYTES, 8);
    private final Map<Integer, Bar> bars = new TreeMap<>();
    private final FakeDmaSpace dma;
    private final Space space = new Space();
    private final Interrupts interrupts;
    private int nextCapability = FIRST_CAPABILITY;
    private int lastCapability;
    private int resets;
    private boolean gone;
    private boolean closed;

    /**
     * @param vectors MSI-X vectors; with any, BAR 3 is where their table would be
     */
    public FakePciDevice(int vendor, int device, FakeDmaSpace dma, int vectors) {
        this.function =
                new PciFunction(
                        new PciAddress(0, 9, 0, 0),
                        0x020000,
                        vendor,
                        device,
                        0,
                        0,
                        Optional.of("vfio-pci"),
                        OptionalInt.of(1),
                        OptionalInt.empty(),
                        List.of());
        this.dma = dma;
        this.interrupts = new Interrupts(vectors);
        space.write16(0, vendor);
        space.write16(2, device);
        space.write16(PciConfigSpace.COMMAND, PciConfigSpace.COMMAND_MEMORY);
        if (vectors > 0) {
            addCapability(MSIX, 10 + 2, new byte[] {(byte) (vectors - 1), 0});
        }
    }

    /** Adds a BAR of zeroed memory, and returns it for the model. */
    public MemorySegment addBar(int index, long bytes) {
        MemorySegment registers = Arena.ofAuto().allocate(bytes, 4096);
        bars.put(index, new Bar(index, registers));
        return registers;
    }

    /**
     * Appends a capability.
     *
     * @param length its bytes, id and link included
     * @param body what is behind those two bytes
     * @return where it is
     */
    public int addCapability(int id, int length, byte[] body) {
        int at = nextCapability;
        space.write8(at, id);
        space.write8(at + 1, 0);
        MemorySegment.copy(body, 0, config, ValueLayout.JAVA_BYTE, at + 2, body.length);
        space.write8(lastCapability == 0 ? PciConfigSpace.CAPABILITIES : lastCapability + 1, at);
        space.write16(PciConfigSpace.STATUS, CAPABILITIES_LISTED);
        lastCapability = at;
        nextCapability += length + 3 & ~3;
        return at;
    }

    /** Has an interrupt come, if it is on. */
    public void fire(int vector) {
        interrupts.fire(vector);
    }

    /** Takes the device away: everything reads as ones. */
    public void unplug() {
        gone = true;
        config.fill((byte) -1);
        bars.values()
                .forEach(bar -> {
                    for (long i = 0; i < bar.size(); i += Long.BYTES) {
                        bar.write64(i, -1);
                    }
                });
    }

    /** How often it was reset. */
    public int resets() {
        return resets;
    }

    /** Whether it may read and write memory by itself. */
    public boolean isBusMaster() {
        return (space.read16(PciConfigSpace.COMMAND) & PciConfigSpace.COMMAND_MASTER) != 0;
    }

    /** Whether its driver has closed it. */
    public boolean isClosed() {
        return closed;
    }

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
    public PciConfigSpace config() {
        return space;
    }

    @Override
    public Bar bar(int index) {
        Bar bar = bars.get(index);
        if (closed || bar == null) {
            throw new PciException("PCI device " + address() + ": EINVAL (no BAR " + index + ")");
        }
        return bar;
    }

    @Override
    public FakeDmaSpace dma() {
        return dma;
    }

    @Override
    public PciInterrupts interrupts() {
        return interrupts;
    }

    @Override
    public void setBusMaster(boolean on) {
        int command = space.read16(PciConfigSpace.COMMAND);
        int master = PciConfigSpace.COMMAND_MASTER;
        space.write16(PciConfigSpace.COMMAND, on ? command | master : command & ~master);
    }

    /** Registers keep what they have: what a reset does to them is the model's business. */
    @Override
    public void reset() {
        interrupts.disable();
        resets++;
    }

    @Override
    public boolean isGone() {
        return gone || closed;
    }

    @Override
    public void close() {
        if (!closed) {
            interrupts.disable();
            setBusMaster(false);
            closed = true;
        }
    }

    private final class Space implements PciConfigSpace {
        private static final ValueLayout.OfShort SHORT =
                ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
        private static final ValueLayout.OfInt INT =
                ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);

        @Override
        public int size() {
            return CONFIG_BYTES;
        }

        private int checked(int offset, int bytes) {
            Objects.checkFromIndexSize(offset, bytes, CONFIG_BYTES);
            if (offset % bytes != 0) {
                throw new IllegalArgumentException("unaligned: " + offset);
            }
            return offset;
        }

        @Override
        public int read8(int offset) {
            return config.get(ValueLayout.JAVA_BYTE, checked(offset, 1)) & 0xff;
        }

        @Override
        public int read16(int offset) {
            return config.get(SHORT, checked(offset, 2)) & 0xffff;
        }

        @Override
        public int read32(int offset) {
            return config.get(INT, checked(offset, 4));
        }

        @Override
        public void write8(int offset, int value) {
            config.set(ValueLayout.JAVA_BYTE, checked(offset, 1), (byte) value);
        }

        @Override
        public void write16(int offset, int value) {
            config.set(SHORT, checked(offset, 2), (short) value);
        }

        @Override
        public void write32(int offset, int value) {
            config.set(INT, checked(offset, 4), value);
        }
    }

    private final class Interrupts implements PciInterrupts {
        private final int vectors;
        private final List<EventFd> events = new ArrayList<>();

        Interrupts(int vectors) {
            this.vectors = vectors;
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
        public List<PciInterrupt> enable(Kind kind, int wanted) {
            if (wanted < 1 || wanted > available(kind)) {
                throw new PciException(
                        "PCI device "
                                + address()
                                + ": EINVAL ("
                                + wanted
                                + " "
                                + kind
                                + " vectors)");
            }
            disable();
            List<PciInterrupt> all = new ArrayList<>();
            for (int i = 0; i < wanted; i++) {
                EventFd event = EventFd.create();
                events.add(event);
                all.add(new Vector(event));
            }
            return all;
        }

        void fire(int vector) {
            if (vector < events.size()) {
                events.get(vector).signal();
            }
        }

        @Override
        public void disable() {
            events.forEach(EventFd::close);
            events.clear();
        }
    }

    private record Vector(EventFd event) implements PciInterrupt {
        @Override
        public boolean await(Duration timeout) {
            return event.await(timeout) && event.drain() > 0;
        }

        @Override
        public void unmask() {
            // Nothing masks it.
        }

        @Override
        public Fd fd() {
            return event.fd();
        }
    }
}
