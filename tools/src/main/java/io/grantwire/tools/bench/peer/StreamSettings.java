package io.grantwire.tools.bench.peer;

import io.grantwire.tools.testpmd.fwd.Stream;
import java.util.List;

/** A peer's options as the forwarding engines take them. */
final class StreamSettings {
    /** What flowgen leaves out of a frame for the CRC. */
    private static final int CRC = 4;

    private StreamSettings() {}

    static Stream.Settings of(PeerOptions options, String mode) {
        Stream.Settings settings = new Stream.Settings();
        settings.burst = options.burst;
        List<Integer> cycle = options.sizes().cycle();
        int length = cycle.getFirst();
        settings.segmentLengths = new int[] {mode.equals("flowgen") ? length + CRC : length};
        if (cycle.size() > 1) {
            settings.lengthCycle = cycle.stream().mapToInt(Integer::intValue).toArray();
        }
        return settings;
    }
}
