package io.grantwire.pmd.driver.e1000e;

import static io.grantwire.pmd.driver.e1000e.E1000eRegisters.*;

import io.grantwire.pmd.driver.pci.CardRegisters;
import io.grantwire.pmd.ethdev.EthLink;
import io.grantwire.pmd.net.MacAddress;
import java.util.function.BooleanSupplier;

/**
 * Bringing the card up and down: reset, what the datasheet wants set (section 4.6, "Software
 * Initialization Sequence"), rings, link. Control path; one thread at a time. A card that has gone
 * lets all of it pass.
 */
final class E1000eHardware {
    /**
     * The packet buffer's receive part, in KB: half of the 40. The other half holds two of the
     * longest frames with the 80 bytes to spare that the transmitter wants.
     */
    private static final int RECEIVE_KB = 20;

    private static final int[] SPEEDS = {10, 100, 1000, 1000};

    /** Inter-packet gap for full duplex copper: IPGT 8, IPGR1 8, IPGR2 6. */
    private static final int TIPG_COPPER = 8 | 8 << 10 | 6 << 20;

    private final CardRegisters card;

    E1000eHardware(CardRegisters card) {
        this.card = card;
    }

    /**
     * Makes the card quiet and forgetful: no DMA, no interrupt, registers as after power-on.
     *
     * @return false when the card did not answer in time
     */
    boolean reset() {
        card.write(IMC, ~0);
        card.write(RCTL, 0);
        card.update(TCTL, TCTL_EN, 0);
        // "Master disable": no request of the card may be under way when it is reset.
        card.update(CTRL, 0, CTRL_GIO_MASTER_DISABLE);
        await(100, () -> (card.read(STATUS) & STATUS_GIO_MASTER_ENABLE) == 0);
        pause(10);
        takeMdio();
        card.update(CTRL, 0, CTRL_RST);
        pause(1);
        boolean ready = await(1000, () -> (card.read(CTRL) & CTRL_RST) == 0);
        card.update(EXTCNF_CTRL, EXTCNF_CTRL_MDIO_SW_OWNERSHIP, 0);
        // The card reads its address and more from the NVM, and then sets its PHY up.
        ready &= await(100, () -> (card.read(EECD) & EECD_AUTO_RD) != 0);
        pause(25);
        card.write(IMC, ~0);
        card.read(ICR);
        return ready && !card.gone();
    }

    /** The firmware lets go of the PHY's bus, or does not in time, which does no harm here. */
    private void takeMdio() {
        await(
                100,
                () -> {
                    card.update(EXTCNF_CTRL, 0, EXTCNF_CTRL_MDIO_SW_OWNERSHIP);
                    return (card.read(EXTCNF_CTRL) & EXTCNF_CTRL_MDIO_SW_OWNERSHIP) != 0;
                });
    }

    /** The address in the first receive address register; null when there is no valid one. */
    MacAddress readAddress() {
        int low = card.read(RAL);
        int high = card.read(RAH);
        byte[] bytes = new byte[6];
        for (int i = 0; i < 6; i++) {
            bytes[i] = (byte) (i < 4 ? low >>> 8 * i : high >>> 8 * (i - 4));
        }
        MacAddress address = MacAddress.of(bytes);
        boolean zero = low == 0 && (high & 0xFFFF) == 0;
        return card.gone() || zero || address.isMulticast() ? null : address;
    }

    /** Sets what does not depend on queues. */
    void initialise() {
        // Bits that section 10.2 wants set, or clear, without giving them a meaning.
        card.update(CTRL_EXT, 1 << 23, 1 << 22 | CTRL_EXT_DRV_LOAD);
        card.update(GCR, 0, 1 << 22);
        card.update(GCR2, 0, 1);
        card.update(CTRL, 1 << 29 | CTRL_FRCSPD | CTRL_FRCDPX | CTRL_GIO_MASTER_DISABLE, CTRL_SLU);
        card.write(PBA, RECEIVE_KB);
        card.write(FCRTL, 0);
        card.write(FCRTH, 0);
        card.write(VET, 0x8100);
        for (int i = 0; i < MTA_WORDS; i++) {
            card.write(MTA + 4L * i, 0);
        }
        wakePhy();
    }

    // Rings.

    /** Tells the card of a receive ring, still empty; {@code bytes} is a multiple of 128. */
    void setRxRing(int queue, long address, int bytes) {
        card.write(rdbal(queue), (int) address);
        card.write(rdbal(queue) + 4, (int) (address >>> 32));
        card.write(rdlen(queue), bytes);
        card.write(rdh(queue), 0);
        card.write(rdt(queue), 0);
        card.write(
                rxdctl(queue),
                32 << DCTL_PTHRESH_SHIFT
                        | 4 << DCTL_HTHRESH_SHIFT
                        | 1 << DCTL_WTHRESH_SHIFT
                        | DCTL_GRAN);
    }

    /** Tells the card of a transmit ring, empty; {@code bytes} is a multiple of 128. */
    void setTxRing(int queue, long address, int bytes) {
        card.write(tdbal(queue), (int) address);
        card.write(tdbal(queue) + 4, (int) (address >>> 32));
        card.write(tdlen(queue), bytes);
        card.write(tdh(queue), 0);
        card.write(tdt(queue), 0);
        card.write(
                txdctl(queue),
                31 << DCTL_PTHRESH_SHIFT
                        | 1 << DCTL_HTHRESH_SHIFT
                        | 1 << DCTL_WTHRESH_SHIFT
                        | TXDCTL_RESERVED_1
                        | DCTL_GRAN);
        // Bits 30:27 clear; arbitration by turns is what the rest says after a reset.
        card.update(tarc(queue), 0xF << 27, TARC_ENABLE | (queue == 0 ? TARC0_RESERVED_1 : 0));
    }

    /**
     * Lets the card transmit and receive.
     *
     * @param rctl the receive control register without EN
     * @param rxChecksum whether checksums of received frames are checked
     * @param rss whether frames get a hash
     */
    void enable(int rctl, boolean rxChecksum, boolean rss) {
        card.write(RDTR, 0);
        card.write(RADV, 0);
        card.write(TIDV, 0);
        card.write(TADV, 0);
        card.write(RFCTL, RFCTL_EXSTEN | RFCTL_NFSR_DIS | RFCTL_NFSW_DIS | RFCTL_ACK_DIS);
        setRxChecksum(rxChecksum, rss);
        card.write(TIPG, TIPG_COPPER);
        card.write(
                TCTL,
                TCTL_EN
                        | TCTL_PSP
                        | 0xF << TCTL_CT_SHIFT
                        | 0x3F << TCTL_COLD_SHIFT
                        | TCTL_RTLC
                        | TCTL_MULR);
        card.write(RCTL, rctl | RCTL_EN);
    }

    /** PCSD gives the checksum's place in the descriptor to the RSS hash (section 7.1.11). */
    void setRxChecksum(boolean rxChecksum, boolean rss) {
        card.write(
                RXCSUM, (rxChecksum ? RXCSUM_IPOFL | RXCSUM_TUOFL : 0) | (rss ? RXCSUM_PCSD : 0));
    }

    void setRctl(int rctl) {
        card.write(RCTL, rctl | RCTL_EN);
    }

    /** Strips tags of received frames, and inserts those asked for: one bit (section 7.5.2). */
    void setVlanMode(boolean on) {
        card.update(CTRL, on ? 0 : CTRL_VME, on ? CTRL_VME : 0);
    }

    /**
     * RCTL's bits for the largest buffer that the card knows and an mbuf has room for.
     *
     * @param room at least 256
     * @return the bits; {@link #bufferBytes} gives the size back
     */
    static int bufferBits(int room) {
        // 16384, 8192, 4096 with BSEX: codes 1 to 3; 2048, 1024, 512, 256 without: codes 0 to 3.
        int log = Math.min(14, 31 - Integer.numberOfLeadingZeros(room));
        return log >= 12 ? RCTL_BSEX | 15 - log << RCTL_BSIZE_SHIFT : 11 - log << RCTL_BSIZE_SHIFT;
    }

    /** Bytes of a receive buffer for some bits of RCTL. */
    static int bufferBytes(int rctl) {
        int code = rctl >>> RCTL_BSIZE_SHIFT & 3;
        return (rctl & RCTL_BSEX) != 0 ? 1 << 15 - code : 1 << 11 - code;
    }

    // Link.

    /** What the card says of its link. */
    EthLink link() {
        int status = card.read(STATUS);
        if (card.gone() || (status & STATUS_LU) == 0) {
            return new EthLink(false, 0, true);
        }
        return new EthLink(
                true, SPEEDS[status >>> STATUS_SPEED_SHIFT & 3], (status & STATUS_FD) != 0);
    }

    /** Has the PHY find a partner, if somebody has put it to sleep. */
    void wakePhy() {
        int control = readPhy(PHY_CONTROL);
        if (control >= 0
                && ((control & PHY_CONTROL_POWER_DOWN) != 0
                        || (control & PHY_CONTROL_AUTONEG) == 0)) {
            writePhy(PHY_CONTROL, PHY_CONTROL_AUTONEG | PHY_CONTROL_RESTART);
        }
    }

    /** Puts the PHY to sleep: the partner sees the link go. */
    void sleepPhy() {
        writePhy(PHY_CONTROL, PHY_CONTROL_AUTONEG | PHY_CONTROL_POWER_DOWN);
    }

    private int readPhy(int register) {
        card.write(MDIC, register << MDIC_REG_SHIFT | MDIC_PHY_1 | MDIC_OP_READ);
        boolean done = await(10, () -> (card.read(MDIC) & (MDIC_READY | MDIC_ERROR)) != 0);
        int value = card.read(MDIC);
        return done && (value & MDIC_ERROR) == 0 && !card.gone() ? value & 0xFFFF : -1;
    }

    private void writePhy(int register, int value) {
        card.write(MDIC, value | register << MDIC_REG_SHIFT | MDIC_PHY_1 | MDIC_OP_WRITE);
        await(10, () -> (card.read(MDIC) & (MDIC_READY | MDIC_ERROR)) != 0);
    }

    /** Waits until something holds, no longer than some milliseconds. */
    private boolean await(int millis, BooleanSupplier holds) {
        long end = System.nanoTime() + millis * 1_000_000L;
        while (!card.gone() && !holds.getAsBoolean()) {
            if (System.nanoTime() - end > 0) {
                return false;
            }
            pause(1);
        }
        return true;
    }

    private static void pause(int millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            // A control operation is not given up half-way; whoever interrupts sees it afterwards.
            Thread.currentThread().interrupt();
        }
    }
}
