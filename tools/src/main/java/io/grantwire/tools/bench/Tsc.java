package io.grantwire.tools.bench;

import io.grantwire.bindings.TimeStampCounter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * How cycles are told from nanoseconds: time × rate of the time-stamp counter, which is what DPDK's
 * tests count. The rate is measured against the system's clock; where there is no such counter it
 * is what {@code /proc/cpuinfo} says.
 *
 * @param megahertz the rate
 * @param source how it was found
 */
public record Tsc(double megahertz, String source) {
    private static final long CALIBRATION_MILLIS = 50;
    private static final int ROUNDS = 3;

    /** This machine's. */
    public static Tsc here() throws InterruptedException {
        Optional<TimeStampCounter> counter = TimeStampCounter.open();
        return counter.isPresent()
                ? new Tsc(calibrate(counter.get()), "time-stamp counter, calibrated")
                : ofCpuInfo(Path.of("/proc/cpuinfo"));
    }

    private static double calibrate(TimeStampCounter counter) throws InterruptedException {
        double[] rates = new double[ROUNDS];
        for (int i = 0; i < ROUNDS; i++) {
            long nanos = System.nanoTime();
            long ticks = counter.read();
            Thread.sleep(CALIBRATION_MILLIS);
            long nanosEnd = System.nanoTime();
            rates[i] = 1e3 * (counter.read() - ticks) / (nanosEnd - nanos);
        }
        return Spread.of(rates).median();
    }

    static Tsc ofCpuInfo(Path file) {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.filter(line -> line.toLowerCase(Locale.ROOT).startsWith("cpu mhz"))
                    .map(line -> Double.parseDouble(line.substring(line.indexOf(':') + 1).strip()))
                    .findFirst()
                    .map(rate -> new Tsc(rate, file.toString()))
                    .orElse(new Tsc(1000, "unknown; a cycle is a nanosecond here"));
        } catch (IOException | NumberFormatException e) {
            return new Tsc(1000, "unknown; a cycle is a nanosecond here");
        }
    }

    /** Cycles in a time. */
    public double cycles(double nanos) {
        return nanos * megahertz / 1e3;
    }
}
