package io.grantwire.pmd.driver.igb;

import io.grantwire.vfio.PciFunction;
import java.util.Optional;
import java.util.Set;

/** The cards, and what they differ in. */
enum IgbModel {
    /** 82576, copper. */
    I82576("82576", Set.of(0x10C9, 0x10E8, 0x150A, 0x1526), 16, 24),
    /** I350, copper. */
    I350("I350", Set.of(0x1521), 8, 32);

    private static final int INTEL = 0x8086;

    /** VMDq pools of both. */
    static final int POOLS = 8;

    private final String title;
    private final Set<Integer> deviceIds;
    private final int queues;
    private final int addresses;

    IgbModel(String title, Set<Integer> deviceIds, int queues, int addresses) {
        this.title = title;
        this.deviceIds = deviceIds;
        this.queues = queues;
        this.addresses = addresses;
    }

    static Optional<IgbModel> of(PciFunction function) {
        if (function.vendor() == INTEL) {
            for (IgbModel model : values()) {
                if (model.deviceIds.contains(function.device())) {
                    return Optional.of(model);
                }
            }
        }
        return Optional.empty();
    }

    /** Its name as people know it. */
    String title() {
        return title;
    }

    /** Queues of each direction. */
    int queues() {
        return queues;
    }

    /** Receive address registers. */
    int addresses() {
        return addresses;
    }

    /** Whether VLAN and CRC stripping of a queue are in DVMOLR instead of VMOLR. */
    boolean hasDvmolr() {
        return this == I350;
    }

    /** The IVAR register with a receive queue's vector. */
    int ivar(int rxQueue) {
        return IgbRegisters.nth(IgbRegisters.IVAR, this == I350 ? rxQueue >> 1 : rxQueue & 7);
    }

    /** Where in it. */
    int ivarShift(int rxQueue) {
        return (this == I350 ? rxQueue & 1 : rxQueue >> 3) << 4;
    }
}
