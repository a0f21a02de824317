package io.grantwire.vfio.bind;

import io.grantwire.vfio.PciFunction;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A device and what stands around it.
 *
 * @param function the device
 * @param name what its model is called; {@code Device} if nobody knows
 * @param categories the kinds it is of; empty for one that no user-space driver is made for
 * @param unused the drivers that could have it as well: modules that name it, then loaded ones that
 *     give any device to user space
 * @param route why the machine would lose connections without it; empty for one that is free
 * @param memberships what its interfaces are part of
 */
public record DeviceStatus(
        PciFunction function,
        String name,
        Set<DeviceCategory> categories,
        List<String> unused,
        Optional<String> route,
        List<String> memberships) {
    /** Copies the collections. */
    public DeviceStatus {
        categories = Set.copyOf(categories);
        unused = List.copyOf(unused);
        memberships = List.copyOf(memberships);
    }

    /** Whether the machine's own connections go through it. */
    public boolean active() {
        return route.isPresent();
    }

    /** Whether a program of this machine can have it as it stands. */
    public boolean inUserSpace() {
        return function.driver().filter(PciDrivers::isUserSpace).isPresent();
    }
}
