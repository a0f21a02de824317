package io.grantwire.tools.demo;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How a demo went.
 *
 * @param framesIn frames from the wire
 * @param vm1 frames delivered to VM1
 * @param vm2 frames that VM1 forwarded and VM2 got
 * @param out frames the wire took
 * @param dropped frames lost or meant for nobody, by reason
 * @param skipped packets of the capture that are no whole Ethernet frames
 * @param notes what is odd about the capture, one line each
 * @param seconds how long traffic flowed
 * @param latencyNanos latency by percentile, {@code max} last; empty when it was not measured
 * @param problem what went wrong, in one line, or null
 * @param interrupted whether a person cut it short
 */
record Outcome(
        long framesIn,
        long vm1,
        long vm2,
        long out,
        Map<String, Long> dropped,
        long skipped,
        List<String> notes,
        double seconds,
        Map<String, Long> latencyNanos,
        String problem,
        boolean interrupted) {

    /** Million frames per second all the way through. */
    double mpps() {
        return seconds > 0 ? out / seconds / 1e6 : 0;
    }

    Map<String, Object> toMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("framesIn", framesIn);
        map.put("deliveredToVm1", vm1);
        map.put("forwardedToVm2", vm2);
        map.put("out", out);
        map.put("dropped", dropped);
        map.put("skipped", skipped);
        map.put("notes", notes);
        map.put("seconds", Math.round(seconds * 1000) / 1000.0);
        map.put("mpps", Math.round(mpps() * 1e6) / 1e6);
        map.put("latencyNanos", latencyNanos.isEmpty() ? null : latencyNanos);
        map.put("complete", problem == null && !interrupted);
        map.put("problem", problem);
        map.put("interrupted", interrupted);
        return map;
    }
}
