package io.grantwire.tools.nicbind;

import io.grantwire.vfio.PciFunction;
import io.grantwire.vfio.bind.DeviceCategory;
import io.grantwire.vfio.bind.DeviceStatus;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;

/** The status as a report: one entry per device, with the categories it is of. */
final class StatusReport {
    private StatusReport() {}

    static List<Map<String, Object>> of(
            List<DeviceCategory> categories, List<DeviceStatus> devices) {
        List<Map<String, Object>> report = new ArrayList<>();
        for (DeviceStatus device : devices) {
            List<String> kinds =
                    categories.stream()
                            .filter(device.categories()::contains)
                            .map(category -> category.name().toLowerCase(Locale.ROOT))
                            .toList();
            if (!kinds.isEmpty()) {
                report.add(entry(device, kinds));
            }
        }
        return report;
    }

    private static Map<String, Object> entry(DeviceStatus d, List<String> kinds) {
        PciFunction f = d.function();
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("address", f.address().toString());
        entry.put("categories", kinds);
        entry.put("name", d.name());
        entry.put("vendor", "%04x".formatted(f.vendor()));
        entry.put("device", "%04x".formatted(f.device()));
        entry.put("class", "%06x".formatted(f.classCode()));
        entry.put("driver", f.driver().orElse(null));
        entry.put("unused", d.unused());
        entry.put("interfaces", f.interfaces());
        entry.put("active", d.active());
        entry.put("activeBecause", d.route().orElse(null));
        entry.put("numaNode", boxed(f.numaNode()));
        entry.put("iommuGroup", boxed(f.iommuGroup()));
        return entry;
    }

    private static Integer boxed(OptionalInt value) {
        return value.isPresent() ? value.getAsInt() : null;
    }
}
