package io.grantwire.tools.doctor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.grantwire.tools.InProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DoctorCommandTest {
    @TempDir Path root;

    private void file(String path, String text) throws IOException {
        Path file = root.resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    private Finding find(String what) {
        List<Finding> all = DoctorCommand.look(new Machine(root, Map.of("PATH", "/opt/bin")));
        return all.stream().filter(f -> f.what().equals(what)).findFirst().orElseThrow();
    }

    @Test
    void theMachineWeRunOnIsReportedAndTheStatusIsZero() {
        InProcess.Result r = InProcess.run("doctor");
        assertEquals(0, r.status(), r.err());
        for (String area : List.of("Xen", "Network", "Machine", "Java", "Programs")) {
            assertTrue(r.out().contains("\n" + area + "\n") || r.out().startsWith(area), r.out());
        }
    }

    @Test
    void jsonHasEveryFindingWithItsMend() {
        InProcess.Result r = InProcess.run("doctor", "--json");
        assertEquals(0, r.status(), r.err());
        Set<String> areas = new HashSet<>();
        for (JsonElement e :
                JsonParser.parseString(r.out()).getAsJsonObject().getAsJsonArray("findings")) {
            JsonObject finding = e.getAsJsonObject();
            areas.add(finding.get("area").getAsString());
            assertEquals(
                    finding.get("state").getAsString().equals("lack"),
                    !finding.get("mend").isJsonNull(),
                    finding.toString());
        }
        assertEquals(Set.of("Xen", "Network", "Machine", "Java", "Programs"), areas);
    }

    @Test
    void anEmptyMachineLacksWithACommandEach() {
        for (String what : List.of("IOMMU", "VFIO", "/dev/net/tun", "huge pages", "tcpdump")) {
            Finding finding = find(what);
            assertEquals(Finding.State.LACK, finding.state(), what);
            assertTrue(!finding.mend().isEmpty(), what);
        }
        assertEquals(Finding.State.NOTE, find("hypervisor").state());
    }

    @Test
    void aXenGuestWithoutModulesIsToldTheirNames() throws IOException {
        file("sys/hypervisor/type", "xen\n");
        file("sys/hypervisor/version/major", "4\n");
        file("sys/hypervisor/version/minor", "20\n");
        assertEquals("Xen 4.20, a guest", find("hypervisor").detail());
        assertEquals("sudo modprobe xen_gntalloc", find("/dev/xen/gntalloc").mend());
        file("dev/xen/gntalloc", "");
        assertEquals(Finding.State.OK, find("/dev/xen/gntalloc").state());
        file("sys/module/xen_gntalloc/parameters/limit", "512\n");
        assertTrue(find("grants").mend().contains("limit"));
        file("sys/module/xen_gntalloc/parameters/limit", "6000\n");
        assertEquals(Finding.State.OK, find("grants").state());
        file("proc/xen/capabilities", "control_d\n");
        assertEquals("Xen 4.20, the control domain", find("hypervisor").detail());
    }

    @Test
    void networkCardsAreListedWithTheirDrivers() throws IOException {
        String device = "sys/bus/pci/devices/0000:03:00.0/";
        file(device + "class", "0x020000\n");
        file(device + "vendor", "0x8086\n");
        file(device + "device", "0x10c9\n");
        file(device + "subsystem_vendor", "0x8086\n");
        file(device + "subsystem_device", "0xa03c\n");
        file(device + "net/eth7/address", "\n");
        file("sys/bus/pci/drivers/igb/x", "");
        Files.createSymbolicLink(
                root.resolve(device + "driver"), root.resolve("sys/bus/pci/drivers/igb"));
        assertEquals("8086:10c9, driver igb, eth7", find("0000:03:00.0").detail());
    }

    @Test
    void programsAreLookedForOnThePath() throws IOException {
        file("opt/bin/tcpdump", "");
        assertEquals(Finding.State.LACK, find("tcpdump").state());
        Files.setPosixFilePermissions(
                root.resolve("opt/bin/tcpdump"), PosixFilePermissions.fromString("rwxr-xr-x"));
        assertEquals("/opt/bin/tcpdump: looking at captures", find("tcpdump").detail());
    }
}
