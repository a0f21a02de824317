package io.grantwire.vfio.bind;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.vfio.PciFunction;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DeviceSurveyTest {
    private static final String NIC = "0000:09:00.0";

    @TempDir Path dir;

    private SimulatedKernel kernel;

    @BeforeEach
    void aMachine() {
        kernel =
                new SimulatedKernel(dir)
                        .driver("e1000e", "8086:10d3")
                        .device(NIC, 0x020000, "8086:10d3")
                        .netInterface(NIC, "eth0")
                        .bound(NIC, "e1000e");
    }

    private DeviceStatus nic() {
        return DeviceSurvey.of(kernel.tree()).getFirst();
    }

    private void routeThrough(String name) {
        kernel.file("proc/net/route", name + "\t00000000\t0102A8C0\t0003\t0\t0\t0\t00000000\n");
    }

    @Test
    void namesComeFromThePciIdList() {
        assertEquals("Device", nic().name());
        kernel.file(
                "usr/share/misc/pci.ids",
                """
                # a comment
                8085  Somebody else
                \t10d3  Wrong vendor
                8086  Intel Corporation
                \t10d2  Another
                \t10d3  82574L Gigabit Network Connection
                \t\t8086 a01f  A board, not a model
                C 02  Network controller
                \t00  Ethernet controller
                """);
        assertEquals("82574L Gigabit Network Connection", nic().name());
    }

    @Test
    void unusedAreTheModulesThatFitAndTheLoadedOnesThatTakeAnything() {
        kernel.driver("vfio-pci")
                .driver("uio_pci_generic")
                .file(
                        "lib/modules/6.1.0-sim/modules.alias",
                        "alias pci:v00008086d000010D3sv*sd*bc*sc*i* e1000e\n"
                                + "alias pci:v00008086d*sv*sd*bc*sc*i* other_nic\n");
        assertEquals(List.of("other_nic", "vfio-pci", "uio_pci_generic"), nic().unused());
        kernel.unplug(NIC);
        kernel.device(NIC, 0x020000, "8086:10d3").bound(NIC, "vfio-pci");
        assertEquals(List.of("e1000e", "other_nic", "uio_pci_generic"), nic().unused());
        assertTrue(nic().inUserSpace());
    }

    @Test
    void aRouteMakesADeviceActive() {
        assertFalse(nic().active());
        routeThrough("eth0");
        assertEquals(Optional.of("eth0 carries the default route"), nic().route());
    }

    @Test
    void aRouteOfWhatIsStackedOnAnInterfaceMakesItActiveToo() {
        kernel.stack("eth0", "bond0").stack("bond0", "bond0.7");
        assertFalse(nic().active());
        assertEquals(List.of("eth0 is part of bond0, bond0.7"), nic().memberships());
        routeThrough("bond0.7");
        assertEquals(
                Optional.of("bond0.7, on top of eth0, carries the default route"), nic().route());
    }

    @Test
    void aLoopOfUppersEnds() {
        kernel.stack("eth0", "a").stack("a", "b").stack("b", "a");
        assertEquals(List.of("eth0 is part of a, b"), nic().memberships());
    }

    @ParameterizedTest
    @CsvSource({
        "020000, 8086, 10d3, NET",
        "088000, 177d, a0dd, NET",
        "088000, 177d, a0de, ''",
        "050000, 1af4, 1110, NET",
        "120000, 8086, 0b30, NET BASEBAND",
        "120000, 177d, a037, BASEBAND COMPRESS",
        "100000, 1234, 5678, CRYPTO",
        "0b4000, 8086, 2710, CRYPTO EVENT",
        "0b4000, 1022, 2710, ''",
        "088000, 8086, 0b25, DMA",
        "088000, 177d, a0fb, MEMPOOL",
        "018000, 1af4, 1042, MISC",
        "018000, 8086, 1042, ''",
        "088000, 177d, a0f4, REGEX",
        "088000, 177d, a092, ML",
        "060000, 8086, 0d57, ''",
    })
    void devicesAreToldApartByClassVendorAndModel(
            String classCode, String vendor, String device, String categories) {
        kernel.unplug(NIC);
        kernel.device(NIC, Integer.parseInt(classCode, 16), vendor + ":" + device);
        Set<String> names =
                nic().categories().stream()
                        .map(Enum::name)
                        .collect(java.util.stream.Collectors.toSet());
        assertEquals(categories.isEmpty() ? Set.of() : Set.of(categories.split(" ")), names);
    }

    @Test
    void driversAreFoundByTheirNameOrTheirModules() {
        kernel.driver("virtio-pci").driver("pciback");
        PciDrivers drivers = new PciDrivers(kernel.tree());
        assertEquals(Optional.of("e1000e"), drivers.find("e1000e"));
        assertEquals(Optional.of("virtio-pci"), drivers.find("virtio_pci"));
        assertEquals(Optional.of("pciback"), drivers.find("xen-pciback"));
        assertEquals(Optional.empty(), drivers.find("igb"));
        assertEquals(Optional.empty(), drivers.find("../../devices"));
        assertEquals(Optional.empty(), drivers.find(".."));
    }

    @Test
    void devicesAreNamedByAddressPatternOrInterface() {
        kernel.device("0000:09:00.1", 0x020000, "8086:10d3")
                .device("0001:09:00.0", 0x020000, "8086:10d3");
        PciSelector selector =
                new PciSelector(
                        DeviceSurvey.of(kernel.tree()).stream()
                                .map(DeviceStatus::function)
                                .toList());
        assertEquals(List.of(NIC), addresses(selector.find(NIC)));
        assertEquals(List.of(NIC), addresses(selector.find("09:00.0")));
        assertEquals(List.of(NIC), addresses(selector.find("eth0")));
        assertEquals(List.of(NIC, "0000:09:00.1"), addresses(selector.find("09:00.*")));
        assertEquals(List.of(NIC, "0001:09:00.0"), addresses(selector.find("*:09:00.0")));
        assertEquals(List.of("0000:09:00.1"), addresses(selector.find("09:00.[1-7]")));
        assertEquals(List.of(), addresses(selector.find("0a:00.*")));
        assertEquals(List.of(), addresses(selector.find("eth1")));
    }

    private static List<String> addresses(List<PciFunction> functions) {
        return functions.stream().map(f -> f.address().toString()).toList();
    }
}
