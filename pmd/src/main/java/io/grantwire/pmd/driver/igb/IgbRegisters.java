package io.grantwire.pmd.driver.igb;

/**
 * Registers in BAR 0 and their bits, named as in the 82576EB datasheet, chapter 8. Offsets are
 * bytes; every register has 32 bits.
 */
final class IgbRegisters {
    /** Bytes of BAR 0 that hold registers. */
    static final int SIZE = 0x20000;

    // General (8.2).
    static final int CTRL = 0x0000;
    static final int CTRL_GIO_MASTER_DISABLE = 1 << 2;
    static final int CTRL_SLU = 1 << 6;
    static final int CTRL_FRCSPD = 1 << 11;
    static final int CTRL_FRCDPLX = 1 << 12;
    static final int CTRL_RST = 1 << 26;
    static final int CTRL_VME = 1 << 30;

    static final int STATUS = 0x0008;
    static final int STATUS_FD = 1;
    static final int STATUS_LU = 1 << 1;
    static final int STATUS_LAN_ID_SHIFT = 2;
    static final int STATUS_LAN_ID_MASK = 3;
    static final int STATUS_SPEED_SHIFT = 6;
    static final int STATUS_GIO_MASTER_ENABLE = 1 << 19;

    static final int CTRL_EXT = 0x0018;
    static final int CTRL_EXT_PFRSTD = 1 << 14;
    static final int CTRL_EXT_LINK_MODE = 3 << 22;
    static final int CTRL_EXT_DRV_LOAD = 1 << 28;

    static final int MDIC = 0x0020;
    static final int MDIC_REGADD_SHIFT = 16;
    static final int MDIC_PHYADD_SHIFT = 21;
    static final int MDIC_OP_WRITE = 1 << 26;
    static final int MDIC_OP_READ = 2 << 26;
    static final int MDIC_READY = 1 << 28;
    static final int MDIC_ERROR = 1 << 30;

    static final int VET = 0x0038;

    // EEPROM (8.4) and the semaphores shared with firmware (8.7).
    static final int EECD = 0x0010;
    static final int EECD_AUTO_RD = 1 << 9;
    static final int EERD = 0x0014;
    static final int EERD_START = 1;
    static final int EERD_DONE = 1 << 1;
    static final int EERD_ADDR_SHIFT = 2;
    static final int EERD_DATA_SHIFT = 16;
    static final int SWSM = 0x5B50;
    static final int SWSM_SMBI = 1;
    static final int SWSM_SWESMBI = 1 << 1;
    static final int SW_FW_SYNC = 0x5B5C;
    static final int SW_FW_SYNC_FIRMWARE_SHIFT = 16;

    /** PHY power management of the I350: "Go Link disconnect" keeps its link down. */
    static final int PHPM = 0x0E14;

    static final int PHPM_GO_LINKD = 1 << 5;

    // Interrupts (8.8).
    static final int ICR = 0x00C0;
    static final int ICR_RXDW = 1 << 7;
    static final int IMS = 0x00D0;
    static final int IMC = 0x00D8;
    static final int GPIE = 0x1514;
    static final int GPIE_NSICR = 1;
    static final int GPIE_MULTIPLE_MSIX = 1 << 4;
    static final int GPIE_EIAME = 1 << 30;
    static final int GPIE_PBA_SUPPORT = 1 << 31;
    static final int EIMS = 0x1524;
    static final int EIMC = 0x1528;
    static final int EIAC = 0x152C;
    static final int EICR = 0x1580;
    static final int IVAR = 0x1700;
    static final int IVAR_VALID = 1 << 7;

    // Receive (8.10).
    static final int RCTL = 0x0100;
    static final int RCTL_RXEN = 1 << 1;
    static final int RCTL_UPE = 1 << 3;
    static final int RCTL_MPE = 1 << 4;
    static final int RCTL_LPE = 1 << 5;
    static final int RCTL_BAM = 1 << 15;
    static final int RCTL_VFE = 1 << 18;
    static final int RCTL_SECRC = 1 << 26;

    static final int RDBAL = 0xC000;
    static final int RDBAH = 0xC004;
    static final int RDLEN = 0xC008;
    static final int SRRCTL = 0xC00C;
    static final int SRRCTL_BSIZEPACKET_SHIFT = 10;
    static final int SRRCTL_DESCTYPE_ADVANCED_ONE_BUFFER = 1 << 25;
    static final int SRRCTL_DROP_EN = 1 << 31;
    static final int RDH = 0xC010;
    static final int RDT = 0xC018;
    static final int RXDCTL = 0xC028;
    static final int RQDPC = 0xC030;

    /** Drop counts have this many bits. */
    static final int RQDPC_MASK = 0xFFF;

    /** Offload register of a queue in the I350, which has the bits of VMOLR there. */
    static final int DVMOLR = 0xC038;

    static final int RXCSUM = 0x5000;
    static final int RXCSUM_IPOFLD = 1 << 8;
    static final int RXCSUM_TUOFLD = 1 << 9;
    static final int RXCSUM_PCSD = 1 << 13;
    static final int RLPML = 0x5004;

    // Transmit (8.12).
    static final int TCTL = 0x0400;
    static final int TCTL_EN = 1 << 1;
    static final int TCTL_PSP = 1 << 3;
    static final int TCTL_CT_SHIFT = 4;
    static final int TCTL_RTLC = 1 << 24;
    static final int TDBAL = 0xE000;
    static final int TDBAH = 0xE004;
    static final int TDLEN = 0xE008;
    static final int TDH = 0xE010;
    static final int TDT = 0xE018;
    static final int TXDCTL = 0xE028;

    // Common to RXDCTL and TXDCTL.
    static final int XDCTL_PTHRESH_SHIFT = 0;
    static final int XDCTL_HTHRESH_SHIFT = 8;
    static final int XDCTL_WTHRESH_SHIFT = 16;
    static final int XDCTL_ENABLE = 1 << 25;

    /** From one queue's registers to the next's. */
    static final int QUEUE_STRIDE = 0x40;

    // Filters.
    static final int MTA = 0x5200;
    static final int MTA_REGISTERS = 128;
    static final int VFTA = 0x5600;
    static final int VFTA_REGISTERS = 128;
    static final int UTA = 0xA000;
    static final int UTA_REGISTERS = 128;
    static final int RAH_POOLSEL_SHIFT = 18;
    static final int RAH_AV = 1 << 31;

    /** RAL of the first 16 addresses; RAH follows. */
    static final int RAL_LOW = 0x5400;

    /** RAL of the addresses from the 17th on. */
    static final int RAL_HIGH = 0x54E0;

    static final int RAL_LOW_COUNT = 16;

    // Receive-side scaling (7.1.1.7).
    static final int MRQC = 0x5818;
    static final int MRQC_RSS = 2;
    static final int MRQC_VMDQ = 3;
    static final int MRQC_TCP_IPV4 = 1 << 16;
    static final int MRQC_IPV4 = 1 << 17;
    static final int MRQC_TCP_IPV6_EX = 1 << 18;
    static final int MRQC_IPV6 = 1 << 20;
    static final int MRQC_TCP_IPV6 = 1 << 21;
    static final int MRQC_UDP_IPV4 = 1 << 22;
    static final int MRQC_UDP_IPV6 = 1 << 23;
    static final int RETA = 0x5C00;
    static final int RSSRK = 0x5C80;

    // Virtualization (8.14).
    static final int VT_CTL = 0x581C;
    static final int VFRE = 0x0C8C;
    static final int VFTE = 0x0C90;
    static final int VMOLR = 0x5AD0;
    static final int VMOLR_LPE = 1 << 16;

    /** Takes every VLAN; in the I350 only. */
    static final int VMOLR_VPE = 1 << 23;

    static final int VMOLR_AUPE = 1 << 24;
    static final int VMOLR_ROMPE = 1 << 25;
    static final int VMOLR_BAM = 1 << 27;
    static final int VMOLR_MPME = 1 << 28;
    static final int VMOLR_STRVLAN = 1 << 30;
    static final int VMOLR_STRCRC = 1 << 31;
    static final int RPLOLR = 0x5AF0;
    static final int VLVF = 0x5D00;
    static final int VLVF_COUNT = 32;
    static final int VLVF_POOLSEL_SHIFT = 12;
    static final int VLVF_VI_EN = 1 << 31;
    static final int VMVIR = 0x3700;
    static final int DTXSWC = 0x3500;

    private IgbRegisters() {}

    /** The address of a queue's register. */
    static int queue(int register, int queue) {
        return register + queue * QUEUE_STRIDE;
    }

    /** The address of the n-th register of an array. */
    static int nth(int register, int n) {
        return register + 4 * n;
    }

    /** The address of the n-th RAL; its RAH is 4 bytes further. */
    static int ral(int n) {
        return n < RAL_LOW_COUNT ? RAL_LOW + 8 * n : RAL_HIGH + 8 * (n - RAL_LOW_COUNT);
    }
}
