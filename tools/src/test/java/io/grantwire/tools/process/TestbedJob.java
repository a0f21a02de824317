package io.grantwire.tools.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * A job of a test bed as a test: what it prints, a line for each of its checks, is shown here as
 * well; its logs stay below {@code target}, and the images in the user's cache.
 */
final class TestbedJob {
    private static final Duration LOOK = Duration.ofMillis(300);
    private static final int JOB_SECONDS = 1800;

    /** What this machine lacks for a bed, empty for nothing; found out once. */
    private static final Map<String, String> LACKS = new ConcurrentHashMap<>();

    private TestbedJob() {}

    /** Skips a test, with the reason, on a machine that has not what a bed takes. */
    static void assumeTheBedCanBeHad(String bed) {
        Program.assumePackaged();
        String lack = LACKS.computeIfAbsent(bed, TestbedJob::lackOf);
        assumeTrue(lack.isEmpty(), lack);
    }

    private static String lackOf(String bed) {
        try (Program check = Program.start("testbed", bed, "check")) {
            return check.awaitEnd() == 0 ? "" : check.err().strip();
        }
    }

    /** Runs a job; every check of it has to pass. */
    static void run(String bed, String job) throws InterruptedException {
        Path out = Path.of("target", bed + "-bed", job).toAbsolutePath();
        try (Program program =
                Program.start("testbed", bed, "run", job, "--out", out, "--timeout", JOB_SECONDS)) {
            AtomicInteger shown = new AtomicInteger();
            // The images may have to be built first; the job has its own limit, the scripts have
            // theirs.
            while (program.handle().isAlive()) {
                Thread.sleep(LOOK);
                show(program::out, shown);
            }
            int status = program.awaitEnd();
            show(program::out, shown);
            String failed =
                    program.out()
                            .lines()
                            .map(String::strip)
                            .filter(line -> line.contains("] FAIL ") || line.startsWith("FAIL "))
                            .collect(Collectors.joining("; "));
            assertEquals("", failed, () -> program.err().strip() + "; its logs are in " + out);
            assertEquals(0, status, () -> program.err().strip() + "; its logs are in " + out);
            assertTrue(
                    program.out().lines().anyMatch(line -> line.contains("] PASS ")), program::out);
        }
    }

    /** Prints the whole lines that came since the last time. */
    private static void show(Supplier<String> text, AtomicInteger shown) {
        String all = text.get();
        int end = all.lastIndexOf('\n') + 1;
        if (end > shown.get()) {
            System.out.print(all.substring(shown.get(), end));
            shown.set(end);
        }
    }
}
