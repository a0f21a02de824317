package io.grantwire.pmd.driver.e1000e;

/**
 * Registers of the 82574 that the driver uses, as offsets in BAR 0, and their bits. Datasheet
 * chapter 10, "Driver Programming Interface".
 */
final class E1000eRegisters {
    // General, section 10.2.2.

    /** Device control. */
    static final int CTRL = 0x0000;

    static final int CTRL_FD = 1;
    static final int CTRL_GIO_MASTER_DISABLE = 1 << 2;
    static final int CTRL_SLU = 1 << 6;
    static final int CTRL_FRCSPD = 1 << 11;
    static final int CTRL_FRCDPX = 1 << 12;
    static final int CTRL_RST = 1 << 26;
    static final int CTRL_VME = 1 << 30;
    static final int CTRL_PHY_RST = 1 << 31;

    /** Device status. */
    static final int STATUS = 0x0008;

    static final int STATUS_FD = 1;
    static final int STATUS_LU = 1 << 1;
    static final int STATUS_SPEED_SHIFT = 6;
    static final int STATUS_GIO_MASTER_ENABLE = 1 << 19;

    /** NVM control. */
    static final int EECD = 0x0010;

    static final int EECD_AUTO_RD = 1 << 9;

    /** Extended device control. */
    static final int CTRL_EXT = 0x0018;

    static final int CTRL_EXT_DRV_LOAD = 1 << 28;

    /** Access to the PHY's registers. */
    static final int MDIC = 0x0020;

    static final int MDIC_REG_SHIFT = 16;
    static final int MDIC_PHY_1 = 1 << 21;
    static final int MDIC_OP_WRITE = 1 << 26;
    static final int MDIC_OP_READ = 2 << 26;
    static final int MDIC_READY = 1 << 28;
    static final int MDIC_ERROR = 1 << 30;

    /** Type of a VLAN tag. */
    static final int VET = 0x0038;

    /** Who may use the MDIO bus. */
    static final int EXTCNF_CTRL = 0x0F00;

    static final int EXTCNF_CTRL_MDIO_SW_OWNERSHIP = 1 << 5;

    /** How the packet buffer is divided: receive part in the low half, rest in the high one, KB. */
    static final int PBA = 0x1000;

    /** PCI Express control. */
    static final int GCR = 0x5B00;

    static final int GCR2 = 0x5B64;

    // PHY registers, IEEE 802.3 clause 22.

    static final int PHY_CONTROL = 0;
    static final int PHY_CONTROL_RESTART = 1 << 9;
    static final int PHY_CONTROL_POWER_DOWN = 1 << 11;
    static final int PHY_CONTROL_AUTONEG = 1 << 12;

    // Interrupts, section 10.2.4.

    /** Causes; reading clears, and so does writing ones. */
    static final int ICR = 0x00C0;

    /** Mask: set bits. */
    static final int IMS = 0x00D0;

    /** Mask: clear bits. */
    static final int IMC = 0x00D8;

    /** Causes that sending a message clears. */
    static final int EIAC = 0x00DC;

    /** Vectors of the causes. */
    static final int IVAR = 0x00E4;

    static final int IVAR_VALID = 1 << 3;

    /** Causes without MSI-X: receive timer, overrun, few descriptors. */
    static final int INT_RXT0 = 1 << 7;

    static final int INT_RXO = 1 << 6;
    static final int INT_RXDMT0 = 1 << 4;

    /** Cause with MSI-X: receive queue 0; the next bit is queue 1. */
    static final int INT_RXQ0 = 1 << 20;

    // Receive, section 10.2.5.

    static final int RCTL = 0x0100;
    static final int RCTL_EN = 1 << 1;
    static final int RCTL_UPE = 1 << 3;
    static final int RCTL_MPE = 1 << 4;
    static final int RCTL_LPE = 1 << 5;
    static final int RCTL_BAM = 1 << 15;
    static final int RCTL_BSIZE_SHIFT = 16;
    static final int RCTL_VFE = 1 << 18;
    static final int RCTL_BSEX = 1 << 25;
    static final int RCTL_SECRC = 1 << 26;

    static final int RDTR = 0x2820;
    static final int RADV = 0x282C;
    static final int RXCSUM = 0x5000;
    static final int RXCSUM_IPOFL = 1 << 8;
    static final int RXCSUM_TUOFL = 1 << 9;
    static final int RXCSUM_PCSD = 1 << 13;
    static final int RFCTL = 0x5008;
    static final int RFCTL_NFSW_DIS = 1 << 6;
    static final int RFCTL_NFSR_DIS = 1 << 7;
    static final int RFCTL_ACK_DIS = 1 << 12;
    static final int RFCTL_EXSTEN = 1 << 15;

    static final int MTA = 0x5200;
    static final int MTA_WORDS = 128;
    static final int RAL = 0x5400;
    static final int RAH = 0x5404;
    static final int RAH_AV = 1 << 31;
    static final int RA_STRIDE = 8;
    static final int RA_COUNT = 16;
    static final int VFTA = 0x5600;
    static final int VFTA_WORDS = 128;

    static final int MRQC = 0x5818;
    static final int MRQC_RSS = 1;
    static final int MRQC_TCP_IPV4 = 1 << 16;
    static final int MRQC_IPV4 = 1 << 17;
    static final int MRQC_TCP_IPV6 = 1 << 18;
    static final int MRQC_IPV6 = 1 << 20;
    static final int RETA = 0x5C00;
    static final int RETA_ENTRIES = 128;
    static final int RETA_QUEUE_SHIFT = 7;
    static final int RSSRK = 0x5C80;
    static final int RSS_KEY_BYTES = 40;

    /** Flow control thresholds. */
    static final int FCRTL = 0x2160;

    static final int FCRTH = 0x2168;

    // Transmit, section 10.2.6.

    static final int TCTL = 0x0400;
    static final int TCTL_EN = 1 << 1;
    static final int TCTL_PSP = 1 << 3;
    static final int TCTL_CT_SHIFT = 4;
    static final int TCTL_COLD_SHIFT = 12;
    static final int TCTL_RTLC = 1 << 24;
    static final int TCTL_MULR = 1 << 28;
    static final int TIPG = 0x0410;
    static final int TIDV = 0x3820;
    static final int TADV = 0x382C;

    // Thresholds of either direction's queues.

    static final int DCTL_PTHRESH_SHIFT = 0;
    static final int DCTL_HTHRESH_SHIFT = 8;
    static final int DCTL_WTHRESH_SHIFT = 16;
    static final int TXDCTL_RESERVED_1 = 1 << 22;
    static final int DCTL_GRAN = 1 << 24;

    static final int TARC_ENABLE = 1 << 10;
    static final int TARC0_RESERVED_1 = 1 << 26;

    /** Queues each way. */
    static final int QUEUES = 2;

    /** MSI-X vectors. */
    static final int VECTORS = 5;

    private static final int QUEUE_STRIDE = 0x100;

    private E1000eRegisters() {}

    /** Ring address, low half; the high half follows. */
    static int rdbal(int queue) {
        return 0x2800 + QUEUE_STRIDE * queue;
    }

    /** Ring length in bytes, a multiple of 128. */
    static int rdlen(int queue) {
        return 0x2808 + QUEUE_STRIDE * queue;
    }

    /** Head: the descriptor that the card uses next. */
    static int rdh(int queue) {
        return 0x2810 + QUEUE_STRIDE * queue;
    }

    /** Tail: one beyond the last descriptor that the card may use. */
    static int rdt(int queue) {
        return 0x2818 + QUEUE_STRIDE * queue;
    }

    static int rxdctl(int queue) {
        return 0x2828 + QUEUE_STRIDE * queue;
    }

    /** See {@link #rdbal}. */
    static int tdbal(int queue) {
        return 0x3800 + QUEUE_STRIDE * queue;
    }

    /** See {@link #rdlen}. */
    static int tdlen(int queue) {
        return 0x3808 + QUEUE_STRIDE * queue;
    }

    /** See {@link #rdh}. */
    static int tdh(int queue) {
        return 0x3810 + QUEUE_STRIDE * queue;
    }

    /** See {@link #rdt}. */
    static int tdt(int queue) {
        return 0x3818 + QUEUE_STRIDE * queue;
    }

    static int txdctl(int queue) {
        return 0x3828 + QUEUE_STRIDE * queue;
    }

    static int tarc(int queue) {
        return 0x3840 + QUEUE_STRIDE * queue;
    }
}
