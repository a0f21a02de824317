package io.grantwire.tools.demo;

import java.util.Locale;
import java.util.Map;

/** The demo's lines while it runs and its table at the end. */
final class OutcomeTable {
    private OutcomeTable() {}

    /** One second's line. */
    static String live(long second, SwitchView now, long outBefore, double sinceSeconds) {
        long dropped = now.drops().values().stream().mapToLong(Long::longValue).sum();
        return String.format(
                Locale.ROOT,
                "%4d s   in %11d   VM1 %11d   VM2 %11d   out %11d   dropped %7d   %6.3f Mpps",
                second,
                now.fromWire(),
                now.delivered(Stage.VM1),
                now.delivered(Stage.VM2),
                now.toWire(),
                dropped,
                (now.toWire() - outBefore) / sinceSeconds / 1e6);
    }

    /** The table at the end. */
    static String table(Outcome o) {
        StringBuilder text = new StringBuilder();
        row(text, "Frames in from the wire", o.framesIn());
        row(text, "  delivered to VM1", o.vm1());
        row(text, "  forwarded to VM2", o.vm2());
        row(text, "Frames out to the wire", o.out());
        long dropped = o.dropped().values().stream().mapToLong(Long::longValue).sum();
        row(text, "Dropped", dropped);
        for (Map.Entry<String, Long> drop : o.dropped().entrySet()) {
            row(text, "  " + drop.getKey(), drop.getValue());
        }
        if (o.skipped() > 0) {
            row(text, "Skipped in the capture", o.skipped());
            o.notes().forEach(note -> text.append("  ").append(note).append('\n'));
        }
        text.append(
                String.format(
                        Locale.ROOT,
                        "%-26s %16.3f   in %.3f s%n",
                        "Mpps, all the way",
                        o.mpps(),
                        o.seconds()));
        if (!o.latencyNanos().isEmpty()) {
            text.append(String.format(Locale.ROOT, "%-26s", "Latency, microseconds"));
            o.latencyNanos().keySet().forEach(name -> text.append(heading(name)));
            text.append(String.format(Locale.ROOT, "%n%-26s", "  wire to wire"));
            for (long nanos : o.latencyNanos().values()) {
                text.append(String.format(Locale.ROOT, " %10.1f", nanos / 1e3));
            }
            text.append(System.lineSeparator());
        }
        return text.toString();
    }

    private static String heading(String name) {
        return String.format(Locale.ROOT, " %10s", name.equals("max") ? name : name + " %");
    }

    private static void row(StringBuilder text, String label, long value) {
        text.append(String.format(Locale.ROOT, "%-26s %16d%n", label, value));
    }
}
