package io.grantwire.tools.nicbind;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.grantwire.tools.InProcess;
import io.grantwire.vfio.bind.SimulatedKernel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Our status beside that of DPDK's own program, Debian's {@code dpdk-devbind.py}: on this machine
 * as it is, and on a made-up one. For the latter the made-up sysfs is mounted over {@code /sys} in
 * a mount namespace, with a network namespace for the routes, so that the unchanged script, the
 * real lspci and the real ip look at it.
 *
 * <p>Three differences are meant: releases have different categories, which are left out here when
 * only one side has them; newer ones show NUMA nodes; and of several modules that fit a device ours
 * names all, the script the last, so that {@code unused=} is compared only where no module list is.
 */
@Tag("machine")
class DevbindComparisonIT {
    private static final long PATIENCE_SECONDS = 60;

    @TempDir Path dir;

    @Test
    void thisMachinesDevicesAreTheSame() throws Exception {
        Map<String, List<String>> theirs = sections(devbind(List.of("dpdk-devbind.py", "-s")));
        InProcess.Result ours = InProcess.run("nic-bind", "-s");
        assertEquals(0, ours.status(), ours.err());
        compare(theirs, sections(ours.out()), false);
    }

    @Test
    void aMachineWithAllKindsOfDevicesIsTheSame() throws Exception {
        assumeTrue("root".equals(System.getProperty("user.name")), "namespaces need root");
        SimulatedKernel kernel = machine();
        Path script =
                Files.writeString(
                        dir.resolve("look.sh"),
                        """
                        set -eu
                        mount --bind "$1/sys" /sys
                        [ ! -d /lib/modules ] || mount -t tmpfs tmpfs /lib/modules
                        ip link set lo up
                        for i in 0 1; do ip link add eth$i type veth peer name peer$i; ip link set eth$i up; done
                        ip address add 192.0.2.1/24 dev eth0
                        ip address add 169.254.3.4/16 dev eth1
                        ip route add 198.51.100.0/24 via 192.0.2.9
                        cat /proc/net/route > "$1/proc/net/route"
                        dpdk-devbind.py -s
                        """);
        String theirs =
                devbind(
                        List.of(
                                "unshare",
                                "--mount",
                                "--net",
                                "--propagation",
                                "private",
                                "sh",
                                script.toString(),
                                dir.toString()));
        InProcess.Result ours = InProcess.run("nic-bind", "--root", dir.toString(), "-s");
        assertEquals(0, ours.status(), ours.err());
        assertTrue(theirs.contains("0000:09:00.0"), "the script saw the made-up tree: " + theirs);
        assertTrue(theirs.contains("if=eth0 drv=igb unused=vfio-pci *Active*"), theirs);
        compare(sections(theirs), sections(ours.out()), true);
        assertEquals(List.of(), kernel.log());
    }

    /** One device at least of every category, in all three groups, active and not. */
    private SimulatedKernel machine() throws IOException {
        SimulatedKernel kernel =
                new SimulatedKernel(dir)
                        .withIommu()
                        .driver("igb", "8086:10c9")
                        .driver("virtio-pci")
                        .driver("vfio-pci");
        int n = 0;
        for (String nic : List.of("0000:09:00.0", "0000:09:00.1", "0000:0a:00.0")) {
            kernel.device(nic, 0x020000, "8086:10c9").netInterface(nic, "eth" + n++);
        }
        kernel.bound("0000:09:00.0", "igb")
                .bound("0000:09:00.1", "igb")
                .bound("0000:0a:00.0", "vfio-pci")
                .device("0001:0b:00.0", 0x020000, "8086:1572")
                .device("0000:0c:00.0", 0x120000, "8086:0b30")
                .device("0000:0c:00.1", 0x120000, "8086:0d5c")
                .device("0000:0d:00.0", 0x100000, "8086:37c8")
                .device("0000:0d:00.1", 0x0b4000, "8086:2710")
                .device("0000:0e:00.0", 0x088000, "8086:0b25")
                .device("0000:0e:00.1", 0x088000, "8086:ffff")
                .device("0000:0f:00.0", 0x088000, "177d:a0fb")
                .device("0000:0f:00.1", 0x088000, "177d:a0f4")
                .device("0000:10:00.0", 0x120000, "177d:a037")
                .device("0000:00:02.0", 0x018000, "1af4:1042")
                .bound("0000:00:02.0", "virtio-pci")
                .device("0000:00:00.0", 0x060000, "8086:0d57");
        for (String place : List.of("misc/pci.ids", "hwdata/pci.ids")) {
            Path names = Path.of("/usr/share").resolve(place);
            if (Files.isReadable(names)) {
                kernel.file("usr/share/misc/pci.ids", Files.readString(names));
                break;
            }
        }
        try (var devices = Files.list(dir.resolve("sys/bus/pci/devices"))) {
            for (Path device : devices.toList()) {
                completeForLspci(device);
            }
        }
        return kernel;
    }

    /** What lspci wants to see besides: configuration space, resources, the interrupt. */
    private static void completeForLspci(Path device) throws IOException {
        ByteBuffer config = ByteBuffer.allocate(256).order(ByteOrder.LITTLE_ENDIAN);
        config.putShort(0x00, number(device.resolve("vendor")));
        config.putShort(0x02, number(device.resolve("device")));
        int classCode = Integer.decode(Files.readString(device.resolve("class")).strip());
        config.putInt(0x08, classCode << 8);
        config.putShort(0x2c, number(device.resolve("subsystem_vendor")));
        config.putShort(0x2e, number(device.resolve("subsystem_device")));
        Files.write(device.resolve("config"), config.array());
        String none = "0x0000000000000000 0x0000000000000000 0x0000000000000000\n";
        Files.writeString(device.resolve("resource"), none.repeat(13));
        Files.writeString(device.resolve("irq"), "0\n");
    }

    private static short number(Path file) throws IOException {
        return (short) (int) Integer.decode(Files.readString(file).strip());
    }

    private String devbind(List<String> command) throws Exception {
        for (String program : List.of("dpdk-devbind.py", "lspci", "ip", "python3")) {
            assumeTrue(
                    List.of("/usr/bin", "/usr/sbin", "/bin", "/sbin").stream()
                            .anyMatch(d -> Files.isExecutable(Path.of(d, program))),
                    "needs " + program + ": apt-get install dpdk pciutils iproute2 python3");
        }
        assumeTrue(Files.isDirectory(Path.of("/sys/bus/pci/devices")), "needs a PCI bus in /sys");
        Path out = dir.resolve("out");
        Path err = dir.resolve("err");
        Process process =
                new ProcessBuilder(command)
                        .redirectOutput(out.toFile())
                        .redirectError(err.toFile())
                        .start();
        if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("still running: " + command);
        }
        String errors = Files.readString(err, StandardCharsets.UTF_8);
        assumeTrue(!errors.contains("unshare failed"), "no mount namespace of our own: " + errors);
        assertEquals(0, process.exitValue(), errors);
        return Files.readString(out, StandardCharsets.UTF_8);
    }

    /** Headings with the lines under them. */
    private static Map<String, List<String>> sections(String status) {
        Map<String, List<String>> sections = new LinkedHashMap<>();
        for (String block : status.strip().split("\n\n")) {
            List<String> lines = block.lines().toList();
            assertEquals("=".repeat(lines.getFirst().length()), lines.get(1), block);
            sections.put(lines.getFirst(), lines.subList(2, lines.size()));
        }
        return sections;
    }

    private static void compare(
            Map<String, List<String>> theirs, Map<String, List<String>> ours, boolean unused) {
        ours.keySet().removeIf(title -> title.contains("ML") && !theirs.containsKey(title));
        theirs.keySet().removeIf(title -> title.contains("ML") && !ours.containsKey(title));
        assertEquals(List.copyOf(theirs.keySet()), List.copyOf(ours.keySet()));
        theirs.forEach((title, lines) ->
                assertEquals(
                        comparable(lines, unused), comparable(ours.get(title), unused), title));
    }

    private static List<String> comparable(List<String> lines, boolean unused) {
        return lines.stream()
                .map(line -> line.replaceAll("numa_node=\\d+ ", ""))
                .map(line -> unused ? line : line.replaceAll("unused=\\S*", "unused="))
                .toList();
    }
}
