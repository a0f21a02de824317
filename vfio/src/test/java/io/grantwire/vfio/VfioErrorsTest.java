package io.grantwire.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.bindings.NativeException;
import io.grantwire.bindings.ResourceLimits;
import io.grantwire.bindings.gen.libc.LibC;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VfioErrorsTest {
    private static final PciAddress ADDRESS = PciAddress.parse("0000:09:00.0");
    private static final Map<String, String> ETHERNET =
            Map.of("class", "0x020000", "vendor", "0x8086", "device", "0x10d3");

    @TempDir Path dir;

    private static NativeException failed(int errno) {
        return new NativeException("open(/dev/vfio/5)", errno);
    }

    private String opening(int errno) {
        return VfioErrors.openGroup(ADDRESS, 5, failed(errno), dir).getMessage();
    }

    @Test
    void aBusyGroupNamesTheProcessThatHasIt() throws IOException {
        Path process = Files.createDirectories(dir.resolve("4711"));
        Files.createDirectories(process.resolve("fd"));
        Files.createSymbolicLink(process.resolve("fd/7"), Path.of("/dev/vfio/5"));
        Files.writeString(process.resolve("comm"), "testpmd\n");
        Files.createDirectories(dir.resolve("1/fd"));
        Files.createDirectories(dir.resolve("sys"));
        assertEquals(
                "PCI device 0000:09:00.0: EBUSY (process 4711 (testpmd) has its IOMMU group 5; end"
                        + " that one first)",
                opening(LibC.EBUSY()));
    }

    @Test
    void aBusyGroupOfSomebodyUnseenIsAnotherProcesss() {
        assertEquals(
                "PCI device 0000:09:00.0: EBUSY (another process has its IOMMU group 5; end that"
                        + " one first)",
                opening(LibC.EBUSY()));
    }

    @Test
    void aMissingOrForbiddenGroupSaysWhatToType() {
        assertTrue(
                opening(LibC.ENOENT())
                        .endsWith("type: grantwire nic-bind -b vfio-pci 0000:09:00.0)"));
        assertTrue(opening(LibC.EACCES()).contains("sudo chown $USER /dev/vfio/5"));
        assertTrue(opening(LibC.EPERM()).contains("EPERM (/dev/vfio/5 needs CAP_SYS_RAWIO"));
        assertTrue(opening(LibC.EIO()).contains("EIO"));
    }

    @Test
    void aGroupThatIsNotFreeNamesWhoHoldsIt() throws IOException {
        FakeSysfs sysfs = new FakeSysfs(dir);
        Path own = sysfs.function("pci", "0000:09:00.0", ETHERNET);
        sysfs.driver(own, "vfio-pci");
        sysfs.iommuGroup(own, 5);
        Path other = sysfs.function("pci", "0000:09:00.1", ETHERNET);
        sysfs.driver(other, "e1000e");
        sysfs.iommuGroup(other, 5);
        Path bridge = sysfs.function("pci", "0000:08:00.0", ETHERNET);
        sysfs.driver(bridge, "pcieport");
        sysfs.iommuGroup(bridge, 5);
        Path elsewhere = sysfs.function("pci", "0000:0a:00.0", ETHERNET);
        sysfs.driver(elsewhere, "e1000e");
        sysfs.iommuGroup(elsewhere, 6);
        assertEquals(
                "PCI device 0000:09:00.0: EPERM (its IOMMU group 5 is not all free: 0000:09:00.1 is"
                        + " with e1000e; type: grantwire nic-bind -b vfio-pci 0000:09:00.1)",
                VfioErrors.notViable(ADDRESS, 5, dir).getMessage());
    }

    @Test
    void withoutAnIommuTheReasonIsThatOfTheMachine() {
        String message = VfioErrors.noGroup(ADDRESS, new Iommu(dir)).getMessage();
        assertTrue(message.startsWith("PCI device 0000:09:00.0: ENODEV (it has no IOMMU group: "));
        assertTrue(message.contains("intel_iommu=on"), message);
    }

    @Test
    void withoutInterruptRemappingTheWayRoundIsNamed() {
        String message = VfioErrors.setIommu(ADDRESS, failed(LibC.EPERM())).getMessage();
        assertTrue(message.contains("allow_unsafe_interrupts"), message);
    }

    @Test
    void tooLittleLockedMemoryNamesTheLimitAndTheCommand() {
        assertEquals(
                "DMA memory: ENOMEM (cannot lock 4096 KiB; the limit is 64 KiB in all; type: ulimit"
                        + " -l unlimited, or: prlimit --memlock=unlimited --pid 12)",
                VfioErrors.memlock(4 << 20, 64 << 10, 12));
        assertTrue(
                VfioErrors.memlock(4096, ResourceLimits.UNLIMITED, 12).contains("memory is short"));
    }

    @Test
    void everyMessageIsOneLine() {
        for (int errno : new int[] {LibC.EBUSY(), LibC.ENOENT(), LibC.EACCES(), LibC.EPERM()}) {
            assertEquals(1, opening(errno).lines().count());
        }
    }
}
