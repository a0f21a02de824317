package io.grantwire.vfio.bind;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.vfio.PciAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VfioAccessTest {
    private static final String NIC = "0000:09:00.0";
    private static final PciAddress ADDRESS = PciAddress.parse(NIC);

    @TempDir Path dir;

    private SimulatedKernel machine() {
        return new SimulatedKernel(dir).driver("vfio-pci");
    }

    private void bind(SimulatedKernel kernel) {
        kernel.device(NIC, 0x020000, "8086:10d3");
        new DriverBinder(kernel.tree(), kernel, Duration.ofMillis(50)).bind(ADDRESS, "vfio-pci");
    }

    @Test
    void withoutAnIommuVfioIsReadyOnlyInUnsafeMode() {
        SimulatedKernel kernel = machine();
        VfioAccess vfio = new VfioAccess(kernel.tree(), kernel);
        assertFalse(vfio.isReady());
        vfio.enableUnsafeMode();
        assertTrue(vfio.isReady());
    }

    @Test
    void withAnIommuItIsReady() {
        SimulatedKernel kernel = machine().withIommu();
        assertTrue(new VfioAccess(kernel.tree(), kernel).isReady());
    }

    @Test
    void aKernelWithoutUnsafeModeIsNamed() {
        SimulatedKernel kernel = new SimulatedKernel(dir);
        String message =
                assertThrows(
                                BindException.class,
                                () -> new VfioAccess(kernel.tree(), kernel).enableUnsafeMode())
                        .getMessage();
        assertTrue(message.contains("ENOENT"), message);
        assertTrue(message.contains("modprobe vfio"), message);
    }

    @Test
    void theNodeOfTheGroupIsFoundWithAndWithoutIommu() {
        SimulatedKernel kernel = machine().withIommu();
        bind(kernel);
        assertEquals(
                List.of(dir.resolve("dev/vfio/10")),
                new VfioAccess(kernel.tree(), kernel).nodes(ADDRESS));
    }

    @Test
    void inNoIommuModeTheNodeHasItsOwnName() {
        SimulatedKernel kernel = machine();
        VfioAccess vfio = new VfioAccess(kernel.tree(), kernel);
        vfio.enableUnsafeMode();
        bind(kernel);
        assertEquals(List.of(dir.resolve("dev/vfio/noiommu-0")), vfio.nodes(ADDRESS));
    }

    @Test
    void theDevicesOwnNodeGoesAlongWhereTheKernelHasIt() throws IOException {
        SimulatedKernel kernel = machine().withIommu();
        bind(kernel);
        Files.createDirectories(kernel.tree().device(NIC).resolve("vfio-dev/vfio3"));
        kernel.file("dev/vfio/devices/vfio3", "");
        String me = Files.getOwner(dir).getName();
        assertEquals(
                List.of(dir.resolve("dev/vfio/10"), dir.resolve("dev/vfio/devices/vfio3")),
                new VfioAccess(kernel.tree(), kernel).giveTo(ADDRESS, me, null));
    }

    @Test
    void theOwnerIsReallyChangedWhenThatIsAllowed() throws IOException {
        org.junit.jupiter.api.Assumptions.assumeTrue(
                "root".equals(System.getProperty("user.name")), "changing owners needs root");
        SimulatedKernel kernel = machine().withIommu();
        bind(kernel);
        Path node = dir.resolve("dev/vfio/10");
        new VfioAccess(kernel.tree(), kernel).giveTo(ADDRESS, "1234", "4321");
        assertEquals(1234, Files.getAttribute(node, "unix:uid"));
        assertEquals(4321, Files.getAttribute(node, "unix:gid"));
    }

    @Test
    void unknownUsersAndMissingNodesAreNamed() {
        SimulatedKernel kernel = machine().withIommu();
        VfioAccess vfio = new VfioAccess(kernel.tree(), kernel);
        assertTrue(
                assertThrows(BindException.class, () -> vfio.checkOwner("no-such-user", null))
                        .getMessage()
                        .contains("no-such-user"));
        assertTrue(
                assertThrows(BindException.class, () -> vfio.giveTo(ADDRESS, "root", null))
                        .getMessage()
                        .contains("has no node"));
    }
}
