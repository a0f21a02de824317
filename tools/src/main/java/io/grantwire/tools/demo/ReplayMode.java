package io.grantwire.tools.demo;

import io.grantwire.pmd.net.MacAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Frames come from a capture, and what goes out is written to another. Over when the capture is
 * used up and every frame that a guest got has been taken from it again.
 */
final class ReplayMode implements Mode {
    private static final long STUCK_NANOS = 20_000_000_000L;

    private final DemoOptions options;
    private long startNanos;
    private long endNanos;
    private List<Long> before = List.of();
    private long movedNanos;
    private boolean stuck;

    ReplayMode(DemoOptions options) {
        this.options = options;
    }

    @Override
    public List<String> switchOptions() {
        List<String> args = new ArrayList<>();
        args.add("--uplink");
        args.add(
                "pcap:in="
                        + absolute(options.pcapIn)
                        + (options.pcapOut == null ? "" : ",out=" + absolute(options.pcapOut)));
        // Nobody is there before the guests are: the capture waits for them.
        args.addAll(List.of("--uplink-after", "2"));
        if (options.retarget) {
            args.add("--retarget");
            args.add(MacAddress.format(Topology.VM1_MAC) + "/" + options.vlan());
        }
        return args;
    }

    private static String absolute(Path path) {
        return path.toAbsolutePath().toString();
    }

    @Override
    public void begin(Stage stage) {
        startNanos = System.nanoTime();
        endNanos = startNanos;
        movedNanos = startNanos;
    }

    @Override
    public boolean finished(SwitchView now) {
        List<Long> counters = counters(now);
        boolean still = counters.equals(before);
        before = counters;
        if (!still) {
            movedNanos = System.nanoTime();
            endNanos = movedNanos;
        }
        // The counters of several threads are no snapshot: believe them when they stand still.
        if (still && now.inputUsedUp() && drained(now)) {
            return true;
        }
        stuck = now.wireFailed() || System.nanoTime() - movedNanos > STUCK_NANOS;
        return stuck;
    }

    private static List<Long> counters(SwitchView now) {
        return List.of(
                now.inputFrames(),
                now.fromWire(),
                now.delivered(Stage.VM1),
                now.taken(Stage.VM1),
                now.delivered(Stage.VM2),
                now.taken(Stage.VM2),
                now.toWire());
    }

    private static boolean drained(SwitchView now) {
        return now.fromWire() == now.inputFrames()
                && now.taken(Stage.VM1) == now.delivered(Stage.VM1)
                && now.taken(Stage.VM2) == now.delivered(Stage.VM2);
    }

    @Override
    public double seconds() {
        return (endNanos - startNanos) / 1e9;
    }

    @Override
    public Map<String, Long> latencyNanos() {
        return Map.of();
    }

    @Override
    public String problem(SwitchView last) {
        if (last.wireFailed()) {
            return "writing to " + options.pcapOut + " failed";
        }
        long lost = last.fromWireDelivered() - last.toWire();
        if (stuck || lost != 0) {
            return lost
                    + " of "
                    + last.fromWireDelivered()
                    + " frames for the guests did not come out"
                    + (last.quarantined() ? "; a guest was quarantined" : "")
                    + "; dropped: "
                    + last.drops();
        }
        return null;
    }
}
