package io.grantwire.pmd.ethdev;

/**
 * What {@link EthDevice#configure} is asked for.
 *
 * @param rxQueues number of receive queues, at least 1
 * @param txQueues number of transmit queues, at least 1
 */
public record EthConfig(int rxQueues, int txQueues) {
    /** One receive and one transmit queue. */
    public static final EthConfig SINGLE_QUEUE = new EthConfig(1, 1);
}
