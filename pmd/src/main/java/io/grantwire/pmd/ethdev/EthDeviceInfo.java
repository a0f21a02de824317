package io.grantwire.pmd.ethdev;

/**
 * What a device is and can do.
 *
 * @param driverName the driver's name as people know it, for instance {@code net_xenvirt}
 * @param maxRxQueues most receive queues
 * @param maxTxQueues most transmit queues
 * @param minRxDesc smallest receive ring
 * @param maxRxDesc largest receive ring
 * @param minTxDesc smallest transmit ring
 * @param maxTxDesc largest transmit ring
 * @param descAlign ring sizes are multiples of this
 * @param maxRxPktLen longest frame received, in bytes without CRC
 * @param minMtu smallest payload
 * @param maxMtu largest payload
 * @param maxMacAddrs addresses the device can filter on
 * @param multiSegment whether frames of several segments may be transmitted
 * @param lossless whether the source waits for room instead of dropping, as a file does and a wire
 *     does not
 */
public record EthDeviceInfo(
        String driverName,
        int maxRxQueues,
        int maxTxQueues,
        int minRxDesc,
        int maxRxDesc,
        int minTxDesc,
        int maxTxDesc,
        int descAlign,
        int maxRxPktLen,
        int minMtu,
        int maxMtu,
        int maxMacAddrs,
        boolean multiSegment,
        boolean lossless) {}
