package io.grantwire.tools.nicbind;

import io.grantwire.vfio.PciAddress;
import io.grantwire.vfio.bind.BindStep;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What became of one device.
 *
 * @param address the device
 * @param from the driver it had
 * @param to the driver it was to get; empty for none
 * @param result how it went
 * @param detail why it went so; empty where there is nothing to say
 * @param steps what was, or would be, asked of the kernel
 */
record Outcome(
        PciAddress address,
        Optional<String> from,
        Optional<String> to,
        Result result,
        String detail,
        List<BindStep> steps) {
    /** How it went. */
    enum Result {
        /** The device is where it was to go. */
        DONE,
        /** It was there before. */
        UNCHANGED,
        /** It would be moved, were this no dry run. */
        PLANNED,
        /** It is in use, and force was not asked for. */
        REFUSED,
        /** The kernel said no. */
        FAILED
    }

    /** Whether the run did not do what was asked. */
    boolean bad() {
        return result == Result.REFUSED || result == Result.FAILED;
    }

    Map<String, Object> toMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("address", address.toString());
        map.put("from", from.orElse(null));
        map.put("to", to.orElse(null));
        map.put("result", result.name().toLowerCase(java.util.Locale.ROOT));
        map.put("detail", detail.isEmpty() ? null : detail);
        map.put("steps", steps.stream().map(BindStep::command).toList());
        return map;
    }
}
