package io.grantwire.tools.demo;

import java.util.List;
import java.util.Map;

/** What the demo does with the stage: where frames come from, when it is over, what is wrong. */
interface Mode {
    /** What the switch is to be told besides the usual. */
    List<String> switchOptions();

    /** Starts the processes it needs besides; the switch is there. */
    default void prepare(Stage stage) {}

    /** Starts the traffic; switch and guests are there. */
    void begin(Stage stage);

    /** Whether all traffic is through. */
    boolean finished(SwitchView now);

    /** How long traffic flowed, in seconds; after it has finished. */
    double seconds();

    /** Latency by percentile in nanoseconds; empty when this mode does not measure it. */
    Map<String, Long> latencyNanos();

    /**
     * What is wrong with the result, in one line, or null.
     *
     * @param last the switch's last statistics
     */
    String problem(SwitchView last);
}
