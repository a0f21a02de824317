package io.grantwire.bed;

import io.grantwire.vfio.Bar;
import io.grantwire.vfio.DmaMapping;
import io.grantwire.vfio.PciAddress;
import io.grantwire.vfio.PciDevice;
import io.grantwire.vfio.PciDevices;
import java.lang.foreign.ValueLayout;

/**
 * As much of Intel's 82574L (e1000e) and 82576 (igb) as it takes to see an interrupt and one DMA transfer, apart from the drivers that
 * are to be judged. Section numbers are the 82574 datasheet's.
 */
final class Nic implements AutoCloseable {
    // 10.2.4: interrupt registers.
    private static final int ICR = 0xc0;
    private static final int ICS = 0xc8;
    private static final int IMS = 0xd0;
    private static final int IMC = 0xd8;
    private static final int IVAR = 0xe4;
    private static final int LINK_CHANGE = 1 << 2;
    private static final int RX_QUEUE_0 = 1 << 20;
    private static final int IVAR_RX_QUEUE_0_VALID = 1 << 3;

    // 82576 datasheet, 8.8: the extended ones.
    private static final int GPIE = 0x1514;
    private static final int GPIE_MULTIPLE_MSIX = 1 << 4;
    private static final int EICS = 0x1520;
    private static final int EIMS = 0x1524;
    private static final int EIAC = 0x152c;

    // 10.2.6, 10.2.5: one transmit and one receive ring.
    private static final int STATUS = 0x8;
    private static final int STATUS_LINK_UP = 1 << 1;
    private static final int CTRL = 0;
    private static final int CTRL_SET_LINK_UP = 1 << 6;
    private static final int CTRL_RESET = 1 << 26;
    private static final int TCTL = 0x400;
    private static final int TDBAL = 0x3800;
    private static final int RCTL = 0x100;
    private static final int RDBAL = 0x2800;
    private static final int HIGH = 4;
    private static final int LENGTH = 8;
    private static final int HEAD = 0x10;
    private static final int TAIL = 0x18;
    private static final int ENABLE = 1 << 1;
    private static final int PAD_SHORT = 1 << 3;
    private static final int RCTL_UNICAST_PROMISCUOUS = 1 << 3;
    private static final int RCTL_BROADCAST = 1 << 15;

    // Without it QEMU puts the CRC into a descriptor of its own, and so, with one buffer for all, over the frame's first bytes.
    private static final int RCTL_STRIP_CRC = 1 << 26;

    // 7.2.10.1, 7.1.4: legacy descriptors, 16 bytes.
    private static final int DESCRIPTORS = 8;
    private static final long DESCRIPTOR = 16;
    private static final int END_OF_PACKET_FCS_REPORT = 0xb;

    final PciDevice pci;
    final boolean igb;
    private final Bar registers;

    Nic(String address) {
        pci = PciDevices.open(PciAddress.parse(address));
        igb = pci.function().device() == 0x10c9;
        registers = pci.bar(0);
    }

    /** Resets the function, and the chip itself, which not every function reset reaches in QEMU. */
    void reset() throws InterruptedException {
        pci.reset();
        registers.write32(CTRL, registers.read32(CTRL) | CTRL_RESET);
        Thread.sleep(5);
        registers.write32(IMC, -1);
        registers.read32(ICR);
        pci.setBusMaster(true);
    }

    /** Has the device interrupt, by itself as far as it can tell. */
    void cause(boolean messagesByVector, int vector) {
        if (igb && messagesByVector) {
            registers.write32(GPIE, GPIE_MULTIPLE_MSIX);
            registers.write32(EIAC, 1 << vector);
            registers.write32(EIMS, 1 << vector);
            registers.write32(EICS, 1 << vector);
        } else if (messagesByVector) {
            registers.write32(IVAR, IVAR_RX_QUEUE_0_VALID | vector);
            registers.write32(IMS, RX_QUEUE_0);
            registers.write32(ICS, RX_QUEUE_0);
        } else {
            if (igb) {
                registers.write32(GPIE, 0);
            }
            registers.write32(IMS, LINK_CHANGE);
            registers.write32(ICS, LINK_CHANGE);
        }
    }

    /** Waits for the link, without which nothing is received; a reset takes it down for a moment. Returns whether it is up. */
    boolean awaitLink() throws InterruptedException {
        for (int i = 0; i < 500 && (registers.read32(STATUS) & STATUS_LINK_UP) == 0; i++) {
            Thread.sleep(10);
        }
        return (registers.read32(STATUS) & STATUS_LINK_UP) != 0;
    }

    /** Takes the cause away, as an interrupt handler does. */
    void acknowledge() {
        registers.read32(ICR);
        registers.write32(IMC, -1);
        registers.read32(ICR);
    }

    /** Transmits one frame with descriptors at one bus address and data at another; the ring may be at an address that is not mapped. */
    void transmit(long ring, DmaMapping ringMemory, long data, int length) {
        if (ringMemory != null) {
            ringMemory.segment().set(ValueLayout.JAVA_LONG, 0, data);
            ringMemory.segment().set(ValueLayout.JAVA_LONG, 8, length | (long) END_OF_PACKET_FCS_REPORT << 24);
        }
        registers.write32(CTRL, registers.read32(CTRL) | CTRL_SET_LINK_UP);
        begin(TDBAL, ring);
        registers.write32(TCTL, ENABLE | PAD_SHORT);
        registers.write32(TDBAL + TAIL, 1);
    }

    /** Is ready for frames, all of which go to one bus address. */
    void receive(long ring, DmaMapping ringMemory, long data) {
        for (int i = 0; i < DESCRIPTORS; i++) {
            ringMemory.segment().set(ValueLayout.JAVA_LONG, i * DESCRIPTOR, data);
            ringMemory.segment().set(ValueLayout.JAVA_LONG, i * DESCRIPTOR + 8, 0);
        }
        registers.write32(CTRL, registers.read32(CTRL) | CTRL_SET_LINK_UP);
        begin(RDBAL, ring);
        registers.write32(RCTL, ENABLE | RCTL_UNICAST_PROMISCUOUS | RCTL_BROADCAST | RCTL_STRIP_CRC);
        registers.write32(RDBAL + TAIL, DESCRIPTORS - 1);
    }

    private void begin(int base, long ring) {
        registers.write32(base, (int) ring);
        registers.write32(base + HIGH, (int) (ring >>> 32));
        registers.write32(base + LENGTH, (int) (DESCRIPTORS * DESCRIPTOR));
        registers.write32(base + HEAD, 0);
        registers.write32(base + TAIL, 0);
    }

    /** What to look at when nothing is received: 82574 datasheet, 10.2.7.5 and on for the counters. */
    String receiverState() {
        return String.format(
                "STATUS %x, RCTL %x, RDH %d, RDT %d, good frames %d, all %d, missed %d, without buffer %d, command %x",
                registers.read32(STATUS), registers.read32(RCTL), registers.read32(RDBAL + HEAD), registers.read32(RDBAL + TAIL),
                registers.read32(0x4074), registers.read32(0x40d0), registers.read32(0x4010), registers.read32(0x40a0), pci.config().read16(4));
    }

    int status() {
        return registers.read32(8);
    }

    @Override
    public void close() {
        pci.close();
    }
}
