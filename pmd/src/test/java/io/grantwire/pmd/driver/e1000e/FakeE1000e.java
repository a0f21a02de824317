package io.grantwire.pmd.driver.e1000e;

import static io.grantwire.pmd.driver.e1000e.E1000eRegisters.*;

import io.grantwire.pmd.net.InternetChecksum;
import io.grantwire.pmd.net.MacAddress;
import io.grantwire.pmd.testkit.Toeplitz;
import io.grantwire.pmd.testkit.pci.FakeDmaSpace;
import io.grantwire.pmd.testkit.pci.FakePciDevice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * A model of the 82574 as its datasheet describes it, as far as the driver goes: registers,
 * descriptors, filters, offloads, counters. Frames go out when a tail is written, on the driver's
 * thread; {@link #echo} lets them come in again at once, without allocation.
 */
final class FakeE1000e extends FakePciDevice {
    static final MacAddress ADDRESS = MacAddress.parse("52:54:00:12:34:56");

    private static final int MAX = 16_384;
    private static final ValueLayout.OfByte U8 = ValueLayout.JAVA_BYTE;
    private static final ValueLayout.OfShort BE16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfLong LE64 =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final int GPRC = 0x4074;
    private static final int GPTC = 0x4080;
    private static final int GORCL = 0x4088;
    private static final int GOTCL = 0x4090;
    private static final int MPC = 0x4010;
    private static final int CRCERRS = 0x4000;

    private final int[] registers = new int[0x20000 / 4];
    private final MemorySegment descriptor = Arena.ofAuto().allocate(16, 8);
    private final MemorySegment out = Arena.ofAuto().allocate(MAX, 8);
    private final MemorySegment in = Arena.ofAuto().allocate(MAX, 8);
    private final long[] context = new long[2];
    private final List<byte[]> sent = new ArrayList<>();
    private int length;
    private boolean inReset;
    private int phyControl = PHY_CONTROL_AUTONEG;

    boolean echo;
    boolean stuckInReset;
    boolean cable = true;

    /** Descriptors of frames sent; contexts do not count. */
    int dataDescriptors;

    int contexts;

    /** Descriptors that were to be reported. */
    int reports;

    FakeE1000e(FakeDmaSpace dma) {
        super(0x8086, 0x10D3, dma, 0x20000, VECTORS);
        powerOn();
        // As the kernel's driver left it.
        registers[RCTL / 4] = RCTL_EN;
        phyControl = PHY_CONTROL_AUTONEG | PHY_CONTROL_POWER_DOWN;
    }

    private void powerOn() {
        java.util.Arrays.fill(registers, 0);
        registers[EECD / 4] = EECD_AUTO_RD;
        registers[RAL / 4] = (int) Long.reverseBytes(ADDRESS.value() << 16);
        registers[RAH / 4] = (int) (Long.reverseBytes(ADDRESS.value() << 16) >>> 32) | RAH_AV;
        registers[tarc(0) / 4] = 3;
        registers[tarc(1) / 4] = 3;
    }

    int register(int offset) {
        return registers[offset / 4];
    }

    /** What has come out of the wire since the last call. */
    synchronized List<byte[]> take() {
        List<byte[]> all = List.copyOf(sent);
        sent.clear();
        return all;
    }

    // Registers.

    @Override
    protected int readRegister(int bar, long offset, int size) {
        int i = (int) offset / 4;
        int value = registers[i];
        switch ((int) offset) {
            case STATUS -> value = status();
            case ICR -> registers[i] = 0;
            case CTRL -> {
                if (inReset && !stuckInReset) {
                    inReset = false;
                    registers[i] &= ~CTRL_RST;
                }
            }
            default -> {
                if (offset >= 0x4000 && offset < 0x4100) {
                    registers[i] = 0;
                }
            }
        }
        return value;
    }

    private boolean linkUp() {
        return cable
                && (registers[CTRL / 4] & CTRL_SLU) != 0
                && (phyControl & PHY_CONTROL_POWER_DOWN) == 0;
    }

    private int status() {
        boolean master = (registers[CTRL / 4] & CTRL_GIO_MASTER_DISABLE) == 0;
        return STATUS_FD
                | (linkUp() ? STATUS_LU | 2 << STATUS_SPEED_SHIFT : 0)
                | (master ? STATUS_GIO_MASTER_ENABLE : 0);
    }

    @Override
    protected void writeRegister(int bar, long offset, int size, int value) {
        int at = (int) offset;
        if (at == CTRL && (value & CTRL_RST) != 0) {
            powerOn();
            registers[CTRL / 4] = CTRL_RST;
            inReset = true;
            return;
        }
        switch (at) {
            case ICR -> registers[ICR / 4] &= ~value;
            case IMC -> registers[IMS / 4] &= ~value;
            case IMS -> {
                registers[IMS / 4] |= value;
                fire();
            }
            case MDIC -> mdic(value);
            default -> registers[at / 4] = value;
        }
        for (int q = 0; q < QUEUES; q++) {
            if (at == tdt(q)) {
                transmit(q);
            }
        }
    }

    private void mdic(int value) {
        if ((value & MDIC_OP_WRITE) != 0) {
            phyControl = value & 0xFFFF & ~PHY_CONTROL_RESTART;
        }
        registers[MDIC / 4] = value & ~0xFFFF | MDIC_READY | phyControl;
    }

    // Interrupts.

    private void cause(int bits) {
        registers[ICR / 4] |= bits;
        fire();
    }

    private void fire() {
        int pending = registers[ICR / 4] & registers[IMS / 4];
        for (int q = 0; q < QUEUES; q++) {
            int bit = INT_RXQ0 << q;
            int entry = registers[IVAR / 4] >>> 4 * q;
            if ((pending & bit) != 0 && (entry & IVAR_VALID) != 0) {
                int auto = registers[EIAC / 4] & bit;
                registers[ICR / 4] &= ~auto;
                registers[IMS / 4] &= ~auto;
                interrupt(entry & 7);
            }
        }
        if ((pending & INT_RXT0) != 0) {
            interrupt(0);
        }
    }

    // Transmit.

    private void transmit(int q) {
        if ((registers[TCTL / 4] & TCTL_EN) == 0
                || (registers[tarc(q) / 4] & TARC_ENABLE) == 0
                || !busMaster()) {
            return;
        }
        int size = registers[tdlen(q) / 4] / 16;
        while (registers[tdh(q) / 4] != registers[tdt(q) / 4]) {
            int head = registers[tdh(q) / 4];
            long bus = base(tdbal(q)) + 16L * head;
            if (!dma().read(bus, descriptor, 0, 16)) {
                return;
            }
            long first = descriptor.get(LE64, 0);
            long second = descriptor.get(LE64, 8);
            if ((second & 1L << 20) == 0) {
                context[0] = first;
                context[1] = second;
                contexts++;
            } else {
                gather(first, second);
            }
            if ((second & 1L << 27) != 0) {
                reports++;
                descriptor.set(LE64, 8, second | 1L << 32);
                dma().write(bus + 8, descriptor, 8, 8);
            }
            registers[tdh(q) / 4] = head + 1 == size ? 0 : head + 1;
        }
    }

    private void gather(long address, long second) {
        int bytes = (int) second & 0xFFFFF;
        dataDescriptors++;
        if (length + bytes > MAX || !dma().read(address, out, length, bytes)) {
            throw new AssertionError("a transmit descriptor of " + bytes + " bytes that is wrong");
        }
        length += bytes;
        if ((second & 1L << 24) == 0) {
            return;
        }
        if ((second & 1L << 40) != 0) {
            int from = (int) context[0] & 0xFF;
            int end = (int) (context[0] >>> 16) & 0xFFFF;
            checksum((int) (context[0] >>> 8) & 0xFF, from, end + 1);
        }
        if ((second & 1L << 41) != 0) {
            checksum((int) (context[0] >>> 40) & 0xFF, (int) (context[0] >>> 32) & 0xFF, length);
        }
        if ((second & 1L << 30) != 0 && (registers[CTRL / 4] & CTRL_VME) != 0) {
            MemorySegment.copy(out, 12, out, 16, length - 12);
            out.set(BE16, 12, (short) registers[VET / 4]);
            out.set(BE16, 14, (short) (second >>> 48));
            length += 4;
        }
        depart();
        length = 0;
    }

    private void checksum(int to, int from, int end) {
        out.set(BE16, to, (short) InternetChecksum.of(out, from, end - from));
    }

    private void depart() {
        registers[GPTC / 4]++;
        registers[GOTCL / 4] += Math.max(length, 60) + 4;
        if (echo) {
            MemorySegment.copy(out, 0, in, 0, length);
            receive(length);
        } else {
            synchronized (this) {
                sent.add(out.asSlice(0, length).toArray(U8));
            }
        }
    }

    private long base(int low) {
        return registers[low / 4] & 0xFFFF_FFFFL | (long) registers[low / 4 + 1] << 32;
    }

    // Receive.

    /** A frame comes from the wire; false when it was lost for lack of descriptors. */
    boolean arrive(byte[] frame) {
        MemorySegment.copy(frame, 0, in, U8, 0, frame.length);
        return receive(frame.length);
    }

    /** A damaged frame: with the counter, and not stored, since RCTL.SBP is clear. */
    void arriveDamaged() {
        registers[CRCERRS / 4]++;
    }

    private boolean receive(int wire) {
        int rctl = registers[RCTL / 4];
        if ((rctl & RCTL_EN) == 0 || !linkUp() || !busMaster() || !wanted(rctl, wire)) {
            return true;
        }
        int status = 0;
        int vlan = 0;
        int len = wire;
        int rssType = 0;
        int hash = 0;
        if ((registers[MRQC / 4] & 3) == MRQC_RSS && (registers[RXCSUM / 4] & RXCSUM_PCSD) != 0) {
            byte[] frame = in.asSlice(0, wire).toArray(U8);
            int enabled = registers[MRQC / 4];
            byte[] input = Toeplitz.ipv4Input(frame, (enabled & MRQC_TCP_IPV4) != 0);
            if (input != null && (input.length == 12 || (enabled & MRQC_IPV4) != 0)) {
                rssType = input.length == 12 ? 1 : 2;
                hash = Toeplitz.hash(key(), input);
            }
        }
        int queue = rssType == 0 ? 0 : table(hash & 127);
        status |= checksums(wire);
        if ((registers[CTRL / 4] & CTRL_VME) != 0
                && (in.get(BE16, 12) & 0xFFFF) == registers[VET / 4]) {
            vlan = in.get(BE16, 14) & 0xFFFF;
            MemorySegment.copy(in, 16, in, 12, wire - 16);
            len = wire - 4;
            status |= E1000eDescriptors.RX_VP;
        }
        return store(queue, len, status, vlan, rssType, hash);
    }

    private boolean wanted(int rctl, int len) {
        if (len + 4 > 1522 && (rctl & RCTL_LPE) == 0) {
            return false;
        }
        if ((rctl & RCTL_VFE) != 0 && (in.get(BE16, 12) & 0xFFFF) == 0x8100) {
            int id = in.get(BE16, 14) & 0xFFF;
            if ((registers[VFTA / 4 + (id >>> 5)] >>> (id & 31) & 1) == 0) {
                return false;
            }
        }
        long to = 0;
        for (int i = 0; i < 6; i++) {
            to = to << 8 | in.get(U8, i) & 0xFF;
        }
        if (to == MacAddress.MASK) {
            return (rctl & RCTL_BAM) != 0;
        }
        if ((to & MacAddress.GROUP_BIT) != 0) {
            return (rctl & RCTL_MPE) != 0;
        }
        boolean match = (rctl & RCTL_UPE) != 0;
        long wireOrder = Long.reverseBytes(to << 16);
        for (int i = 0; i < RA_COUNT; i++) {
            int low = registers[RAL / 4 + 2 * i];
            int high = registers[RAH / 4 + 2 * i];
            match |=
                    (high & RAH_AV) != 0
                            && low == (int) wireOrder
                            && (high & 0xFFFF) == (int) (wireOrder >>> 32 & 0xFFFF);
        }
        return match;
    }

    private byte[] key() {
        byte[] key = new byte[RSS_KEY_BYTES];
        for (int i = 0; i < key.length; i++) {
            key[i] = (byte) (registers[RSSRK / 4 + i / 4] >>> 8 * (i % 4));
        }
        return key;
    }

    private int table(int entry) {
        return registers[RETA / 4 + entry / 4] >>> 8 * (entry % 4) + RETA_QUEUE_SHIFT & 1;
    }

    /** IPv4 with TCP or UDP, without tag and options. */
    private int checksums(int len) {
        if ((in.get(BE16, 12) & 0xFFFF) != 0x0800 || len < 34) {
            return 0;
        }
        int status = 0;
        if ((registers[RXCSUM / 4] & RXCSUM_IPOFL) != 0) {
            status |= E1000eDescriptors.RX_IPCS;
            status |= InternetChecksum.of(in, 14, 20) == 0 ? 0 : E1000eDescriptors.RX_IPE;
        }
        int protocol = in.get(U8, 23);
        if ((registers[RXCSUM / 4] & RXCSUM_TUOFL) != 0 && (protocol == 6 || protocol == 17)) {
            int l4 = (in.get(BE16, 16) & 0xFFFF) - 20;
            int sum = InternetChecksum.sum(in, 26, 8 + l4);
            sum = InternetChecksum.add(sum, protocol);
            sum = InternetChecksum.add(sum, l4);
            status |= 1 << 5 | (InternetChecksum.finish(sum) == 0 ? 0 : E1000eDescriptors.RX_TCPE);
        }
        return status;
    }

    private boolean store(int q, int len, int status, int vlan, int rssType, int hash) {
        int rctl = registers[RCTL / 4];
        int buffer = E1000eHardware.bufferBytes(rctl);
        int size = registers[rdlen(q) / 4] / 16;
        int free = registers[rdt(q) / 4] - registers[rdh(q) / 4];
        free = free < 0 ? free + size : free;
        if (free * buffer < len) {
            registers[MPC / 4]++;
            return false;
        }
        for (int at = 0; at < len; at += buffer) {
            int n = Math.min(buffer, len - at);
            boolean last = at + n == len;
            long bus = base(rdbal(q)) + 16L * registers[rdh(q) / 4];
            if (!dma().read(bus, descriptor, 0, 16)
                    || !dma().write(descriptor.get(LE64, 0), in, at, n)) {
                throw new AssertionError("a receive descriptor that is wrong");
            }
            writeBack(
                    q,
                    rssType | q << 8 | (long) hash << 32,
                    (last ? status | E1000eDescriptors.RX_EOP : 0) & 0xFFFF_FFFFL
                            | E1000eDescriptors.RX_DD
                            | (long) n << 32
                            | (last ? (long) vlan << 48 : 0));
        }
        registers[GPRC / 4]++;
        registers[GORCL / 4] += len + 4;
        cause(INT_RXQ0 << q | INT_RXT0);
        return true;
    }

    /** Writes a descriptor back, as the card, or as no card should. */
    void writeBack(int q, long first, long second) {
        int head = registers[rdh(q) / 4];
        long bus = base(rdbal(q)) + 16L * head;
        descriptor.set(LE64, 0, first);
        descriptor.set(LE64, 8, second);
        dma().write(bus, descriptor, 0, 16);
        registers[rdh(q) / 4] = head + 1 == registers[rdlen(q) / 4] / 16 ? 0 : head + 1;
    }
}
