package io.grantwire.tools.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.grantwire.tools.bench.peer.Sample;
import io.grantwire.tools.cli.CommandFailure;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class StartupActionTest {
    private static final long STARTED = 5_000_000_000L;
    private static final long TENTH = 100_000_000L;

    /** Samples every 100 ms from one second on; the rate doubles up to 16 Mpps. */
    private static List<Sample> samples(int count) {
        List<Sample> samples = new ArrayList<>();
        long frames = 0;
        for (int i = 0; i < count; i++) {
            long nanos = STARTED + 1_000_000_000L + i * TENTH;
            samples.add(new Sample(nanos, frames, 0, 0, STARTED + 700_000_000L, 0, 0));
            frames += 100_000L << Math.min(i / 5, 4);
        }
        return samples;
    }

    @Test
    void findsTheFirstFrameAndWhenThePeakIsNear() {
        Map<String, Object> row = StartupAction.evaluate(samples(60), STARTED);
        assertEquals(700L, row.get("first_frame_ms"));
        assertEquals(16.0, row.get("mpps"));
        // From sample 20 on everything runs at the peak; from 19 on, 90 % of it.
        assertEquals(2900L, row.get("peak_90_ms"));
    }

    @Test
    void aRunWithoutFramesIsAFailure() {
        assertThrows(CommandFailure.class, () -> StartupAction.evaluate(samples(10), STARTED));
        List<Sample> nothing =
                samples(60).stream().map(s -> new Sample(s.nanos(), 0, 0, 0, 0, 0, 0)).toList();
        assertThrows(CommandFailure.class, () -> StartupAction.evaluate(nothing, STARTED));
    }

    @Test
    void aSampleIsReadAsItWasWritten() {
        Sample sample = new Sample(1L << 60, 2, 3, 4, 5, 6, 7);
        assertEquals(sample, Sample.parse(sample.line()));
        assertEquals(null, Sample.parse("{\"event\":\"connected\"}"));
        assertEquals(null, Sample.parse("Picked up JDK_JAVA_OPTIONS: "));
    }
}
