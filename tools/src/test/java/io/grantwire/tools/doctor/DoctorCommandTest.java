package io.grantwire.tools.doctor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.domain.DomainOptions;
import io.grantwire.pmd.domain.Domains;
import io.grantwire.pmd.domain.EmulatedHost;
import io.grantwire.tools.InProcess;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
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

    private void xen() throws IOException {
        file("sys/hypervisor/type", "xen\n");
        file("sys/hypervisor/version/major", "4\n");
        file("sys/hypervisor/version/minor", "20\n");
    }

    @Test
    void aXenGuestIsToldWhatAFrontEndNeeds() throws IOException {
        xen();
        file("sys/hypervisor/uuid", "5e2f2b1c-6e1d-4a0e-8d43-0c3c0c9f5a11\n");
        assertEquals("Xen 4.20, a guest: front ends run here", find("hypervisor").detail());
        assertEquals("sudo modprobe xen-gntalloc", find("/dev/xen/gntalloc").mend());
        assertEquals(Finding.State.NOTE, find("/dev/xen/gntdev").state());
        assertTrue(find("/dev/xen/xenbus").mend().contains("xenfs"));
        file("dev/xen/gntalloc", "");
        assertEquals(Finding.State.OK, find("/dev/xen/gntalloc").state());
        file("sys/module/xen_gntalloc/parameters/limit", "512\n");
        assertEquals(
                "echo 6000 | sudo tee /sys/module/xen_gntalloc/parameters/limit",
                find("grants").mend());
        file("sys/module/xen_gntalloc/parameters/limit", "1024\n");
        assertTrue(find("grants").detail().contains("for a second one type: echo 6000 >"));
        file("sys/module/xen_gntalloc/parameters/limit", "6000\n");
        assertEquals(Finding.State.OK, find("grants").state());
        assertTrue(!find("grants").detail().contains("type"), find("grants").detail());
    }

    @Test
    void domain0IsToldWhatTheSwitchNeeds() throws IOException {
        xen();
        file("sys/hypervisor/uuid", "00000000-0000-0000-0000-000000000000\n");
        assertEquals(
                "Xen 4.20, the control domain: the switch runs here", find("hypervisor").detail());
        assertEquals("sudo modprobe xen-gntdev", find("/dev/xen/gntdev").mend());
        assertEquals(Finding.State.NOTE, find("/dev/xen/gntalloc").state());
        assertEquals("sudo modprobe xen-evtchn", find("/dev/xen/evtchn").mend());
        file("sys/module/xen_gntdev/parameters/limit", "65536\n");
        assertEquals("65536 may be mapped with one call of gntdev", find("grants").detail());
        file("sys/module/xen_gntdev/parameters/limit", "0\n");
        assertEquals(Finding.State.LACK, find("grants").state());
    }

    @Test
    void mountedXenfsSaysWhichDomainItIs() throws IOException {
        xen();
        file("proc/xen/capabilities", "control_d\n");
        assertTrue(find("hypervisor").detail().contains("the control domain"));
    }

    @Test
    void theStoreTellsWhoseDirectoryItIs() throws IOException {
        try (EmulatedHost host = EmulatedHost.start(root.resolve("h"));
                Domain dom0 = Domains.open(DomainOptions.emulatedControl(host.dir()));
                Domain guest =
                        Domains.open(DomainOptions.emulatedGuest(host.dir(), "vm7").withDomid(7))) {
            assertEquals(Finding.State.OK, StoreProbe.own(guest.xenstore(), 7).state());
            Finding seen = StoreProbe.guests(dom0.xenstore()).getFirst();
            assertEquals("guest 7", seen.what());
            assertEquals("\"vm7\", control/dpdk belongs to it", seen.detail());

            dom0.xenstore().rm("/local/domain/7/control/dpdk");
            seen = StoreProbe.guests(dom0.xenstore()).getFirst();
            assertEquals("sudo grantwire xenstore prepare --domid 7", seen.mend());
            seen = StoreProbe.own(guest.xenstore(), 7);
            assertEquals("grantwire xenstore prepare --domid 7   (in domain 0)", seen.mend());
            assertTrue(seen.detail().contains("data/dpdk"), seen.detail());
        }
    }

    @Test
    void rootIsNotToldToUseSudo() {
        List<Finding> lack = List.of(Finding.lack("Xen", "x", "missing", "echo 1 | sudo tee /x"));
        for (boolean asRoot : new boolean[] {true, false}) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            DoctorCommand.print(lack, asRoot, new PrintStream(out));
            assertTrue(
                    out.toString().contains("type: echo 1 | " + (asRoot ? "" : "sudo ") + "tee /x"),
                    out.toString());
        }
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
