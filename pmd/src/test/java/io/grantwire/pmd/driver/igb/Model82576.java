package io.grantwire.pmd.driver.igb;

import static io.grantwire.pmd.driver.igb.IgbRegisters.*;

import io.grantwire.pmd.net.MacAddress;
import io.grantwire.pmd.testkit.pci.TestDmaSpace;
import io.grantwire.pmd.testkit.pci.TestInterrupts;
import io.grantwire.pmd.testkit.pci.TestPciDevice;
import io.grantwire.vfio.Bar;
import io.grantwire.vfio.PciInterrupts.Kind;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;

/**
 * A model of the 82576's registers, made from the datasheet and not from the driver: it reacts to
 * writes at once, moves frames by DMA through a {@link TestDmaSpace}, filters, strips, counts. It
 * allocates nothing while frames pass.
 *
 * <p>Where the datasheet leaves a choice it is strict, so that a driver that passes here has done
 * what a card may ask for: tags are inserted only with CTRL.VME, checksums add up what is in the
 * field.
 */
final class Model82576 extends Bar {
    static final int VENDOR = 0x8086;
    static final int DEVICE = 0x10C9;
    static final MacAddress MAC = MacAddress.parse("02:a0:c9:00:00:01");

    private static final int TEXT = 4096;
    private static final int KEPT = 1024;

    final TestDmaSpace dma;
    final TestInterrupts interrupts;
    final TestPciDevice pci;
    final ModelReceiver receiver;
    final ModelTransmitter transmitter;

    private final int[] registers = new int[SIZE / 4];

    // What went out on the wire since it was last asked for.
    private final byte[][] sent = new byte[KEPT][16 * 1024];
    private final int[] sentLength = new int[KEPT];
    private int sentCount;
    private long sentTotal;

    private boolean cable = true;
    private boolean faults;
    private boolean stuckInReset;
    private boolean deafPhy;
    private boolean hasEeprom = true;
    private int dmaFaults;
    private int resets;

    Model82576() {
        this(new TestDmaSpace(), new TestInterrupts(Kind.MSIX, 10));
    }

    Model82576(TestDmaSpace dma, TestInterrupts interrupts) {
        super(0, Arena.ofAuto().allocate(SIZE, TEXT));
        this.dma = dma;
        this.interrupts = interrupts;
        this.pci = new TestPciDevice(VENDOR, DEVICE, this, dma, interrupts);
        this.receiver = new ModelReceiver(this);
        this.transmitter = new ModelTransmitter(this);
        reset();
        resets = 0;
    }

    // What a test does to it.

    /** Opens it with the driver. */
    IgbDevice open() {
        return IgbDevice.open("pci:0000:09:00.0", pci, IgbModel.I82576);
    }

    /** Plugs the cable in or out. */
    synchronized void setCable(boolean in) {
        cable = in;
        setLink(in);
    }

    /** Pulls the card out: it reads as all ones. */
    synchronized void unplug() {
        pci.unplug();
    }

    /** The kernel wants the card back, which goes on meanwhile. */
    synchronized void wantBack() {
        pci.wantBack();
    }

    /** Pulls the card out in a way that accesses fault, as when vfio-pci takes the mapping away. */
    synchronized void unplugWithFaults() {
        pci.unplug();
        faults = true;
    }

    /** From now on a reset never ends. */
    void hangInReset() {
        stuckInReset = true;
    }

    /** From now on the transceiver does not answer. */
    void deafenPhy() {
        deafPhy = true;
    }

    /** From the next reset on no address is loaded. */
    void eraseEeprom() {
        hasEeprom = false;
        reset();
    }

    /** A frame arrives on the wire; whether some ring has it. */
    synchronized boolean inject(byte[] frame, int length) {
        return receiver.receive(frame, length);
    }

    boolean inject(byte[] frame) {
        return inject(frame, frame.length);
    }

    /** The frames that have gone out since the last call. */
    synchronized List<byte[]> departed() {
        List<byte[]> frames = new ArrayList<>();
        for (int i = 0; i < Math.min(sentCount, KEPT); i++) {
            frames.add(java.util.Arrays.copyOf(sent[i], sentLength[i]));
        }
        sentCount = 0;
        return frames;
    }

    /** All frames that have gone out. */
    long sentTotal() {
        return sentTotal;
    }

    /** Accesses to memory that the card was not given. */
    int dmaFaults() {
        return dmaFaults;
    }

    int resets() {
        return resets;
    }

    /** A register as it is, without what a read does to it. */
    synchronized int peek(int offset) {
        return registers[offset / 4];
    }

    // For its parts.

    int reg(int offset) {
        return registers[offset >> 2];
    }

    void set(int offset, int value) {
        registers[offset >> 2] = value;
    }

    void count(int offset, int n) {
        registers[offset >> 2] += n;
    }

    /** Adds to a counter of 64 bits. */
    void countBytes(int offset, int n) {
        long sum = (reg(offset) & 0xffff_ffffL | (long) reg(offset + 4) << 32) + n;
        set(offset, (int) sum);
        set(offset + 4, (int) (sum >>> 32));
    }

    boolean reach(long bus, int length) {
        if (pci.busMaster() && dma.reach(bus, length)) {
            return true;
        }
        dmaFaults++;
        return false;
    }

    void depart(byte[] frame, int length) {
        if (sentCount < KEPT) {
            System.arraycopy(frame, 0, sent[sentCount], 0, length);
            sentLength[sentCount] = length;
        }
        sentCount++;
        sentTotal++;
    }

    boolean linkUp() {
        return (reg(STATUS) & STATUS_LU) != 0;
    }

    /** A receive ring's descriptor was written back. */
    void interruptRx(int queue) {
        int ivar = reg(nth(IVAR, queue & 7)) >> (queue >> 3 << 4) & 0xff;
        if ((reg(GPIE) & GPIE_MULTIPLE_MSIX) != 0) {
            if ((ivar & IVAR_VALID) != 0) {
                set(EICR, reg(EICR) | 1 << (ivar & 0x1f));
                deliver();
            }
            return;
        }
        set(ICR, reg(ICR) | ICR_RXDW);
        if ((reg(IMS) & ICR_RXDW) != 0) {
            interrupts.fire(0);
        }
    }

    /** Sends the messages that are due, and clears the causes that clear themselves. */
    private void deliver() {
        int due = reg(EICR) & reg(EIMS);
        for (int v = 0; due >>> v != 0; v++) {
            if ((due & 1 << v) != 0) {
                interrupts.fire(v);
            }
        }
        set(EICR, reg(EICR) & ~(due & reg(EIAC)));
    }

    // Registers.

    @Override
    public long size() {
        return SIZE;
    }

    @Override
    public synchronized int read32(long offset) {
        int at = (int) offset;
        if (pci.closed()) {
            throw new AssertionError("a register of a closed card");
        }
        if (pci.unplugged()) {
            if (faults) {
                throw new InternalError("a fault occurred in an unsafe memory access operation");
            }
            return -1;
        }
        int value = reg(at);
        switch (at) {
            case SWSM -> set(SWSM, value | SWSM_SMBI);
            case ICR, EICR -> set(at, 0);
            default -> {
                if (at >= 0x4000 && at < 0x4128) {
                    readCounter(at);
                } else if (at >= RQDPC && at < RDBAL + 16 * QUEUE_STRIDE && at % 0x40 == 0x30) {
                    set(at, 0);
                }
            }
        }
        return value;
    }

    /** Counters clear when read, those of 64 bits with their upper half. */
    private void readCounter(int at) {
        switch (at) {
            case 0x4088, 0x4090, 0x40C0, 0x40C8 -> {}
            case 0x408C, 0x4094, 0x40C4, 0x40CC -> {
                set(at, 0);
                set(at - 4, 0);
            }
            default -> set(at, 0);
        }
    }

    @Override
    public synchronized void write32(long offset, int value) {
        int at = (int) offset;
        if (pci.closed()) {
            throw new AssertionError("a register of a closed card");
        }
        if (pci.unplugged()) {
            if (faults) {
                throw new InternalError("a fault occurred in an unsafe memory access operation");
            }
            return;
        }
        switch (at) {
            case CTRL -> writeCtrl(value);
            case STATUS -> {}
            case MDIC -> set(MDIC, mdic(value));
            case EERD -> set(EERD, eerd(value));
            case EICR -> set(EICR, reg(EICR) & ~value);
            case EIMS -> {
                set(EIMS, reg(EIMS) | value);
                deliver();
            }
            case EIMC -> set(EIMS, reg(EIMS) & ~value);
            case IMS -> set(IMS, reg(IMS) | value);
            case IMC -> set(IMS, reg(IMS) & ~value);
            default -> {
                set(at, value);
                int queue = (at & 0xfff) / QUEUE_STRIDE;
                if (at >= TDBAL && queue < 16 && at % QUEUE_STRIDE == (TDT & 0x3f)) {
                    transmitter.transmit(queue);
                }
            }
        }
    }

    private void writeCtrl(int value) {
        if ((value & CTRL_RST) != 0) {
            resets++;
            reset();
            if (stuckInReset) {
                set(CTRL, CTRL_RST);
            }
            return;
        }
        set(CTRL, value);
        int status = reg(STATUS) & ~STATUS_GIO_MASTER_ENABLE;
        boolean master = (value & CTRL_GIO_MASTER_DISABLE) == 0;
        set(STATUS, master ? status | STATUS_GIO_MASTER_ENABLE : status);
    }

    private void reset() {
        java.util.Arrays.fill(registers, 0);
        transmitter.reset();
        set(STATUS, STATUS_GIO_MASTER_ENABLE);
        set(EECD, EECD_AUTO_RD);
        // A card comes out of reset with queue 0 enabled, and tables with anything in them.
        set(RXDCTL, XDCTL_ENABLE);
        set(TXDCTL, XDCTL_ENABLE);
        for (int i = 0; i < MTA_REGISTERS; i++) {
            set(nth(MTA, i), 0x5a5a5a5a);
            set(nth(VFTA, i), 0xa5a5a5a5);
            set(nth(UTA, i), 0x55aa55aa);
        }
        if (hasEeprom) {
            long bytes = Long.reverseBytes(MAC.value() << 16);
            set(ral(0), (int) bytes);
            set(ral(0) + 4, (int) (bytes >>> 32) | RAH_AV);
        }
    }

    private int mdic(int value) {
        int phy = value >> MDIC_PHYADD_SHIFT & 0x1f;
        boolean locked = (reg(SW_FW_SYNC) & 2) != 0;
        if (phy != 1 || deafPhy || !locked) {
            return value | MDIC_READY | MDIC_ERROR;
        }
        if ((value & MDIC_OP_WRITE) != 0 && (value >> MDIC_REGADD_SHIFT & 0x1f) == 0) {
            boolean poweredDown = (value & 1 << 11) != 0;
            boolean restart = (value & 1 << 9) != 0 && (value & 1 << 12) != 0;
            if (poweredDown) {
                setLink(false);
            } else if (restart) {
                setLink(cable && (reg(CTRL) & CTRL_SLU) != 0);
            }
        }
        return value | MDIC_READY;
    }

    private void setLink(boolean up) {
        int status = reg(STATUS) & ~(STATUS_LU | STATUS_FD | 3 << STATUS_SPEED_SHIFT);
        set(STATUS, up ? status | STATUS_LU | STATUS_FD | 2 << STATUS_SPEED_SHIFT : status);
    }

    private int eerd(int value) {
        int word = value >> EERD_ADDR_SHIFT & 0x3fff;
        int data = 0;
        if (hasEeprom && word < 3) {
            data = (int) (Long.reverseBytes(MAC.value() << 16) >>> 16 * word) & 0xffff;
        }
        return data << EERD_DATA_SHIFT | word << EERD_ADDR_SHIFT | EERD_DONE;
    }
}
