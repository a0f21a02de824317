package io.grantwire.pmd.ethdev;

/** What a device can do for the processor; each is asked for with {@link EthConfig#offloads}. */
public enum EthOffload {
    /** Takes VLAN tags off received frames: {@code Mbuf.RX_VLAN_STRIPPED} and the TCI say so. */
    RX_VLAN_STRIP,
    /** Receives tagged frames of listed VLANs only, see {@link EthDevice#setVlanFilter}. */
    RX_VLAN_FILTER,
    /** Checks IPv4, TCP and UDP checksums of received frames; the mbuf's flags say how they are. */
    RX_CHECKSUM,
    /** Receives frames longer than one mbuf into several. */
    RX_SCATTER,
    /** Inserts VLAN tags that {@code Mbuf.TX_VLAN} asks for. */
    TX_VLAN_INSERT,
    /** Fills in IPv4 header checksums that {@code Mbuf.TX_IP_CKSUM} asks for. */
    TX_IPV4_CKSUM,
    /** Fills in TCP checksums that {@code Mbuf.TX_TCP_CKSUM} asks for. */
    TX_TCP_CKSUM,
    /** Fills in UDP checksums that {@code Mbuf.TX_UDP_CKSUM} asks for. */
    TX_UDP_CKSUM,
    /** Transmits frames of several mbufs. */
    TX_MULTI_SEGS
}
