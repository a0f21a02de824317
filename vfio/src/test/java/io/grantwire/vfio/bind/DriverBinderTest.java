package io.grantwire.vfio.bind;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.vfio.PciAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DriverBinderTest {
    private static final String NIC = "0000:09:00.0";
    private static final PciAddress ADDRESS = PciAddress.parse(NIC);

    @TempDir Path dir;

    private SimulatedKernel kernel;
    private DriverBinder binder;

    @BeforeEach
    void aMachineWithOneCard() {
        kernel =
                new SimulatedKernel(dir)
                        .withIommu()
                        .driver("e1000e", "8086:10d3")
                        .driver("igb", "8086:10c9")
                        .driver("vfio-pci")
                        .driver("uio_pci_generic")
                        .driver("pciback")
                        .device(NIC, 0x020000, "8086:10d3")
                        .netInterface(NIC, "eth0")
                        .bound(NIC, "e1000e");
        binder = new DriverBinder(kernel.tree(), kernel, Duration.ofMillis(50));
    }

    private String fails(String driver) {
        return assertThrows(BindException.class, () -> binder.bind(ADDRESS, driver)).getMessage();
    }

    @Test
    void aCardGoesToUserSpaceWithAnOverrideThatIsTakenBack() {
        binder.bind(ADDRESS, "vfio-pci");
        assertEquals("vfio-pci", kernel.driverOf(NIC));
        assertEquals("(null)", kernel.attribute(NIC, "driver_override"));
        assertEquals(
                List.of(
                        NIC + " > bus/pci/drivers/e1000e/unbind",
                        "vfio-pci > bus/pci/devices/" + NIC + "/driver_override",
                        NIC + " > bus/pci/drivers/vfio-pci/bind",
                        " > bus/pci/devices/" + NIC + "/driver_override"),
                kernel.log());
    }

    @Test
    void thePlanIsWhatIsThenDone() {
        List<BindStep> plan = binder.bindPlan(ADDRESS, "vfio-pci");
        binder.bind(ADDRESS, "vfio-pci");
        Path sys = dir.resolve("sys");
        assertEquals(
                kernel.log(),
                plan.stream()
                        .map(s -> s.value().strip() + " > " + sys.relativize(s.file()))
                        .toList());
        assertEquals(
                "echo " + NIC + " > " + sys.resolve("bus/pci/drivers/e1000e/unbind"),
                plan.getFirst().command());
        assertEquals(
                "echo > " + sys.resolve("bus/pci/devices/" + NIC + "/driver_override"),
                plan.getLast().command());
    }

    @Test
    void aCardComesBackToItsKernelDriverWithoutAnOverride() {
        binder.bind(ADDRESS, "uio_pci_generic");
        binder.bind(ADDRESS, "e1000e");
        assertEquals("e1000e", kernel.driverOf(NIC));
        assertEquals("(null)", kernel.attribute(NIC, "driver_override"));
    }

    @Test
    void anOverrideThatSomebodyLeftDoesNotKeepTheKernelDriverAway() {
        binder.unbind(ADDRESS);
        kernel.write(kernel.tree().device(NIC).resolve("driver_override"), "vfio-pci");
        binder.bind(ADDRESS, "e1000e");
        assertEquals("e1000e", kernel.driverOf(NIC));
    }

    @Test
    void bindingToTheDriverItHasAsksNothing() {
        binder.bind(ADDRESS, "e1000e");
        assertEquals(List.of(), kernel.log());
    }

    @Test
    void unbindingLeavesItWithoutDriverAndTwiceIsOnce() {
        binder.unbind(ADDRESS);
        assertEquals("", kernel.driverOf(NIC));
        binder.unbind(ADDRESS);
        assertEquals(1, kernel.log().size());
        assertEquals(List.of(), binder.unbindPlan(ADDRESS));
    }

    @ParameterizedTest
    @ValueSource(strings = {"EBUSY", "EINVAL", "ENODEV", "EPERM"})
    void whenTheNewDriverRefusesTheOldOneHasTheCardAgain(String errno) {
        kernel.refuse("vfio-pci", NIC, errno);
        String message = fails("vfio-pci");
        assertTrue(message.startsWith("bind failed for " + NIC + " - write("), message);
        assertTrue(message.contains("vfio-pci/bind): " + errno + " ("), message);
        assertTrue(message.contains("; given back to e1000e"), message);
        assertEquals("e1000e", kernel.driverOf(NIC));
        assertEquals("(null)", kernel.attribute(NIC, "driver_override"));
    }

    @Test
    void aRefusalOfThePlaceBetweenUserSpaceDriversIsUndoneAsWell() {
        binder.bind(ADDRESS, "uio_pci_generic");
        kernel.refuse("vfio-pci", NIC, "EBUSY");
        assertTrue(fails("vfio-pci").contains("given back to uio_pci_generic"));
        assertEquals("uio_pci_generic", kernel.driverOf(NIC));
        assertEquals("(null)", kernel.attribute(NIC, "driver_override"));
    }

    @Test
    void anOverrideThatWasThereBeforeIsThereAfterAFailure() {
        kernel.write(kernel.tree().device(NIC).resolve("driver_override"), "e1000e");
        kernel.refuse("vfio-pci", NIC, "EBUSY");
        fails("vfio-pci");
        assertEquals("e1000e", kernel.attribute(NIC, "driver_override"));
        assertEquals("e1000e", kernel.driverOf(NIC));
    }

    @Test
    void aKernelDriverForAnotherModelSaysSo() {
        String message = fails("igb");
        assertTrue(message.contains("igb does not know this model"), message);
        assertEquals("e1000e", kernel.driverOf(NIC));
    }

    @Test
    void whenNeitherDriverTakesItTheMessageSaysThatToo() {
        kernel.refuse("vfio-pci", NIC, "EBUSY").refuse("e1000e", NIC, "EIO");
        String message = fails("vfio-pci");
        assertTrue(message.contains("could not be given back to e1000e"), message);
        assertTrue(message.contains("EIO"), message);
        assertTrue(message.contains("the device has no driver now"), message);
        assertEquals("", kernel.driverOf(NIC));
    }

    @Test
    void aDriverThatDoesNotLetGoKeepsTheCard() {
        kernel.refuse("e1000e/unbind", NIC, "EBUSY");
        String message = fails("vfio-pci");
        assertTrue(message.startsWith("unbind failed for " + NIC), message);
        assertTrue(message.contains("EBUSY"), message);
        assertTrue(message.contains("e1000e has the device"), message);
        assertEquals("(null)", kernel.attribute(NIC, "driver_override"));
    }

    @Test
    void aCardPulledOutMeanwhileIsReportedGone() {
        AttributeWriter pulling =
                (file, value) -> {
                    if (file.endsWith("vfio-pci/bind")) {
                        kernel.unplug(NIC);
                    }
                    kernel.write(file, value);
                };
        DriverBinder unlucky = new DriverBinder(kernel.tree(), pulling, Duration.ofMillis(50));
        String message =
                assertThrows(BindException.class, () -> unlucky.bind(ADDRESS, "vfio-pci"))
                        .getMessage();
        assertTrue(message.contains("ENODEV"), message);
        assertTrue(message.contains("the device is gone"), message);
    }

    @Test
    void aRefusalDoesNotMatterWhenTheDriverHasTheCardAllTheSame() {
        AttributeWriter odd =
                (file, value) -> {
                    kernel.write(file, value);
                    if (file.endsWith("vfio-pci/bind")) {
                        kernel.write(file, value); // a second time is EBUSY
                    }
                };
        new DriverBinder(kernel.tree(), odd, Duration.ofMillis(50)).bind(ADDRESS, "vfio-pci");
        assertEquals("vfio-pci", kernel.driverOf(NIC));
        assertEquals("(null)", kernel.attribute(NIC, "driver_override"));
    }

    @Test
    void aDriverThatTakesTheRequestButNotTheCardIsUndone() {
        AttributeWriter deaf =
                (file, value) -> {
                    if (!file.endsWith("vfio-pci/bind")) {
                        kernel.write(file, value);
                    }
                };
        DriverBinder patient = new DriverBinder(kernel.tree(), deaf, Duration.ofMillis(20));
        String message =
                assertThrows(BindException.class, () -> patient.bind(ADDRESS, "vfio-pci"))
                        .getMessage();
        assertTrue(message.contains("took the request but not the device"), message);
        assertTrue(message.contains("given back to e1000e"), message);
        assertEquals("e1000e", kernel.driverOf(NIC));
        assertEquals("(null)", kernel.attribute(NIC, "driver_override"));
    }

    @Test
    void aCardForAGuestOfXenGetsASlotFirstAndLosesItWhenItComesBack() {
        binder.bind(ADDRESS, "pciback");
        assertEquals("pciback", kernel.driverOf(NIC));
        assertEquals(
                List.of(
                        NIC + " > bus/pci/drivers/e1000e/unbind",
                        NIC + " > bus/pci/drivers/pciback/new_slot",
                        NIC + " > bus/pci/drivers/pciback/bind"),
                kernel.log());
        binder.bind(ADDRESS, "e1000e");
        assertEquals("e1000e", kernel.driverOf(NIC));
        assertTrue(kernel.log().contains(NIC + " > bus/pci/drivers/pciback/remove_slot"));
    }

    @Test
    void aSlotIsGivenUpWhenPcibackRefuses() {
        kernel.refuse("pciback", NIC, "EINVAL");
        assertTrue(fails("pciback").contains("given back to e1000e"));
        assertTrue(kernel.log().contains(NIC + " > bus/pci/drivers/pciback/remove_slot"));
        assertEquals("e1000e", kernel.driverOf(NIC));
    }

    @Test
    void aCardWithoutDriverStaysWithoutWhenTheBindFails() {
        binder.unbind(ADDRESS);
        kernel.refuse("vfio-pci", NIC, "EBUSY");
        assertTrue(fails("vfio-pci").contains("it has no driver, as before"));
        assertEquals("(null)", kernel.attribute(NIC, "driver_override"));
    }

    @Test
    void theRealWriterReportsTheKernelsAnswer() {
        // /dev/full refuses every write with ENOSPC, for real.
        Path full = Path.of("/dev/full");
        String message =
                assertThrows(
                                io.grantwire.bindings.NativeException.class,
                                () -> AttributeWriter.kernel().write(full, NIC))
                        .getMessage();
        assertTrue(message.startsWith("write(/dev/full): ENOSPC"), message);
    }

    @Test
    void theRealWriterReplacesWhatAFileHolds() throws Exception {
        Path file = dir.resolve("attribute");
        java.nio.file.Files.writeString(file, "vfio-pci");
        AttributeWriter.kernel().write(file, "\n");
        assertEquals("\n", java.nio.file.Files.readString(file));
    }
}
