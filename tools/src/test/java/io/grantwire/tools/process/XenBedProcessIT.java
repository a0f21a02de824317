package io.grantwire.tools.process;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The jobs of the Xen test bed: real Xen with a domain 0 and guests, emulated by QEMU. */
@Tag("machine")
class XenBedProcessIT {
    private static final String BED = "xen";

    /** Before each, so that each is skipped by its name. */
    @BeforeEach
    void assumeTheBedCanBeHad() {
        TestbedJob.assumeTheBedCanBeHad(BED);
    }

    @ParameterizedTest
    @ValueSource(strings = {"e2e", "contract", "lifecycle", "restart", "badkeys", "doctor", "nic"})
    void everyCheckOfTheJobPasses(String job) throws InterruptedException {
        TestbedJob.run(BED, job);
    }
}
