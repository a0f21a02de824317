package io.grantwire.tools.nicbind;

import io.grantwire.tools.cli.CommandFailure;
import io.grantwire.tools.cli.UsageException;
import io.grantwire.vfio.Iommu;
import io.grantwire.vfio.PciAddress;
import io.grantwire.vfio.PciFunction;
import io.grantwire.vfio.bind.AttributeWriter;
import io.grantwire.vfio.bind.BindException;
import io.grantwire.vfio.bind.BindStep;
import io.grantwire.vfio.bind.DeviceStatus;
import io.grantwire.vfio.bind.DeviceSurvey;
import io.grantwire.vfio.bind.DriverBinder;
import io.grantwire.vfio.bind.HostTree;
import io.grantwire.vfio.bind.KernelModules;
import io.grantwire.vfio.bind.PciDrivers;
import io.grantwire.vfio.bind.PciSelector;
import io.grantwire.vfio.bind.VfioAccess;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Moves the devices that were named, one after the other, and says what became of each. */
final class Mover {
    /** sysfs shows the effect of a request when it returns; only a made-up kernel is later. */
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    /** Drivers that VFIO tolerates beside itself in a group: they do no DMA. */
    private static final Set<String> HARMLESS_IN_GROUP =
            Set.of(PciDrivers.VFIO_PCI, "pci-stub", "pcieport");

    private final NicBindOptions options;
    private final HostTree tree;
    private final PrintStream err;
    private final DriverBinder binder;
    private final VfioAccess vfio;
    private final List<BindStep> preparation = new ArrayList<>();

    Mover(NicBindOptions options, HostTree tree, PrintStream err) {
        this.options = options;
        this.tree = tree;
        this.err = err;
        this.binder = new DriverBinder(tree, AttributeWriter.kernel(), PATIENCE);
        this.vfio = new VfioAccess(tree, AttributeWriter.kernel());
    }

    /** What had to be, or would have to be, asked of the kernel before any device. */
    List<BindStep> preparation() {
        return preparation;
    }

    /**
     * Moves all devices that the options name.
     *
     * @throws UsageException if the driver is none
     * @throws CommandFailure if a device is unknown or the driver is not there; nothing was changed
     */
    List<Outcome> move() {
        List<DeviceStatus> all = DeviceSurvey.of(tree);
        Optional<String> driver = Optional.empty();
        if (options.driver() != null) {
            driver = Optional.of(findDriver(options.driver(), all));
        }
        List<DeviceStatus> chosen = choose(all);
        if (driver.isPresent()) {
            prepare(driver.get());
        } else if (options.user != null || options.group != null) {
            throw new UsageException("-U and -G go with -b vfio-pci");
        }
        List<Outcome> outcomes = new ArrayList<>();
        for (DeviceStatus device : chosen) {
            outcomes.add(move(device, driver));
        }
        if (driver.isPresent() && driver.get().equals(PciDrivers.VFIO_PCI)) {
            warnOfGroups(outcomes);
        }
        return outcomes;
    }

    private String findDriver(String name, List<DeviceStatus> all) {
        PciSelector devices = new PciSelector(functions(all));
        if (!devices.find(name).isEmpty()) {
            throw new UsageException(
                    "'"
                            + name
                            + "' is a device, not a driver; write the driver first: nic-bind -b"
                            + " vfio-pci "
                            + name);
        }
        Optional<String> driver = new PciDrivers(tree).find(name);
        if (driver.isEmpty()) {
            throw new CommandFailure(
                    new KernelModules(tree).isLoaded(name)
                            ? "module " + name + " is loaded, but drives no PCI devices"
                            : "driver '" + name + "' is not loaded; type: sudo modprobe " + name);
        }
        return driver.get();
    }

    /** All or nothing: an unknown device ends the run before anything is changed. */
    private List<DeviceStatus> choose(List<DeviceStatus> all) {
        if (options.driver() == null && options.devices.equals(List.of("dpdk"))) {
            return all.stream().filter(DeviceStatus::inUserSpace).toList();
        }
        PciSelector selector = new PciSelector(functions(all));
        Map<PciAddress, DeviceStatus> byAddress = new LinkedHashMap<>();
        all.forEach(device -> byAddress.put(device.function().address(), device));
        Map<PciAddress, DeviceStatus> chosen = new LinkedHashMap<>();
        for (String word : options.devices) {
            List<PciFunction> found = selector.find(word);
            if (found.isEmpty()) {
                throw new CommandFailure(
                        "Unknown device: "
                                + word
                                + "; name it by PCI address or interface, as nic-bind --status shows"
                                + " them");
            }
            found.forEach(f -> chosen.put(f.address(), byAddress.get(f.address())));
        }
        return List.copyOf(chosen.values());
    }

    private static List<PciFunction> functions(List<DeviceStatus> devices) {
        return devices.stream().map(DeviceStatus::function).toList();
    }

    /** Sees to what the driver needs before it can take any device. */
    private void prepare(String driver) {
        boolean isVfio = driver.equals(PciDrivers.VFIO_PCI);
        if ((options.user != null || options.group != null) && !isVfio) {
            throw new UsageException("-U and -G go with -b vfio-pci");
        }
        vfio.checkOwner(options.user, options.group);
        if (!isVfio || vfio.isReady()) {
            return;
        }
        if (!options.noIommuMode) {
            throw new CommandFailure(
                    "vfio-pci needs an IOMMU: "
                            + new Iommu(tree.sysfs()).unavailable().orElse("there is none")
                            + "; or use --noiommu-mode");
        }
        preparation.add(new BindStep(vfio.unsafeModeParameter(), "1"));
        if (!options.dryRun) {
            err.println(
                    "Warning: enabling unsafe no-IOMMU mode: a device on vfio-pci can write to all"
                            + " memory");
            vfio.enableUnsafeMode();
        }
    }

    private Outcome move(DeviceStatus device, Optional<String> driver) {
        PciFunction f = device.function();
        PciAddress address = f.address();
        if (f.driver().equals(driver)) {
            String notice =
                    driver.map(name -> "already bound to driver " + name)
                            .orElse("not currently managed by any driver");
            err.println(
                    driver.isPresent()
                            ? "Notice: " + address + " " + notice + ", skipping"
                            : "Notice: " + address + " " + device.name() + " is " + notice);
            return own(
                    new Outcome(
                            address,
                            f.driver(),
                            driver,
                            Outcome.Result.UNCHANGED,
                            notice,
                            List.of()));
        }
        if (device.active() && !options.force) {
            err.printf(
                    "Warning: routing table indicates that interface %s is active. %s"
                            + " (%s; --force does it all the same)%n",
                    address,
                    driver.isPresent() ? "Not modifying" : "Skipping unbind",
                    device.route().orElseThrow());
            return new Outcome(
                    address,
                    f.driver(),
                    driver,
                    Outcome.Result.REFUSED,
                    device.route().orElseThrow(),
                    List.of());
        }
        for (String membership : device.memberships()) {
            err.println("Warning: " + address + ": " + membership + ", which loses it");
        }
        List<BindStep> steps =
                driver.isPresent()
                        ? binder.bindPlan(address, driver.get())
                        : binder.unbindPlan(address);
        if (options.dryRun) {
            return new Outcome(address, f.driver(), driver, Outcome.Result.PLANNED, "", steps);
        }
        try {
            if (driver.isPresent()) {
                binder.bind(address, driver.get());
            } else {
                binder.unbind(address);
            }
        } catch (BindException e) {
            err.println("Error: " + e.getMessage());
            return new Outcome(
                    address, f.driver(), driver, Outcome.Result.FAILED, e.getMessage(), steps);
        }
        return own(new Outcome(address, f.driver(), driver, Outcome.Result.DONE, "", steps));
    }

    /** Gives the nodes of a device that vfio-pci has to whom the options name. */
    private Outcome own(Outcome outcome) {
        if (options.dryRun || (options.user == null && options.group == null)) {
            return outcome;
        }
        try {
            vfio.giveTo(outcome.address(), options.user, options.group);
            return outcome;
        } catch (BindException e) {
            err.println("Error: " + e.getMessage());
            return new Outcome(
                    outcome.address(),
                    outcome.from(),
                    outcome.to(),
                    Outcome.Result.FAILED,
                    e.getMessage(),
                    outcome.steps());
        }
    }

    /** VFIO hands out a group only as a whole: says what else has to leave its driver. */
    private void warnOfGroups(List<Outcome> outcomes) {
        List<DeviceStatus> now = DeviceSurvey.of(tree);
        for (Outcome outcome : outcomes) {
            if (outcome.bad()) {
                continue;
            }
            now.stream()
                    .map(DeviceStatus::function)
                    .filter(f -> f.address().equals(outcome.address()))
                    .findFirst()
                    .ifPresent(f -> warnOfGroup(f, outcomes, now));
        }
    }

    private void warnOfGroup(PciFunction bound, List<Outcome> outcomes, List<DeviceStatus> now) {
        if (bound.iommuGroup().isEmpty()) {
            return;
        }
        for (DeviceStatus device : now) {
            PciFunction other = device.function();
            boolean moved =
                    outcomes.stream()
                            .anyMatch(o -> o.address().equals(other.address()) && !o.bad());
            if (!moved
                    && other.iommuGroup().equals(bound.iommuGroup())
                    && other.driver().isPresent()
                    && !HARMLESS_IN_GROUP.contains(other.driver().get())) {
                err.printf(
                        "Warning: %s shares IOMMU group %d with %s, which %s has: VFIO opens neither"
                                + " until that is bound to vfio-pci too%n",
                        bound.address(),
                        bound.iommuGroup().getAsInt(),
                        other.address(),
                        other.driver().get());
            }
        }
    }
}
