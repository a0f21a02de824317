package io.grantwire.tools.process;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The jobs of the NIC test bed: network cards behind an IOMMU, emulated by QEMU. */
@Tag("machine")
class NicBedProcessIT {
    private static final String BED = "nic";

    /** Before each, so that each is skipped by its name. */
    @BeforeEach
    void assumeTheBedCanBeHad() {
        TestbedJob.assumeTheBedCanBeHad(BED);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "contract-vfio",
                "contract-uio",
                "igb",
                "igb-switch",
                "e1000e",
                "virtio",
                "testpmd"
            })
    void everyCheckOfTheJobPasses(String job) throws InterruptedException {
        TestbedJob.run(BED, job);
    }
}
