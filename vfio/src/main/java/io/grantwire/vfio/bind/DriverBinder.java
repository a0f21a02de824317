package io.grantwire.vfio.bind;

import io.grantwire.bindings.NativeException;
import io.grantwire.vfio.PciAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/**
 * Moves PCI devices from one kernel driver to another through sysfs (Linux:
 * Documentation/ABI/testing/sysfs-bus-pci).
 *
 * <p>A driver for user space takes any device, so {@code driver_override} names it for this one
 * device and is cleared afterwards; {@code new_id} is not used, because it grabs every device of
 * the model. When a device cannot be bound, the driver and the override that it had are put back.
 *
 * <p>One thread at a time. The calls wait for the kernel: a driver whose device a program still
 * uses (vfio-pci) lets go when that program ends.
 */
public final class DriverBinder {
    private static final long LOOK_NANOS = 2_000_000;

    private final HostTree tree;
    private final AttributeWriter writer;
    private final Duration patience;

    /**
     * @param tree whose devices
     * @param writer what carries the requests to the kernel
     * @param patience how long after an accepted request its effect may take to show in sysfs
     */
    public DriverBinder(HostTree tree, AttributeWriter writer, Duration patience) {
        this.tree = tree;
        this.writer = writer;
        this.patience = patience;
    }

    /** The driver that has a device now. */
    public Optional<String> driverOf(PciAddress address) {
        Path link = tree.device(address).resolve("driver");
        try {
            return Files.isSymbolicLink(link)
                    ? Optional.of(Files.readSymbolicLink(link).getFileName().toString())
                    : Optional.empty();
        } catch (IOException gone) {
            return Optional.empty();
        }
    }

    /** What {@link #bind} would ask the kernel, in order. */
    public List<BindStep> bindPlan(PciAddress address, String driver) {
        List<BindStep> plan = new ArrayList<>(unbindPlan(address));
        plan.addAll(attachPlan(address, driver, override(address)));
        if (overrides(driver)) {
            plan.add(new BindStep(overrideFile(address), BindStep.CLEAR));
        }
        return plan;
    }

    /** What {@link #unbind} would ask the kernel, in order; nothing for a device without driver. */
    public List<BindStep> unbindPlan(PciAddress address) {
        List<BindStep> plan = new ArrayList<>();
        driverOf(address)
                .ifPresent(driver -> {
                    plan.add(step(address, driver, "unbind"));
                    if (driver.equals(PciDrivers.PCIBACK)) {
                        plan.add(step(address, driver, "remove_slot"));
                    }
                });
        return plan;
    }

    /**
     * Takes a device from its driver; does nothing when it has none.
     *
     * @throws BindException if the kernel refuses
     */
    public void unbind(PciAddress address) {
        Optional<String> old = driverOf(address);
        for (BindStep step : unbindPlan(address)) {
            try {
                writer.write(step.file(), step.value());
            } catch (NativeException e) {
                throw new BindException(
                        "unbind failed for %s - %s%s%s"
                                .formatted(
                                        address,
                                        e.getMessage(),
                                        stateAfterFailure(address),
                                        BindHints.forUnbind(e)),
                        e);
            }
        }
        if (old.isPresent() && !comesTo(address, Optional.empty())) {
            throw new BindException(
                    "unbind failed for %s - driver %s took the request but still has the device"
                            .formatted(address, old.get()),
                    null);
        }
    }

    /**
     * Gives a device to a driver, taking it from the one that has it; does nothing when that is the
     * one.
     *
     * @param driver a name that {@link PciDrivers#find} returned
     * @throws BindException if the kernel refuses; the old driver has the device again, or the
     *     message says why not
     */
    public void bind(PciAddress address, String driver) {
        Optional<String> old = driverOf(address);
        if (old.equals(Optional.of(driver))) {
            return;
        }
        if (overrides(driver) && !Files.exists(overrideFile(address))) {
            throw new BindException(
                    ("bind failed for %s - %s is missing: the device is gone, or the kernel is older"
                                    + " than 3.16")
                            .formatted(address, overrideFile(address)),
                    null);
        }
        String savedOverride = override(address);
        unbind(address);
        try {
            for (BindStep step : attachPlan(address, driver, savedOverride)) {
                writer.write(step.file(), step.value());
            }
        } catch (NativeException e) {
            // A refusal does not matter when the driver has the device all the same.
            if (!driverOf(address).equals(Optional.of(driver))) {
                String state = putBack(address, driver, old, savedOverride);
                throw new BindException(
                        "bind failed for %s - %s%s%s"
                                .formatted(
                                        address,
                                        e.getMessage(),
                                        state,
                                        BindHints.forBind(driver, e)),
                        e);
            }
        }
        if (!comesTo(address, Optional.of(driver))) {
            String state = putBack(address, driver, old, savedOverride);
            throw new BindException(
                    "bind failed for %s - %s took the request but not the device%s; dmesg says more"
                            .formatted(address, driver, state),
                    null);
        }
        if (overrides(driver)) {
            clearOverride(address, driver);
        }
    }

    /** So that another driver can bind later: an override left behind would keep it away. */
    private void clearOverride(PciAddress address, String driver) {
        try {
            writer.write(overrideFile(address), BindStep.CLEAR);
        } catch (NativeException e) {
            throw new BindException(
                    "%s is bound to %s, but its driver_override stays set - %s; type: echo | sudo tee %s"
                            .formatted(address, driver, e.getMessage(), overrideFile(address)),
                    e);
        }
    }

    private List<BindStep> attachPlan(PciAddress address, String driver, String override) {
        List<BindStep> plan = new ArrayList<>();
        if (overrides(driver)) {
            plan.add(new BindStep(overrideFile(address), driver));
        } else if (!override.isEmpty() && !override.equals(driver)) {
            plan.add(new BindStep(overrideFile(address), BindStep.CLEAR));
        }
        if (driver.equals(PciDrivers.PCIBACK)) {
            plan.add(step(address, driver, "new_slot"));
        }
        plan.add(step(address, driver, "bind"));
        return plan;
    }

    /**
     * Undoes half a bind.
     *
     * @return who has the device now, as the rest of a sentence
     */
    private String putBack(
            PciAddress address, String refused, Optional<String> old, String savedOverride) {
        try {
            if (refused.equals(PciDrivers.PCIBACK)) {
                forgetSlot(address);
            }
            if (old.isPresent() && driverOf(address).isEmpty()) {
                for (BindStep step : attachPlan(address, old.get(), override(address))) {
                    writer.write(step.file(), step.value());
                }
            }
            if (Files.exists(overrideFile(address)) && !override(address).equals(savedOverride)) {
                writer.write(
                        overrideFile(address),
                        savedOverride.isEmpty() ? BindStep.CLEAR : savedOverride);
            }
        } catch (NativeException e) {
            return (Files.exists(tree.device(address)) && old.isPresent()
                            ? "; it could not be given back to "
                                    + old.get()
                                    + " - "
                                    + e.getMessage()
                            : "")
                    + stateAfterFailure(address);
        }
        if (old.isPresent() && !comesTo(address, old)) {
            return "; it could not be given back to " + old.get() + stateAfterFailure(address);
        }
        return old.map(driver -> "; given back to " + driver)
                .orElse("; it has no driver, as before");
    }

    private void forgetSlot(PciAddress address) {
        try {
            BindStep step = step(address, PciDrivers.PCIBACK, "remove_slot");
            writer.write(step.file(), step.value());
        } catch (NativeException e) {
            // It was new_slot that failed, so that there is none to forget.
        }
    }

    private String stateAfterFailure(PciAddress address) {
        if (!Files.exists(tree.device(address))) {
            return "; the device is gone";
        }
        return driverOf(address)
                .map(driver -> "; " + driver + " has the device")
                .orElse("; the device has no driver now");
    }

    /** Waits until a device has the driver it should have. */
    private boolean comesTo(PciAddress address, Optional<String> driver) {
        long end = System.nanoTime() + patience.toNanos();
        while (!driverOf(address).equals(driver)) {
            if (System.nanoTime() - end > 0 || !Files.exists(tree.device(address))) {
                return false;
            }
            LockSupport.parkNanos(LOOK_NANOS);
        }
        return Files.exists(tree.device(address));
    }

    private static boolean overrides(String driver) {
        return PciDrivers.isUserSpace(driver);
    }

    private Path overrideFile(PciAddress address) {
        return tree.device(address).resolve("driver_override");
    }

    /** The override in force, empty for none, which the kernel writes as {@code (null)}. */
    private String override(PciAddress address) {
        List<String> lines = HostTree.lines(overrideFile(address));
        String value = lines.isEmpty() ? "" : lines.getFirst().strip();
        return value.equals("(null)") ? "" : value;
    }

    private BindStep step(PciAddress address, String driver, String attribute) {
        return new BindStep(tree.driver(driver).resolve(attribute), address.toString());
    }
}
