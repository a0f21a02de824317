package io.grantwire.pmd.driver.igb;

import static io.grantwire.pmd.driver.igb.IgbRegisters.*;

import io.grantwire.pmd.driver.pci.CardRegisters;

/**
 * The copper transceiver, reached over MDIO (82576 datasheet 8.2, MDIC), which the card's firmware
 * uses as well: every access is made under the semaphores that both keep to (8.7).
 *
 * <p>Control path, one thread.
 */
final class IgbPhy {
    /** PHY control register (IEEE 802.3 22.2.4.1). */
    private static final int BMCR = 0;

    private static final int BMCR_RESTART_AUTONEG = 1 << 9;
    private static final int BMCR_POWER_DOWN = 1 << 11;
    private static final int BMCR_AUTONEG = 1 << 12;

    /** The internal PHY answers at this address; the I350 takes it from elsewhere. */
    private static final int ADDRESS = 1;

    private static final int TRIES = 2000;
    private static final long PAUSE_MICROS = 50;

    private final CardRegisters registers;

    IgbPhy(CardRegisters registers) {
        this.registers = registers;
    }

    /**
     * Powers it up and has it negotiate a link anew.
     *
     * @return whether it answered
     */
    boolean startLink() {
        return write(BMCR, BMCR_AUTONEG | BMCR_RESTART_AUTONEG);
    }

    /**
     * Powers it down, so that the other end loses its link.
     *
     * @return whether it answered
     */
    boolean stopLink() {
        return write(BMCR, BMCR_AUTONEG | BMCR_POWER_DOWN);
    }

    private boolean write(int register, int value) {
        if (!acquire()) {
            return false;
        }
        try {
            registers.write(
                    MDIC,
                    value
                            | register << MDIC_REGADD_SHIFT
                            | ADDRESS << MDIC_PHYADD_SHIFT
                            | MDIC_OP_WRITE);
            for (int i = 0; i < TRIES && !registers.gone(); i++) {
                int mdic = registers.read(MDIC);
                if ((mdic & MDIC_READY) != 0) {
                    return (mdic & MDIC_ERROR) == 0;
                }
                Pause.micros(PAUSE_MICROS);
            }
            return false;
        } finally {
            release();
        }
    }

    // Software's semaphore guards SW_FW_SYNC, in which a bit stands for this port's PHY.

    private boolean acquire() {
        if (tryAcquire()) {
            return true;
        }
        // A driver that was killed holding it never gives it back: this one is alone now.
        releaseSync();
        return tryAcquire();
    }

    private boolean tryAcquire() {
        for (int i = 0; i < TRIES && !registers.gone(); i++) {
            if (acquireSync()) {
                int sync = registers.read(SW_FW_SYNC);
                boolean free = (sync & (ours() | ours() << SW_FW_SYNC_FIRMWARE_SHIFT)) == 0;
                if (free) {
                    registers.write(SW_FW_SYNC, sync | ours());
                }
                releaseSync();
                if (free) {
                    return true;
                }
            }
            Pause.micros(PAUSE_MICROS);
        }
        return false;
    }

    private void release() {
        for (int i = 0; i < TRIES && !registers.gone(); i++) {
            if (acquireSync()) {
                registers.write(SW_FW_SYNC, registers.read(SW_FW_SYNC) & ~ours());
                releaseSync();
                return;
            }
            Pause.micros(PAUSE_MICROS);
        }
    }

    /** A read of SWSM sets SMBI; whoever reads it clear has it. SWESMBI sticks when it is free. */
    private boolean acquireSync() {
        int swsm = registers.read(SWSM);
        if ((swsm & SWSM_SMBI) != 0) {
            return false;
        }
        registers.write(SWSM, swsm | SWSM_SMBI | SWSM_SWESMBI);
        if ((registers.read(SWSM) & SWSM_SWESMBI) != 0) {
            return true;
        }
        releaseSync();
        return false;
    }

    private void releaseSync() {
        registers.write(SWSM, registers.read(SWSM) & ~(SWSM_SMBI | SWSM_SWESMBI));
    }

    /** Bits 1, 2, 5 and 6 stand for the PHYs of ports 0 to 3. */
    private int ours() {
        int port = registers.read(STATUS) >> STATUS_LAN_ID_SHIFT & STATUS_LAN_ID_MASK;
        return 1 << (port < 2 ? port + 1 : port + 3);
    }
}
