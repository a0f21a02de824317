package io.grantwire.pmd.ethdev;

/** Kinds of packets that receive-side scaling hashes, each over what its name says. */
public enum RssType {
    /** Addresses of IPv4 packets. */
    IPV4,
    /** Addresses and ports of TCP over IPv4. */
    TCP_IPV4,
    /** Addresses and ports of UDP over IPv4. */
    UDP_IPV4,
    /** Addresses of IPv6 packets. */
    IPV6,
    /** Addresses and ports of TCP over IPv6. */
    TCP_IPV6,
    /** Addresses and ports of UDP over IPv6. */
    UDP_IPV6
}
