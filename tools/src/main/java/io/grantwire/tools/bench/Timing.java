package io.grantwire.tools.bench;

import io.grantwire.tools.cli.UsageException;
import java.time.Duration;
import picocli.CommandLine.Option;

/** How long to measure. */
public final class Timing {
    @Option(
            names = "--duration",
            paramLabel = "S",
            description = "Seconds that count (default: ${DEFAULT-VALUE}).",
            defaultValue = "5")
    int seconds = 5;

    @Option(
            names = "--warmup",
            paramLabel = "S",
            description = "Seconds before those (default: ${DEFAULT-VALUE}).",
            defaultValue = "4")
    int warmupSeconds = 4;

    /**
     * @throws UsageException when a time is out of its range
     */
    public void check() {
        if (seconds < 1 || seconds > 86_400) {
            throw new UsageException("--duration " + seconds + ": 1 to 86400 seconds");
        }
        if (warmupSeconds < 1 || warmupSeconds > 600) {
            throw new UsageException("--warmup " + warmupSeconds + ": 1 to 600 seconds");
        }
    }

    /** The time that counts. */
    public Duration duration() {
        return Duration.ofSeconds(seconds);
    }

    /** The time before it. */
    public Duration warmup() {
        return Duration.ofSeconds(warmupSeconds);
    }
}
