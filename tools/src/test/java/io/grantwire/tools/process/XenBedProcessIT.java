package io.grantwire.tools.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The jobs of the Xen test bed: real Xen with a domain 0 and guests, emulated by QEMU. What a job
 * prints, a line for each of its checks, is shown here as well; its logs stay in {@code
 * target/xen-bed}, and the images in the user's cache.
 */
@Tag("machine")
class XenBedProcessIT {
    private static final Duration LOOK = Duration.ofMillis(300);
    private static final int JOB_SECONDS = 1800;

    private static String lack;

    /** Before each, so that each is skipped by its name. */
    @BeforeEach
    void assumeTheBedCanBeHad() {
        Program.assumePackaged();
        if (lack == null) {
            try (Program check = Program.start("testbed", "xen", "check")) {
                lack = check.awaitEnd() == 0 ? "" : check.err().strip();
            }
        }
        assumeTrue(lack.isEmpty(), lack);
    }

    @ParameterizedTest
    @ValueSource(strings = {"e2e", "contract", "lifecycle", "badkeys", "doctor"})
    void everyCheckOfTheJobPasses(String job) throws InterruptedException {
        Path out = Path.of("target", "xen-bed", job).toAbsolutePath();
        try (Program bed =
                Program.start(
                        "testbed", "xen", "run", job, "--out", out, "--timeout", JOB_SECONDS)) {
            AtomicInteger shown = new AtomicInteger();
            // The images may have to be built first; the job has its own limit, the scripts have
            // theirs.
            while (bed.handle().isAlive()) {
                Thread.sleep(LOOK);
                show(bed::out, shown);
            }
            int status = bed.awaitEnd();
            show(bed::out, shown);
            assertEquals(0, status, () -> bed.err().strip() + "; its logs are in " + out);
            assertTrue(bed.out().lines().noneMatch(line -> line.contains("] FAIL ")), bed::out);
            assertTrue(bed.out().lines().anyMatch(line -> line.contains("] PASS ")), bed::out);
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
