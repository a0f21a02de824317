package io.grantwire.tools.process;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The demo as people run it: five processes, and nothing of them left afterwards. */
class DemoProcessIT {
    private static final long VM1 = 0x11;
    private static final long VM2 = 0x22;
    private static final long LAST = 0x33;

    @TempDir Path dir;
    private Path host;
    private Program demo;

    @BeforeEach
    void packaged() {
        Program.assumePackaged();
        host = dir.resolve("host");
    }

    @AfterEach
    void end() {
        if (demo != null) {
            demo.close();
        }
    }

    private Program demo(Object... args) {
        List<Object> all = new ArrayList<>(List.of("demo", "--dir", host));
        all.addAll(List.of(args));
        demo = Program.start(all.toArray());
        return demo;
    }

    private List<ProcessHandle> children() {
        return demo.handle().children().toList();
    }

    private void nothingIsLeft(List<ProcessHandle> children) {
        Program.await(
                () -> children.stream().noneMatch(ProcessHandle::isAlive), "the end of children");
        assertFalse(Files.exists(host), host + " is left");
    }

    @Test
    void replaysACaptureInOrderAndUnchanged() throws IOException {
        Random random = new Random(1);
        List<byte[]> input = new ArrayList<>();
        List<byte[]> expected = new ArrayList<>();
        int foreign = 0;
        int otherVlan = 0;
        int untagged = 0;
        for (int length = 60; length <= 1514; length++) {
            byte[] ours = Captures.frame(random, VM1, 1000, length);
            input.add(ours);
            expected.add(Captures.readdressed(ours, LAST, VM2, 1001));
            switch (length % 10) {
                case 3 -> {
                    input.add(Captures.frame(random, 0x77, 1000, length));
                    foreign++;
                }
                case 5 -> {
                    input.add(Captures.frame(random, VM1, 1001 + length, length));
                    otherVlan++;
                }
                case 7 -> {
                    input.add(Captures.frame(random, VM1, -1, length));
                    untagged++;
                }
                default -> {}
            }
        }
        Path in = dir.resolve("in.pcap");
        Path out = dir.resolve("out.pcap");
        Captures.write(in, input);

        demo("--pcap-in", in, "--pcap-out", out, "--json");
        assertEquals(0, demo.awaitEnd(), () -> demo.out() + demo.err());

        assertFrames(expected, Captures.read(out));
        JsonObject report = JsonParser.parseString(demo.out()).getAsJsonObject();
        assertEquals(input.size(), report.get("framesIn").getAsInt());
        assertEquals(expected.size(), report.get("deliveredToVm1").getAsInt());
        assertEquals(expected.size(), report.get("forwardedToVm2").getAsInt());
        assertEquals(expected.size(), report.get("out").getAsInt());
        JsonObject dropped = report.getAsJsonObject("dropped");
        assertEquals(foreign, dropped.get("unknown_mac").getAsInt());
        assertEquals(otherVlan, dropped.get("vlan_mismatch").getAsInt());
        assertEquals(untagged, dropped.get("untagged").getAsInt());
        assertEquals(3, dropped.size(), dropped.toString());
        assertTrue(report.get("complete").getAsBoolean());
        nothingIsLeft(List.of());
    }

    @Test
    void aCaptureManyTimesLargerThanAllRingsLosesNothing() throws IOException {
        Random random = new Random(2);
        List<byte[]> input = new ArrayList<>();
        List<byte[]> expected = new ArrayList<>();
        for (int i = 0; i < 20_000; i++) {
            byte[] frame = Captures.frame(random, VM1, 1000, 60 + random.nextInt(200));
            input.add(frame);
            expected.add(Captures.readdressed(frame, LAST, VM2, 1001));
        }
        Path in = dir.resolve("in.pcap");
        Path out = dir.resolve("out.pcap");
        Captures.write(in, input);
        demo("--pcap-in", in, "--pcap-out", out);
        assertEquals(0, demo.awaitEnd(), () -> demo.out() + demo.err());
        assertFrames(expected, Captures.read(out));
        assertTrue(demo.out().contains("Frames out to the wire                20000"), demo.out());
        assertTrue(demo.out().contains("All frames for the guests came out."), demo.out());
    }

    @Test
    void readdressesAnyCapture() throws IOException {
        Random random = new Random(3);
        List<byte[]> input = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            input.add(
                    Captures.frame(
                            random, random.nextLong() & 0xffff_ffff_ffffL, i % 3 - 1, 60 + i));
        }
        Path in = dir.resolve("in.pcap");
        Path out = dir.resolve("out.pcap");
        Captures.write(in, input);
        demo("--pcap-in", in, "--pcap-out", out, "--retarget");
        assertEquals(0, demo.awaitEnd(), () -> demo.out() + demo.err());
        List<byte[]> frames = Captures.read(out);
        assertEquals(500, frames.size());
        for (int i = 0; i < 500; i++) {
            int tag = i % 3 == 0 ? 0 : 4;
            byte[] sent = input.get(i);
            byte[] got = frames.get(i);
            assertArrayEquals(
                    java.util.Arrays.copyOfRange(sent, 12 + tag, sent.length),
                    java.util.Arrays.copyOfRange(got, 16, got.length),
                    "frame " + i);
        }
    }

    @Test
    void withoutVm2vmGuestsFramesGoToTheWire() throws IOException {
        Random random = new Random(4);
        byte[] frame = Captures.frame(random, VM1, 1000, 100);
        Path in = dir.resolve("in.pcap");
        Path out = dir.resolve("out.pcap");
        Captures.write(in, List.of(frame));
        demo("--pcap-in", in, "--pcap-out", out, "--vm2vm", "0");
        assertEquals(0, demo.awaitEnd(), () -> demo.out() + demo.err());
        assertFrames(List.of(Captures.readdressed(frame, VM2, VM1, 1000)), Captures.read(out));
    }

    @Test
    void generatesAndChecksFrames() {
        demo("--frames", 5000, "--size", 1514, "--json");
        assertEquals(0, demo.awaitEnd(), () -> demo.out() + demo.err());
        JsonObject report = JsonParser.parseString(demo.out()).getAsJsonObject();
        for (String counter : List.of("framesIn", "deliveredToVm1", "forwardedToVm2", "out")) {
            assertEquals(5000, report.get(counter).getAsInt(), counter);
        }
        assertEquals(0, report.getAsJsonObject("dropped").size());
        assertTrue(report.getAsJsonObject("latencyNanos").get("99").getAsLong() > 0);
        nothingIsLeft(List.of());
    }

    @Test
    void showsCountersEverySecondAndATable() {
        demo("--duration", 2);
        assertEquals(0, demo.awaitEnd(), () -> demo.out() + demo.err());
        assertTrue(
                demo.out().matches("(?s).*\\n +\\d+ s   in +\\d+   VM1 +\\d+ .*Mpps\\n.*"),
                demo.out());
        for (String row :
                List.of(
                        "Frames in from the wire",
                        "delivered to VM1",
                        "forwarded to VM2",
                        "Frames out to the wire",
                        "Dropped",
                        "Mpps",
                        "99.9 %",
                        "All frames came back in order and unchanged.")) {
            assertTrue(demo.out().contains(row), () -> "no '" + row + "' in " + demo.out());
        }
    }

    @Test
    void ctrlCEndsEverythingInOrder() {
        demo("--duration", 600);
        demo.awaitOut(" s   in ");
        List<ProcessHandle> children = children();
        assertEquals(4, children.size());
        demo.interrupt();
        assertEquals(130, demo.awaitEnd(), () -> demo.out() + demo.err());
        assertEquals("", demo.err());
        assertTrue(demo.out().contains("Frames out to the wire"), demo.out());
        nothingIsLeft(children);
    }

    @Test
    void killingTheParentLeavesNoChild() {
        demo("--duration", 600);
        demo.awaitOut(" s   in ");
        List<ProcessHandle> children = children();
        assertEquals(4, children.size());
        demo.signal("KILL");
        demo.awaitEnd();
        nothingIsLeft(children);
    }

    @Test
    void killingAGuestIsToldInOneLine() {
        demo("--duration", 600);
        demo.awaitOut(" s   in ");
        List<ProcessHandle> children = children();
        ProcessHandle vm1 =
                children.stream()
                        .filter(c -> commandLine(c).contains("--domid\0" + "1\0"))
                        .findFirst()
                        .orElseThrow();
        vm1.destroyForcibly();
        assertEquals(1, demo.awaitEnd(), () -> demo.out() + demo.err());
        assertEquals(1, demo.err().lines().count(), demo.err());
        assertTrue(demo.err().startsWith("grantwire demo: VM1 ended with status 137"), demo.err());
        nothingIsLeft(children);
    }

    private static String commandLine(ProcessHandle process) {
        try {
            return Files.readString(Path.of("/proc/" + process.pid() + "/cmdline"));
        } catch (IOException e) {
            return "";
        }
    }

    @Test
    void xensToolsReadTheStoreWhileItRuns() {
        assumeTrue(
                Files.isExecutable(Path.of("/usr/bin/xenstore-ls")),
                "xenstore-ls is not installed (apt-get install xenstore-utils)");
        demo("--frames", 100, "--keep");
        demo.awaitOut("All traffic is through");
        String keys =
                Program.runWith(
                        Map.of("XENSTORED_PATH", host.resolve("xenstored.sock").toString()),
                        "/usr/bin/xenstore-ls",
                        "-f",
                        "/local/domain/1/control/dpdk");
        String base = "/local/domain/1/control/dpdk/";
        for (String key :
                List.of(
                        "0_mempool_gref = \"\\d+(,\\d+)*\"",
                        "0_mempool_va = \"[0-9a-f]+\"",
                        "0_rx_vring_gref = \"\\d+\"",
                        "0_tx_vring_gref = \"\\d+\"",
                        "0_ether_addr = \"00:00:00:00:00:11\"",
                        "0_vring_flag = \"\\d+\"",
                        "event_type_start_0 = \"1\"")) {
            assertTrue(
                    keys.lines().anyMatch(line -> line.matches(base + key)),
                    () -> key + " is not in " + keys);
        }
        demo.interrupt();
        assertEquals(0, demo.awaitEnd(), () -> demo.out() + demo.err());
        nothingIsLeft(List.of());
    }

    @Test
    void aBusyDirectoryIsRefusedAndLeftAlone() {
        try (Program other = Program.start("host", "--dir", host)) {
            other.awaitOut("emulated host in");
            demo("--frames", 10);
            failsInOneLine("is busy");
            assertTrue(Files.exists(host.resolve("xenstored.sock")));
            other.interrupt();
            assertEquals(0, other.awaitEnd());
        }
        assertFalse(Files.exists(host));
    }

    @Test
    void unreadableAndUnwritableCapturesAreToldInOneLine() throws IOException {
        Path in = dir.resolve("in.pcap");
        Path out = dir.resolve("out.pcap");
        demo("--pcap-in", in, "--pcap-out", out);
        failsInOneLine("in.pcap: open: ENOENT");
        Files.writeString(in, "this is no capture");
        demo("--pcap-in", in, "--pcap-out", out);
        failsInOneLine("neither pcap nor pcapng");
        assertFalse(Files.exists(out));
        Captures.write(in, List.of(Captures.frame(new Random(), VM1, 1000, 60)));
        demo("--pcap-in", in, "--pcap-out", "/dev/full");
        failsInOneLine("ENOSPC");
        demo("--pcap-in", in, "--pcap-out", dir.resolve("no/such/dir/out.pcap"));
        failsInOneLine("ENOENT");
    }

    private void failsInOneLine(String reason) {
        assertEquals(1, demo.awaitEnd(), () -> demo.out() + demo.err());
        assertEquals(1, demo.err().lines().count(), demo.err());
        assertTrue(demo.err().startsWith("grantwire demo: "), demo.err());
        assertTrue(demo.err().contains(reason), demo.err());
        assertEquals(List.of(), children());
    }

    private static void assertFrames(List<byte[]> expected, List<byte[]> actual) {
        assertEquals(expected.size(), actual.size(), "frames");
        for (int i = 0; i < expected.size(); i++) {
            assertArrayEquals(expected.get(i), actual.get(i), "frame " + i);
        }
    }
}
