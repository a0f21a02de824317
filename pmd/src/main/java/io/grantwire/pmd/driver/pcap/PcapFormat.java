package io.grantwire.pmd.driver.pcap;

/**
 * Numbers of the capture file formats: pcap (draft-ietf-opsawg-pcap, pcap-savefile(5)) and pcapng
 * (draft-ietf-opsawg-pcapng).
 */
final class PcapFormat {
    /** Classic, microseconds. */
    static final int MAGIC_MICROS = 0xA1B2_C3D4;

    /** Classic, nanoseconds. */
    static final int MAGIC_NANOS = 0xA1B2_3C4D;

    /** Classic as a patched libpcap of the 1990s wrote it, with longer record headers. */
    static final int MAGIC_PATCHED = 0xA1B2_CD34;

    /** Bytes of the classic file header. */
    static final int FILE_HEADER = 24;

    /** Bytes of a classic record header. */
    static final int RECORD_HEADER = 16;

    /** Most bytes captured of one packet; what libpcap accepts as well. */
    static final int MAX_CAPTURED = 262_144;

    /** Link type of Ethernet. */
    static final int LINKTYPE_ETHERNET = 1;

    /** Section header block; reads the same in both byte orders. */
    static final int BLOCK_SECTION = 0x0A0D_0D0A;

    static final int BLOCK_INTERFACE = 1;
    static final int BLOCK_PACKET_OBSOLETE = 2;
    static final int BLOCK_SIMPLE_PACKET = 3;
    static final int BLOCK_ENHANCED_PACKET = 6;

    /** Tells a section's byte order. */
    static final int BYTE_ORDER_MAGIC = 0x1A2B_3C4D;

    static final int OPTION_END = 0;
    static final int OPTION_TSRESOL = 9;
    static final int OPTION_TSOFFSET = 14;

    /** Type and length in front of a block, and the length behind it. */
    static final int BLOCK_OVERHEAD = 12;

    /** Longest block that is accepted, even to skip it. */
    static final int MAX_BLOCK = 64 << 20;

    /** Most interfaces of a section that are accepted. */
    static final int MAX_INTERFACES = 65_536;

    private PcapFormat() {}
}
