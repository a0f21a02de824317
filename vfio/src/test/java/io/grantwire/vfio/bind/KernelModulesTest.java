package io.grantwire.vfio.bind;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.vfio.PciAddress;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KernelModulesTest {
    private static final String NIC = "0000:09:00.0";

    @TempDir Path dir;

    private SimulatedKernel kernel;

    @BeforeEach
    void aMachine() {
        kernel = new SimulatedKernel(dir).device(NIC, 0x020000, "8086:10d3");
    }

    private List<String> candidates() {
        return new KernelModules(kernel.tree()).candidates(PciAddress.parse(NIC));
    }

    @Test
    void loadedIsWhatSysfsOrTheListOfBuiltInsHas() {
        kernel.driver("vfio-pci")
                .file(
                        "lib/modules/6.1.0-sim/modules.builtin",
                        "kernel/drivers/net/virtio_net.ko\nkernel/lib/crc.ko.xz\n");
        KernelModules modules = new KernelModules(kernel.tree());
        assertTrue(modules.isLoaded("vfio-pci"));
        assertTrue(modules.isLoaded("vfio_pci"));
        assertTrue(modules.isLoaded("virtio-net"));
        assertTrue(modules.isLoaded("crc"));
        assertFalse(modules.isLoaded("igb_uio"));
    }

    @Test
    void candidatesAreTheModulesWhoseAliasFits() {
        kernel.file(
                "lib/modules/6.1.0-sim/modules.alias",
                """
                # Aliases extracted from modules themselves.
                alias pci:v00008086d000010D3sv*sd*bc*sc*i* e1000e
                alias pci:v00008086d000010C9sv*sd*bc*sc*i* igb
                alias pci:v*d*sv*sd*bc02sc00i* generic_nic
                alias pci:v00008086d000010D3sv*sd*bc*sc*i* e1000e
                alias usb:v0000d* odd
                alias vfio_pci:v*d*sv*sd*bc*sc*i* vfio_pci
                """);
        assertEquals(List.of("e1000e", "generic_nic"), candidates());
    }

    @Test
    void whatIsBuiltInIsACandidateToo() {
        kernel.file(
                "lib/modules/6.1.0-sim/modules.builtin.modinfo",
                "e1000e.license=GPL\0e1000e.alias=pci:v00008086d000010D3sv*sd*bc*sc*i*\0");
        assertEquals(List.of("e1000e"), candidates());
    }

    @Test
    void withoutAliasFilesThereAreNone() {
        assertEquals(List.of(), candidates());
    }

    @ParameterizedTest
    @CsvSource({
        "a*c, abbbc, true",
        "a*c, abbbd, false",
        "a?c, abc, true",
        "a?c, ac, false",
        "0[0-3], 02, true",
        "0[0-3], 04, false",
        "0[!0-3], 04, true",
        "x[]]y, x]y, true",
        "x[a-]y, x-y, true",
        "a[b, a[b, true",
        "0000:02:00.*, 0000:02:00.1, true",
        "0000:02:00.*, 0000:02:0001, false",
    })
    void shellPatternsReadAsTheShellReadsThem(String pattern, String text, boolean fits) {
        assertEquals(fits, new ShellPattern(pattern).matches(text));
    }
}
