package io.grantwire.tools.testbed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.tools.InProcess;
import org.junit.jupiter.api.Test;

class TestbedCommandTest {
    private static void refused(String message, String... args) {
        InProcess.Result result = InProcess.run(args);
        assertEquals(2, result.status(), result.err());
        assertEquals("", result.out());
        assertEquals(1, result.err().lines().count(), result.err());
        assertTrue(result.err().contains(message), result.err());
    }

    @Test
    void anUnknownBedOrActionIsWrongUsage() {
        refused("No such test bed: moon", "testbed", "moon", "build");
        refused("Unknown action 'fly'", "testbed", "xen", "fly");
        refused("Unknown action 'fly'", "testbed", "nic", "fly");
    }

    @Test
    void runningTakesAJobAndTheOthersDoNot() {
        refused("Say which job", "testbed", "xen", "run");
        refused("Say which job: grantwire testbed nic run JOB", "testbed", "nic", "run");
        refused("Nothing goes behind build: e2e", "testbed", "xen", "build", "e2e");
    }

    @Test
    void aVersionOfXenIsForItsBed() {
        refused("--xen is for", "testbed", "nic", "run", "hello", "--xen", "4.17");
    }

    @Test
    void aTimeMustBePositive() {
        refused("--timeout", "testbed", "xen", "run", "e2e", "--timeout", "0");
    }
}
