package io.grantwire.vswitch;

import io.grantwire.pmd.ethdev.EthCapabilities;
import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDeviceInfo;
import io.grantwire.pmd.ethdev.EthOffload;
import io.grantwire.vswitch.forward.Uplink;
import java.util.EnumSet;
import java.util.Set;

/**
 * How an uplink's device is used: how many queues, which of its features.
 *
 * @param config what it is configured with
 * @param rxDesc descriptors of a receive queue; 0 for a device that has no such rings
 * @param ownQueues whether each worker has a transmit queue
 */
record UplinkPlan(EthConfig config, int rxDesc, boolean ownQueues) {
    /** Descriptors of a pool's queue: there are many of them, each with its buffers. */
    static final int POOL_DESC = 256;

    /**
     * Most descriptors of a queue that brings frames for everybody. At ten gigabits a second, short
     * frames fill a half of it in 69 microseconds.
     */
    static final int WIRE_DESC = 2048;

    private static final Set<EthOffload> WANTED =
            EnumSet.of(EthOffload.RX_SCATTER, EthOffload.TX_VLAN_INSERT, EthOffload.TX_MULTI_SEGS);

    private static final int ETHER_HEADER = 14;

    /** What there is to be had of a device. */
    static UplinkPlan of(EthDevice device, SwitchConfig config) {
        EthDeviceInfo info = device.info();
        EthCapabilities can = device.capabilities();
        int workers = config.lcores().size();
        boolean ownQueues = info.maxTxQueues() >= workers;
        EthConfig plan = new EthConfig(1, ownQueues ? workers : 1);
        int pools = config.vmdq() ? Math.min(can.vmdqPools(), info.maxRxQueues()) : 0;
        if (pools > 1) {
            plan = plan.withVmdqPools(pools);
        }
        Set<EthOffload> offloads = EnumSet.noneOf(EthOffload.class);
        offloads.addAll(WANTED);
        offloads.retainAll(can.offloads());
        plan = plan.withOffloads(offloads);
        if (offloads.contains(EthOffload.RX_SCATTER)) {
            // Guests may have frames that long; those of the usual length cost nothing more.
            plan = plan.withMtu(Math.min(info.maxMtu(), config.maxFrame() - ETHER_HEADER));
        }
        int desc = Math.min(pools > 1 ? POOL_DESC : WIRE_DESC, info.maxRxDesc());
        return new UplinkPlan(plan, desc, ownQueues);
    }

    /** What the switch may count on. */
    Uplink.Features features() {
        return new Uplink.Features(config.vmdqPools(), config.has(EthOffload.TX_VLAN_INSERT));
    }

    /** Buffers that its receive queues hold. */
    int buffers() {
        return config.rxQueues() * rxDesc;
    }
}
