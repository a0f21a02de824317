package io.grantwire.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SysfsPciTest {
    private static final Map<String, String> ETHERNET =
            Map.of("class", "0x020000", "vendor", "0x8086", "device", "0x10d3");

    @TempDir Path dir;

    private FakeSysfs sysfs;
    private SysfsPci pci;

    @BeforeEach
    void makeTree() throws IOException {
        sysfs = new FakeSysfs(dir);
        pci = new SysfsPci(dir);
    }

    @Test
    void everyAttributeOfANicIsRead() throws IOException {
        Path nic =
                sysfs.function(
                        "pci0000:00",
                        "0000:09:00.0",
                        Map.of(
                                "class", "0x020000",
                                "vendor", "0x8086",
                                "device", "0x10d3",
                                "subsystem_vendor", "0x8086",
                                "subsystem_device", "0xa01f",
                                "numa_node", "1"));
        sysfs.driver(nic, "e1000e");
        sysfs.iommuGroup(nic, 12);
        Files.createDirectories(nic.resolve("net/eth1"));
        Files.createDirectories(nic.resolve("net/eth0"));

        PciFunction read = pci.list().getFirst();
        assertEquals(
                new PciFunction(
                        new PciAddress(0, 9, 0, 0),
                        0x020000,
                        0x8086,
                        0x10d3,
                        0x8086,
                        0xa01f,
                        Optional.of("e1000e"),
                        OptionalInt.of(12),
                        OptionalInt.of(1),
                        List.of("eth0", "eth1")),
                read);
        assertTrue(read.isNetwork());
        assertEquals("8086:10d3", read.id());
        assertEquals(Optional.of(read), pci.find(PciAddress.parse("09:00.0")));
        assertEquals(List.of("e1000e"), pci.drivers());
    }

    @Test
    void whatADeviceDoesNotHaveIsEmpty() throws IOException {
        sysfs.function(
                "pci0000:00",
                "0000:00:01.0",
                Map.of(
                        "class",
                        "0x060400",
                        "vendor",
                        "0x1b36",
                        "device",
                        "0xc",
                        "numa_node",
                        "-1"));
        PciFunction bridge = pci.list().getFirst();
        assertEquals(Optional.empty(), bridge.driver());
        assertEquals(OptionalInt.empty(), bridge.iommuGroup());
        assertEquals(OptionalInt.empty(), bridge.numaNode());
        assertEquals(List.of(), bridge.interfaces());
        assertFalse(bridge.isNetwork());
    }

    @Test
    void interfacesOfAVirtioBusBelongToTheFunctionThatCarriesIt() throws IOException {
        Path nic = sysfs.function("pci0000:00", "0000:00:03.0", ETHERNET);
        Files.createDirectories(nic.resolve("virtio0/net/ens3"));
        assertEquals(List.of("ens3"), pci.list().getFirst().interfaces());
    }

    @Test
    void aBridgeDoesNotOwnTheInterfacesBehindIt() throws IOException {
        sysfs.function(
                "pci0000:00",
                "0000:00:1c.0",
                Map.of("class", "0x060400", "vendor", "0x8086", "device", "0x3420"));
        Path nic = sysfs.function("pci0000:00/0000:00:1c.0", "0000:01:00.0", ETHERNET);
        Files.createDirectories(nic.resolve("net/eth0"));
        List<PciFunction> all = pci.list();
        assertEquals(List.of(), all.get(0).interfaces());
        assertEquals(List.of("eth0"), all.get(1).interfaces());
    }

    @Test
    void functionsAreInOrderOfAddress() throws IOException {
        for (String address :
                List.of("0001:00:00.0", "0000:0a:00.1", "0000:0a:00.0", "0000:02:1f.7")) {
            sysfs.function("pci", address, ETHERNET);
        }
        assertEquals(
                List.of("0000:02:1f.7", "0000:0a:00.0", "0000:0a:00.1", "0001:00:00.0"),
                pci.list().stream().map(f -> f.address().toString()).toList());
    }

    @Test
    void aFunctionThatVanishesOrIsUnreadableIsLeftOut() throws IOException {
        sysfs.function("pci", "0000:00:01.0", Map.of("vendor", "0x8086"));
        sysfs.function(
                "pci", "0000:00:02.0", Map.of("class", "odd", "vendor", "0x8086", "device", "0x1"));
        Files.createSymbolicLink(dir.resolve("bus/pci/devices/0000:00:03.0"), dir.resolve("gone"));
        sysfs.function("pci", "0000:00:04.0", ETHERNET);
        assertEquals(
                List.of("0000:00:04.0"),
                pci.list().stream().map(f -> f.address().toString()).toList());
        assertEquals(Optional.empty(), pci.find(PciAddress.parse("00:1f.0")));
    }

    @Test
    void aMachineWithoutPciHasNone() {
        SysfsPci none = new SysfsPci(dir.resolve("empty"));
        assertEquals(List.of(), none.list());
        assertEquals(List.of(), none.drivers());
    }

    @Test
    void thisMachineCanBeRead() {
        for (PciFunction function : SysfsPci.host().list()) {
            assertEquals(
                    function.address(),
                    SysfsPci.host().find(function.address()).orElseThrow().address());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"0000:09:00.0", "10000:e1:00.0", "ffffffff:ff:1f.7"})
    void addressesAreWrittenAsTheyAreRead(String text) {
        assertEquals(text, PciAddress.parse(text).toString());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "eth0", "09:00", "09:00.8", "09:20.0", "000:09:00.0", "0000:09:00.0 "})
    void otherTextIsNoAddress(String text) {
        assertEquals(Optional.empty(), PciAddress.find(text));
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> PciAddress.parse(text));
        assertTrue(e.getMessage().startsWith("'" + text + "' is not a PCI address"));
    }
}
