package io.grantwire.tools.nicbind;

import io.grantwire.vfio.PciFunction;
import io.grantwire.vfio.bind.DeviceCategory;
import io.grantwire.vfio.bind.DeviceStatus;
import java.util.List;

/** The status as dpdk-devbind prints it: a heading per category and group, a line per device. */
final class StatusLayout {
    private StatusLayout() {}

    static String text(List<DeviceCategory> categories, List<DeviceStatus> devices) {
        StringBuilder text = new StringBuilder();
        for (DeviceCategory category : categories) {
            add(
                    text,
                    category,
                    devices.stream().filter(d -> d.categories().contains(category)).toList());
        }
        return text.toString();
    }

    private static void add(
            StringBuilder text, DeviceCategory category, List<DeviceStatus> devices) {
        if (devices.isEmpty()) {
            heading(text, "No '" + category.title() + "' devices detected");
            return;
        }
        // As the original: nodes are shown when every device of the category has one.
        boolean numa = devices.stream().allMatch(d -> d.function().numaNode().isPresent());
        group(
                text,
                category.title() + " devices using DPDK-compatible driver",
                devices.stream().filter(DeviceStatus::inUserSpace).toList(),
                numa,
                false);
        group(
                text,
                category.title() + " devices using kernel driver",
                devices.stream()
                        .filter(d -> d.function().driver().isPresent() && !d.inUserSpace())
                        .toList(),
                numa,
                category == DeviceCategory.NET);
        group(
                text,
                "Other " + category.title() + " devices",
                devices.stream().filter(d -> d.function().driver().isEmpty()).toList(),
                numa,
                false);
    }

    private static void group(
            StringBuilder text,
            String title,
            List<DeviceStatus> devices,
            boolean numa,
            boolean interfaces) {
        if (!devices.isEmpty()) {
            heading(text, title);
            devices.stream()
                    .map(device -> line(device, numa, interfaces))
                    .sorted()
                    .forEach(line -> text.append(line).append('\n'));
        }
    }

    private static void heading(StringBuilder text, String title) {
        text.append('\n')
                .append(title)
                .append('\n')
                .append("=".repeat(title.length()))
                .append('\n');
    }

    private static String line(DeviceStatus d, boolean numa, boolean interfaces) {
        PciFunction f = d.function();
        StringBuilder line = new StringBuilder();
        line.append(f.address()).append(" '").append(d.name());
        line.append(" %04x' ".formatted(f.device()));
        if (numa) {
            line.append("numa_node=").append(f.numaNode().orElseThrow()).append(' ');
        }
        if (interfaces) {
            line.append("if=").append(String.join(",", f.interfaces())).append(' ');
        }
        f.driver().ifPresent(driver -> line.append("drv=").append(driver).append(' '));
        line.append("unused=").append(String.join(",", d.unused()));
        if (f.driver().isPresent() && !d.inUserSpace()) {
            // A blank even where nothing follows: scripts compare lines.
            line.append(' ').append(d.active() && interfaces ? "*Active*" : "");
        }
        return line.toString();
    }
}
