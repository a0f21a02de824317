package io.grantwire.vfio.bind;

import io.grantwire.vfio.PciFunction;
import io.grantwire.vfio.SysfsPci;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** One look at all PCI devices of a machine and at what they are used for. */
public final class DeviceSurvey {
    private final PciIds ids;
    private final PciDrivers drivers;
    private final KernelModules modules;
    private final InterfaceUse use;

    private DeviceSurvey(HostTree tree) {
        this.ids = new PciIds(tree);
        this.drivers = new PciDrivers(tree);
        this.modules = new KernelModules(tree);
        this.use = new InterfaceUse(tree, RouteTable.read(tree));
    }

    /** Looks: every device of the machine, in order of address. */
    public static List<DeviceStatus> of(HostTree tree) {
        DeviceSurvey survey = new DeviceSurvey(tree);
        return new SysfsPci(tree.sysfs()).list().stream().map(survey::status).toList();
    }

    /** The drivers for user space that the kernel has, in dpdk-devbind's order. */
    public static List<String> userSpaceDrivers(HostTree tree) {
        KernelModules modules = new KernelModules(tree);
        return PciDrivers.USER_SPACE.stream().filter(modules::isLoaded).toList();
    }

    private DeviceStatus status(PciFunction function) {
        Set<DeviceCategory> categories = EnumSet.noneOf(DeviceCategory.class);
        for (DeviceCategory category : DeviceCategory.values()) {
            if (category.contains(function)) {
                categories.add(category);
            }
        }
        return new DeviceStatus(
                function,
                ids.deviceName(function.vendor(), function.device()),
                categories,
                categories.isEmpty() ? List.of() : unused(function),
                use.route(function),
                use.memberships(function));
    }

    private List<String> unused(PciFunction function) {
        List<String> all = new ArrayList<>(modules.candidates(function.address()));
        for (String driver : PciDrivers.USER_SPACE) {
            boolean listed = all.stream().anyMatch(module -> drivers.same(driver, module));
            if (!listed && modules.isLoaded(driver)) {
                all.add(driver);
            }
        }
        Optional<String> inUse = function.driver();
        all.removeIf(module -> inUse.isPresent() && drivers.same(inUse.get(), module));
        return all;
    }
}
