package io.grantwire.pmd.ethdev;

import java.util.EnumSet;
import java.util.Set;

/**
 * What {@link EthDevice#configure} is asked for.
 *
 * @param rxQueues number of receive queues, at least 1
 * @param txQueues number of transmit queues, at least 1
 * @param mtu largest payload in bytes, 0 for the usual 1500
 * @param offloads what the device is to do for the processor
 * @param rss how frames are spread over the receive queues
 * @param vmdqPools VMDq pools, 0 for none: pool n is receive queue n, so there are as many queues;
 *     see {@link EthDevice#vmdqAssign}
 */
public record EthConfig(
        int rxQueues,
        int txQueues,
        int mtu,
        Set<EthOffload> offloads,
        RssConfig rss,
        int vmdqPools) {
    /** One receive and one transmit queue. */
    public static final EthConfig SINGLE_QUEUE = new EthConfig(1, 1);

    /** Copies the set. */
    public EthConfig {
        offloads = offloads.isEmpty() ? Set.of() : Set.copyOf(EnumSet.copyOf(offloads));
    }

    /** Queues only, as any device has them. */
    public EthConfig(int rxQueues, int txQueues) {
        this(rxQueues, txQueues, 0, Set.of(), RssConfig.OFF, 0);
    }

    /** The same with another largest payload. */
    public EthConfig withMtu(int bytes) {
        return new EthConfig(rxQueues, txQueues, bytes, offloads, rss, vmdqPools);
    }

    /** The same with other offloads. */
    public EthConfig withOffloads(Set<EthOffload> others) {
        return new EthConfig(rxQueues, txQueues, mtu, others, rss, vmdqPools);
    }

    /** The same with another spread. */
    public EthConfig withRss(RssConfig other) {
        return new EthConfig(rxQueues, txQueues, mtu, offloads, other, vmdqPools);
    }

    /** The same with VMDq: a receive queue for each pool. */
    public EthConfig withVmdqPools(int pools) {
        return new EthConfig(pools, txQueues, mtu, offloads, rss, pools);
    }

    /** Whether an offload is asked for. */
    public boolean has(EthOffload offload) {
        return offloads.contains(offload);
    }
}
