package io.grantwire.pmd.ethdev;

/**
 * A device's basic counters, since start or the last reset.
 *
 * @param ipackets frames received
 * @param opackets frames transmitted
 * @param ibytes bytes received, without CRC
 * @param obytes bytes transmitted, without CRC
 * @param imissed frames lost because the receive ring was full
 * @param ierrors bad frames received
 * @param oerrors frames that failed to be transmitted
 * @param rxNombuf receive attempts that found the mempool empty
 */
public record EthStats(
        long ipackets,
        long opackets,
        long ibytes,
        long obytes,
        long imissed,
        long ierrors,
        long oerrors,
        long rxNombuf) {}
