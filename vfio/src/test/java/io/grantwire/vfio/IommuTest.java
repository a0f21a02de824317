package io.grantwire.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IommuTest {
    @TempDir Path dir;

    private FakeSysfs sysfs;
    private Iommu iommu;

    @BeforeEach
    void makeTree() throws IOException {
        sysfs = new FakeSysfs(dir);
        iommu = new Iommu(dir);
    }

    @Test
    void anIommuWithGroupsIsAvailable() throws IOException {
        Files.createDirectories(dir.resolve("class/iommu/dmar0"));
        Files.createDirectories(dir.resolve("kernel/iommu_groups/0"));
        Files.createDirectories(dir.resolve("kernel/iommu_groups/1"));
        assertTrue(iommu.isPresent());
        assertEquals(2, iommu.groups());
        assertEquals(Optional.empty(), iommu.unavailable());
    }

    @Test
    void withoutOneTheReasonNamesTheBootParameter() {
        assertFalse(iommu.isPresent());
        assertEquals(0, iommu.groups());
        assertTrue(iommu.unavailable().orElseThrow().contains("intel_iommu=on"));
    }

    @Test
    void underXenTheReasonIsXen() throws IOException {
        sysfs.file("hypervisor/type", "xen\n");
        assertTrue(iommu.unavailable().orElseThrow().startsWith("Xen owns the IOMMU"));
    }

    @Test
    void unsafeModeIsReadFromTheModule() throws IOException {
        String parameter = "module/vfio/parameters/enable_unsafe_noiommu_mode";
        assertFalse(iommu.unsafeModeEnabled());
        sysfs.file(parameter, "N\n");
        assertFalse(iommu.unsafeModeEnabled());
        sysfs.file(parameter, "Y\n");
        assertTrue(iommu.unsafeModeEnabled());
    }
}
