package io.grantwire.pmd.driver.igb;

import static io.grantwire.pmd.driver.igb.IgbRegisters.*;

import io.grantwire.pmd.driver.pci.CardRegisters;
import io.grantwire.pmd.ethdev.EthLink;
import io.grantwire.pmd.net.EtherHeader;
import io.grantwire.pmd.net.MacAddress;
import java.util.Optional;

/**
 * The card as a whole: reset, its address, its two units and their rings, the link. In the order of
 * the 82576 datasheet's "initialization and reset", 4.5.
 *
 * <p>Control path, one thread; {@link #link} any.
 */
final class IgbHardware {
    private static final int[] SPEEDS = {10, 100, 1000, 1000};

    /** When descriptors are fetched and written back: prefetch, host, write-back thresholds. */
    private static final int THRESHOLDS =
            8 << XDCTL_PTHRESH_SHIFT | 8 << XDCTL_HTHRESH_SHIFT | 1 << XDCTL_WTHRESH_SHIFT;

    private static final int COLLISIONS = 15;
    private static final int TRIES = 200;
    private static final int EEPROM_TRIES = 20;
    private static final long PAUSE_MICROS = 500;

    private final CardRegisters registers;
    private final IgbModel model;
    private final IgbPhy phy;

    IgbHardware(CardRegisters registers, IgbModel model) {
        this.registers = registers;
        this.model = model;
        this.phy = new IgbPhy(registers);
    }

    /** Whether anything answers. */
    boolean answers() {
        return registers.read(STATUS) != CardRegisters.ALL_ONES && !registers.gone();
    }

    /**
     * Ends all traffic and DMA, and puts every register to its default. When this returns the card
     * uses no memory.
     *
     * @return whether the card went through with it
     */
    boolean reset() {
        maskInterrupts();
        registers.write(RCTL, 0);
        registers.write(TCTL, TCTL_PSP);
        for (int q = 0; q < model.queues(); q++) {
            registers.write(queue(RXDCTL, q), 0);
            registers.write(queue(TXDCTL, q), 0);
        }
        // Master disable: no request is under way once the status bit has cleared. A reset in the
        // middle of one could leave the bus waiting.
        registers.update(CTRL, 0, CTRL_GIO_MASTER_DISABLE);
        boolean quiet = await(STATUS, STATUS_GIO_MASTER_ENABLE, 0);
        registers.update(CTRL, 0, CTRL_RST);
        // No access for a while after a software reset (4.2).
        Pause.micros(3000);
        boolean over = await(CTRL, CTRL_RST, 0);
        // A card without EEPROM never says so, which is no error.
        for (int i = 0; i < EEPROM_TRIES; i++) {
            if ((registers.read(EECD) & EECD_AUTO_RD) != 0) {
                break;
            }
            Pause.micros(PAUSE_MICROS);
        }
        maskInterrupts();
        return quiet && over && !registers.gone();
    }

    private void maskInterrupts() {
        registers.write(IMC, -1);
        registers.write(EIMC, -1);
        registers.read(ICR);
    }

    /** Waits until some bits of a register have a value; gives up on a card that has gone. */
    private boolean await(int register, int mask, int value) {
        for (int i = 0; i < TRIES && !registers.gone(); i++) {
            if ((registers.read(register) & mask) == value) {
                return true;
            }
            Pause.micros(PAUSE_MICROS);
        }
        return false;
    }

    /** The address that the card loaded after reset, or the one in its EEPROM. */
    Optional<MacAddress> permanentAddress() {
        int low = registers.read(ral(0));
        int high = registers.read(ral(0) + 4);
        MacAddress loaded = address(low, high);
        if ((high & RAH_AV) != 0 && loaded.isValidUnicast()) {
            return Optional.of(loaded);
        }
        int[] words = new int[3];
        for (int i = 0; i < words.length; i++) {
            words[i] = eeprom(i);
            if (words[i] < 0) {
                return Optional.empty();
            }
        }
        MacAddress stored = address(words[0] | words[1] << 16, words[2]);
        return stored.isValidUnicast() ? Optional.of(stored) : Optional.empty();
    }

    /** An address of RAL and RAH, whose first byte on the wire is the lowest. */
    private static MacAddress address(int low, int high) {
        long bytes = Long.reverseBytes((high & 0xffffL) << 32 | low & 0xffff_ffffL);
        return new MacAddress(bytes >>> 16);
    }

    /** A word of the EEPROM (8.4.2), or -1. */
    private int eeprom(int word) {
        registers.write(EERD, word << EERD_ADDR_SHIFT | EERD_START);
        return await(EERD, EERD_DONE, EERD_DONE) ? registers.read(EERD) >>> EERD_DATA_SHIFT : -1;
    }

    /** What is common to both directions; after a reset. */
    void prepare() {
        registers.write(VET, EtherHeader.TYPE_VLAN << 16 | EtherHeader.TYPE_VLAN);
        // The firmware is told that a driver is here.
        registers.update(CTRL_EXT, 0, CTRL_EXT_DRV_LOAD | CTRL_EXT_PFRSTD);
    }

    /** Tells the firmware that the driver leaves. */
    void leave() {
        registers.update(CTRL_EXT, CTRL_EXT_DRV_LOAD, 0);
    }

    /**
     * Tells the card where a receive ring is, and enables it (4.5.9).
     *
     * @param bufferSize bytes of each buffer, a multiple of 1024
     * @param drop whether frames for this ring are dropped when it has no buffer; they would hold
     *     up those for the other rings
     * @return whether the card took it
     */
    boolean enableRx(int q, long busAddress, int descriptors, int bufferSize, boolean drop) {
        registers.write(queue(RDBAL, q), (int) busAddress);
        registers.write(queue(RDBAH, q), (int) (busAddress >>> 32));
        registers.write(queue(RDLEN, q), descriptors * IgbDescriptors.SIZE);
        registers.write(
                queue(SRRCTL, q),
                bufferSize >> SRRCTL_BSIZEPACKET_SHIFT
                        | SRRCTL_DESCTYPE_ADVANCED_ONE_BUFFER
                        | (drop ? SRRCTL_DROP_EN : 0));
        registers.write(queue(RDH, q), 0);
        registers.write(queue(RDT, q), 0);
        registers.write(queue(RXDCTL, q), THRESHOLDS | XDCTL_ENABLE);
        return await(queue(RXDCTL, q), XDCTL_ENABLE, XDCTL_ENABLE);
    }

    /**
     * Tells the card where a transmit ring is, and enables it (4.5.10).
     *
     * @return whether the card took it
     */
    boolean enableTx(int q, long busAddress, int descriptors) {
        registers.write(queue(TDBAL, q), (int) busAddress);
        registers.write(queue(TDBAH, q), (int) (busAddress >>> 32));
        registers.write(queue(TDLEN, q), descriptors * IgbDescriptors.SIZE);
        registers.write(queue(TDH, q), 0);
        registers.write(queue(TDT, q), 0);
        registers.write(queue(TXDCTL, q), THRESHOLDS | XDCTL_ENABLE);
        return await(queue(TXDCTL, q), XDCTL_ENABLE, XDCTL_ENABLE);
    }

    /** Enables the transmit unit. */
    void enableTransmitter() {
        registers.write(TCTL, TCTL_EN | TCTL_PSP | COLLISIONS << TCTL_CT_SHIFT | TCTL_RTLC);
    }

    /**
     * Chooses which received checksums are checked; the place of the hash in descriptors is never
     * given up for the packet checksum (PCSD).
     */
    void setRxChecksums(boolean on) {
        registers.write(RXCSUM, RXCSUM_PCSD | (on ? RXCSUM_IPOFLD | RXCSUM_TUOFLD : 0));
    }

    /** Switches tags: taken off received frames, and inserted into sent ones (7.4). */
    void setVlanMode(boolean on) {
        registers.update(CTRL, on ? 0 : CTRL_VME, on ? CTRL_VME : 0);
        if (model.hasDvmolr()) {
            for (int q = 0; q < model.queues(); q++) {
                registers.write(queue(DVMOLR, q), VMOLR_STRCRC | (on ? VMOLR_STRVLAN : 0));
            }
        }
    }

    /**
     * Brings the link up or down; it takes seconds to come.
     *
     * @return whether the transceiver answered; also true for media other than copper, whose link
     *     is left as the card's EEPROM has it
     */
    boolean setLink(boolean up) {
        registers.update(CTRL, CTRL_FRCSPD | CTRL_FRCDPLX, CTRL_SLU);
        if (model == IgbModel.I350) {
            registers.update(PHPM, PHPM_GO_LINKD, 0);
        }
        if ((registers.read(CTRL_EXT) & CTRL_EXT_LINK_MODE) != 0) {
            return true;
        }
        return up ? phy.startLink() : phy.stopLink();
    }

    /** The link now. */
    EthLink link() {
        int status = registers.read(STATUS);
        if (registers.gone() || (status & STATUS_LU) == 0) {
            return new EthLink(false, 0, true);
        }
        return new EthLink(
                true, SPEEDS[status >> STATUS_SPEED_SHIFT & 3], (status & STATUS_FD) != 0);
    }
}
