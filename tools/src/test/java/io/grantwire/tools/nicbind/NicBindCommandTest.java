package io.grantwire.tools.nicbind;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.grantwire.tools.InProcess;
import io.grantwire.vfio.bind.SimulatedKernel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command on a made-up machine whose kernel acts on the files that the command writes. */
class NicBindCommandTest {
    private static final String A = "0000:09:00.0";
    private static final String B = "0000:09:00.1";
    private static final String NO_DRIVER = "0000:0a:00.0";

    @TempDir Path dir;

    private SimulatedKernel kernel;
    private AutoCloseable watch;

    @BeforeEach
    void aMachine() {
        kernel =
                new SimulatedKernel(dir)
                        .withIommu()
                        .driver("igb", "8086:10c9")
                        .driver("vfio-pci")
                        .driver("uio_pci_generic")
                        .device(A, 0x020000, "8086:10c9")
                        .netInterface(A, "eth0")
                        .bound(A, "igb")
                        .device(B, 0x020000, "8086:10c9")
                        .netInterface(B, "eth1")
                        .bound(B, "vfio-pci")
                        .device(NO_DRIVER, 0x020000, "8086:10d3")
                        .device("0000:00:02.0", 0x018000, "1af4:1042")
                        .device("0000:00:00.0", 0x060000, "8086:0d57")
                        .file(
                                "usr/share/misc/pci.ids",
                                "8086  Intel Corporation\n"
                                        + "\t10c9  82576 Gigabit Network Connection\n")
                        .file(
                                "lib/modules/6.1.0-sim/modules.alias",
                                "alias pci:v00008086d000010C9sv*sd*bc*sc*i* igb\n"
                                        + "alias pci:v00008086d000010D3sv*sd*bc*sc*i* e1000e\n");
        watch = kernel.watch();
    }

    @AfterEach
    void stopKernel() throws Exception {
        watch.close();
    }

    private InProcess.Result run(String... args) {
        List<String> all = new ArrayList<>(List.of("nic-bind", "--root", dir.toString()));
        all.addAll(List.of(args));
        return InProcess.run(all.toArray(String[]::new));
    }

    private void routeThrough(String name) {
        kernel.file("proc/net/route", name + "\t00000000\t0102A8C0\t0003\t0\t0\t0\t00000000\n");
    }

    @Test
    void theStatusHasDpdksGroupsAndLines() {
        routeThrough("eth0");
        InProcess.Result r = run("--status");
        assertEquals(0, r.status(), r.err());
        assertEquals(
                """

                Network devices using DPDK-compatible driver
                ============================================
                0000:09:00.1 '82576 Gigabit Network Connection 10c9' drv=vfio-pci unused=igb,uio_pci_generic

                Network devices using kernel driver
                ===================================
                0000:09:00.0 '82576 Gigabit Network Connection 10c9' if=eth0 drv=igb unused=vfio-pci,uio_pci_generic *Active*

                Other Network devices
                =====================
                0000:0a:00.0 'Device 10d3' unused=e1000e,vfio-pci,uio_pci_generic

                No 'Baseband' devices detected
                ==============================
                """,
                r.out().substring(0, r.out().indexOf("\nNo 'Crypto'")));
        assertTrue(
                r.out()
                        .contains(
                                """

                                Other Misc (rawdev) devices
                                ===========================
                                0000:00:02.0 'Device 1042' unused=vfio-pci,uio_pci_generic
                                """),
                r.out());
        assertFalse(r.out().contains("0000:00:00.0"), "a host bridge is nobody's business");
    }

    @Test
    void oneCategoryIsShownAlone() {
        InProcess.Result r = run("--status-dev", "misc");
        assertTrue(r.out().startsWith("\nOther Misc (rawdev) devices\n"), r.out());
        assertFalse(r.out().contains("Network"), r.out());
    }

    @Test
    void numaNodesAreShownWhenEveryDeviceOfTheCategoryHasOne() {
        for (String nic : List.of(A, B)) {
            kernel.file("sys/bus/pci/devices/" + nic + "/numa_node", "1\n");
        }
        assertFalse(run("--status-dev", "net").out().contains("numa_node"));
        kernel.file("sys/bus/pci/devices/" + NO_DRIVER + "/numa_node", "0\n");
        String out = run("--status-dev", "net").out();
        assertTrue(out.contains("10c9' numa_node=1 if=eth0 drv=igb"), out);
        assertTrue(out.contains("10d3' numa_node=0 unused="), out);
    }

    @Test
    void jsonSaysWhyADeviceIsActive() {
        routeThrough("eth0");
        JsonObject report =
                JsonParser.parseString(run("--status-dev", "net", "--json").out())
                        .getAsJsonObject();
        JsonObject nic = report.getAsJsonArray("devices").get(0).getAsJsonObject();
        assertEquals(A, nic.get("address").getAsString());
        assertEquals("igb", nic.get("driver").getAsString());
        assertEquals("10c9", nic.get("device").getAsString());
        assertTrue(nic.get("active").getAsBoolean());
        assertEquals("eth0 carries the default route", nic.get("activeBecause").getAsString());
        assertTrue(nic.get("numaNode").isJsonNull());
        assertEquals(3, report.getAsJsonArray("devices").size());
    }

    @Test
    void aCardIsBoundByItsInterfaceAndComesBackByItsAddress() {
        InProcess.Result r = run("-b", "vfio-pci", "eth0");
        assertEquals(0, r.status(), r.err());
        assertEquals("", r.err());
        assertEquals("vfio-pci", kernel.driverOf(A));
        assertEquals(0, run("-b", "igb", "09:00.0").status());
        assertEquals("igb", kernel.driverOf(A));
        assertEquals("(null)", kernel.attribute(A, "driver_override").replaceAll("^$", "(null)"));
    }

    @Test
    void aPatternBindsSeveralAndTheStatusComesAfterwards() {
        InProcess.Result r = run("-b", "uio_pci_generic", "09:00.*", "--status-dev", "net");
        assertEquals(0, r.status(), r.err());
        assertEquals("uio_pci_generic", kernel.driverOf(A));
        assertEquals("uio_pci_generic", kernel.driverOf(B));
        assertTrue(r.out().contains(A + " '82576 Gigabit Network Connection 10c9' drv=uio_pci_"));
    }

    @Test
    void aDeviceThatCarriesARouteIsLeftAlone() {
        routeThrough("eth0");
        InProcess.Result r = run("-b", "vfio-pci", A, NO_DRIVER);
        assertEquals(1, r.status());
        assertEquals(
                "Warning: routing table indicates that interface 0000:09:00.0 is active. Not"
                        + " modifying (eth0 carries the default route; --force does it all the"
                        + " same)\n",
                r.err());
        assertEquals("igb", kernel.driverOf(A));
        assertEquals("vfio-pci", kernel.driverOf(NO_DRIVER), "the others are bound all the same");
        assertEquals(1, run("-u", A).status());
        assertEquals("igb", kernel.driverOf(A));
    }

    @Test
    void anIpv6RouteProtectsAsWell() {
        kernel.file(
                "proc/net/ipv6_route",
                "20010db8000000000000000000000000 20 "
                        + "0".repeat(32)
                        + " 00 "
                        + "0".repeat(32)
                        + " 00000100 00000001 00000000 00000001     eth0\n");
        InProcess.Result r = run("-u", "eth0");
        assertEquals(1, r.status());
        assertTrue(r.err().contains("eth0 carries 2001:0db8:"), r.err());
    }

    @Test
    void forceDoesItAllTheSame() {
        routeThrough("eth0");
        assertEquals(0, run("--force", "-u", A).status());
        assertEquals("", kernel.driverOf(A));
    }

    @Test
    void aMemberOfABondIsBoundWithAWarning() {
        kernel.stack("eth0", "bond0");
        InProcess.Result r = run("-b", "vfio-pci", A);
        assertEquals(0, r.status(), r.err());
        assertEquals("Warning: 0000:09:00.0: eth0 is part of bond0, which loses it\n", r.err());
        assertEquals("vfio-pci", kernel.driverOf(A));
    }

    @Test
    void aRefusalLeavesTheOldDriverAndSaysSo() {
        // The simulated kernel reads files, so a refusal shows as a request without effect.
        kernel.refuse("vfio-pci", A, "EBUSY");
        InProcess.Result r = run("-b", "vfio-pci", A);
        assertEquals(1, r.status());
        assertTrue(r.err().startsWith("Error: bind failed for 0000:09:00.0 - "), r.err());
        assertTrue(r.err().contains("given back to igb"), r.err());
        assertEquals(1, r.err().lines().count(), r.err());
        assertEquals("igb", kernel.driverOf(A));
    }

    @Test
    void anAnswerOfTheKernelIsNamedByItsErrno() throws Exception {
        Path unbind = dir.resolve("sys/bus/pci/drivers/igb/unbind");
        Files.delete(unbind);
        Files.createSymbolicLink(unbind, Path.of("/dev/full"));
        InProcess.Result r = run("-u", A);
        Files.delete(unbind);
        assertEquals(1, r.status());
        assertEquals(
                "Error: unbind failed for 0000:09:00.0 - write("
                        + unbind
                        + "): ENOSPC (No space left on device); igb has the device; dmesg says"
                        + " more\n",
                r.err());
    }

    @Test
    void aDryRunPrintsThePlanAndChangesNothing() {
        InProcess.Result r = run("--dry-run", "-b", "vfio-pci", A);
        assertEquals(0, r.status(), r.err());
        Path sys = dir.resolve("sys/bus/pci");
        assertEquals(
                List.of(
                        "# 0000:09:00.0: igb -> vfio-pci",
                        "echo 0000:09:00.0 > " + sys.resolve("drivers/igb/unbind"),
                        "echo vfio-pci > " + sys.resolve("devices/0000:09:00.0/driver_override"),
                        "echo 0000:09:00.0 > " + sys.resolve("drivers/vfio-pci/bind"),
                        "echo > " + sys.resolve("devices/0000:09:00.0/driver_override")),
                r.out().lines().toList());
        assertEquals("igb", kernel.driverOf(A));
        assertEquals(List.of(), kernel.log());
    }

    @Test
    void jsonTellsWhatBecameOfEachDevice() {
        routeThrough("eth0");
        JsonObject report =
                JsonParser.parseString(run("--json", "-b", "vfio-pci", A, B, NO_DRIVER).out())
                        .getAsJsonObject();
        assertEquals(
                List.of("refused", "unchanged", "done"),
                report.getAsJsonArray("moved").asList().stream()
                        .map(e -> e.getAsJsonObject().get("result").getAsString())
                        .toList());
    }

    @Test
    void everyDeviceOfProgramsIsUnboundByOneWord() {
        assertEquals(0, run("-b", "uio_pci_generic", NO_DRIVER).status());
        assertEquals(0, run("-u", "dpdk").status());
        assertEquals("", kernel.driverOf(B));
        assertEquals("", kernel.driverOf(NO_DRIVER));
        assertEquals("igb", kernel.driverOf(A));
    }

    @Test
    void whatIsDoneAlreadyIsANotice() {
        InProcess.Result r = run("-b", "vfio-pci", B);
        assertEquals(0, r.status());
        assertEquals("Notice: 0000:09:00.1 already bound to driver vfio-pci, skipping\n", r.err());
        r = run("-u", NO_DRIVER);
        assertEquals(0, r.status());
        assertEquals(
                "Notice: 0000:0a:00.0 Device is not currently managed by any driver\n", r.err());
    }

    @Test
    void theRestOfAnIommuGroupIsNamed() {
        kernel.group(A, 7).group(B, 7);
        InProcess.Result r = run("-b", "uio_pci_generic", B);
        assertEquals("", r.err());
        r = run("-b", "vfio-pci", B);
        assertEquals(0, r.status());
        assertTrue(
                r.err().contains("shares IOMMU group 7 with 0000:09:00.0, which igb has"), r.err());
    }

    @Test
    void theOwnerOfTheNodeIsSet() throws Exception {
        String me = Files.getOwner(dir).getName();
        assertEquals(0, run("-b", "vfio-pci", "-U", me, A).status());
        InProcess.Result r = run("-b", "vfio-pci", "-U", "no-such-user", NO_DRIVER);
        assertEquals(1, r.status());
        assertTrue(r.err().contains("there is no user 'no-such-user'"), r.err());
        assertEquals("", kernel.driverOf(NO_DRIVER), "found out before anything was changed");
    }

    @Test
    void unknownDevicesAndDriversEndTheRunBeforeAnythingIsChanged() {
        InProcess.Result r = run("-b", "vfio-pci", A, "eth9");
        assertEquals(1, r.status());
        assertTrue(r.err().contains("Unknown device: eth9"), r.err());
        r = run("-b", "ixgbe", A);
        assertEquals(1, r.status());
        assertTrue(r.err().contains("driver 'ixgbe' is not loaded; type: sudo modprobe ixgbe"));
        assertEquals(List.of(), kernel.log());
        assertEquals("igb", kernel.driverOf(A));
    }

    @Test
    void withoutIommuVfioNeedsToBeToldSo() throws Exception {
        Files.delete(dir.resolve("sys/class/iommu/dmar0"));
        InProcess.Result r = run("-b", "vfio-pci", A);
        assertEquals(1, r.status());
        assertTrue(r.err().contains("vfio-pci needs an IOMMU"), r.err());
        assertTrue(r.err().contains("--noiommu-mode"), r.err());
        assertEquals("igb", kernel.driverOf(A));
        assertTrue(
                run("-b", "vfio-pci", "--noiommu-mode", "--dry-run", A)
                        .out()
                        .startsWith("echo 1 > "));
        r = run("-b", "vfio-pci", "--noiommu-mode", A);
        assertEquals(0, r.status(), r.err());
        assertTrue(r.err().startsWith("Warning: enabling unsafe no-IOMMU mode"), r.err());
        assertEquals("vfio-pci", kernel.driverOf(A));
    }

    @Test
    void aCardIsKeptForAGuestByTheNameOfTheModule() {
        kernel.driver("pciback");
        InProcess.Result r = run("-b", "xen-pciback", A);
        assertEquals(0, r.status(), r.err());
        assertEquals("pciback", kernel.driverOf(A));
    }

    @Test
    void wrongUsageIsToldInOneLine() {
        for (List<String> args :
                List.of(
                        List.<String>of(),
                        List.of("-b", "vfio-pci"),
                        List.of("-u"),
                        List.of(A),
                        List.of("-b", "vfio-pci", "-u", A),
                        List.of("-b", A, B),
                        List.of("-b", "eth0", B),
                        List.of("-b", "igb", "-U", "root", B),
                        List.of("-s", A),
                        List.of("--status-dev", "gpu"),
                        List.of("-s", "--sysfs", dir.resolve("none").toString()),
                        List.of("--bogus"))) {
            InProcess.Result r = run(args.toArray(String[]::new));
            assertEquals(2, r.status(), args + ": " + r.err());
            assertEquals(1, r.err().lines().count(), r.err());
        }
        assertEquals(List.of(), kernel.log());
    }

    @Test
    void sysfsAloneCanBeElsewhere() {
        InProcess.Result r =
                InProcess.run(
                        "nic-bind",
                        "--sysfs",
                        dir.resolve("sys").toString(),
                        "--status-dev",
                        "net",
                        "--json");
        assertEquals(0, r.status(), r.err());
        assertTrue(r.out().contains(NO_DRIVER), r.out());
    }
}
