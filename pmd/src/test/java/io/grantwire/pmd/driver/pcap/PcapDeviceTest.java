package io.grantwire.pmd.driver.pcap;

import static io.grantwire.pmd.driver.pcap.CaptureFile.frame;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDeviceContractTest;
import io.grantwire.pmd.ethdev.EthDeviceException;
import io.grantwire.pmd.ethdev.EthDrivers;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.MemorySource;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PcapDeviceTest extends EthDeviceContractTest {
    @TempDir Path dir;

    private static PcapDevice probe(String args) {
        return (PcapDevice)
                EthDrivers.probe(
                        "net_pcap3," + args,
                        () -> {
                            throw new AssertionError("no domain needed");
                        });
    }

    @Override
    protected Rig openRig() throws IOException {
        CaptureFile in = CaptureFile.micros();
        for (int i = 0; i < 1000; i++) {
            in.record(frame(64, i));
        }
        Path input = in.write(dir, "rig-in.pcap");
        Path output = dir.resolve("rig-out.pcap");
        PcapDevice device = probe("rx_pcap=" + input + ",tx_pcap=" + output + ",infinite_rx=1");
        return new Rig() {
            private int seen;

            @Override
            public EthDevice device() {
                return device;
            }

            @Override
            public void arrive(int frames, int size) {}

            @Override
            public int fixedSize() {
                return 64;
            }

            @Override
            public List<byte[]> departed() {
                assertTrue(device.flush());
                List<byte[]> all = frames(output);
                List<byte[]> news = all.subList(seen, all.size());
                seen = all.size();
                return news;
            }
        };
    }

    private static List<byte[]> frames(Path file) {
        List<byte[]> all = new ArrayList<>();
        try (PcapReader r = PcapReader.open(file)) {
            while (r.next()) {
                all.add(
                        r.segment()
                                .asSlice(r.offset(), r.capturedLength())
                                .toArray(ValueLayout.JAVA_BYTE));
            }
            assertEquals(null, r.error());
        }
        return all;
    }

    private static byte[] bytes(int mbuf) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int s = mbuf; s != 0; s = Mbuf.next(s)) {
            out.writeBytes(
                    Mbuf.segment(s)
                            .asSlice(Mbuf.offset(s), Mbuf.dataLen(s))
                            .toArray(ValueLayout.JAVA_BYTE));
        }
        return out.toByteArray();
    }

    private static Mempool pool(int count) {
        return Mempool.create(new MempoolConfig("t", count, 2048, 0, MemorySource.plain()));
    }

    private static void start(EthDevice d, Mempool pool) {
        d.configure(EthConfig.SINGLE_QUEUE);
        d.rxQueueSetup(0, 0, pool);
        d.txQueueSetup(0, 0);
        d.start();
    }

    /** Forwards everything from the device to itself; how many frames. */
    private static int forwardAll(PcapDevice d, int burstSize) {
        int[] burst = new int[burstSize];
        int total = 0;
        for (int idle = 0; idle < 100 && !d.inputFinished(); idle++) {
            int n = d.rxBurst(0, burst, 0, burstSize);
            total += n;
            int sent = d.txBurst(0, burst, 0, n);
            Mempool.freeBulk(burst, sent, n - sent);
            idle = n > 0 ? 0 : idle;
        }
        assertTrue(d.inputFinished());
        return total;
    }

    @Test
    void everyFrameGoesThroughUnchangedAndTheEndIsSeen() throws IOException {
        CaptureFile in = CaptureFile.ng(ByteOrder.BIG_ENDIAN).nic(1);
        List<byte[]> expected = new ArrayList<>();
        for (int i = 0; i < 3000; i++) {
            byte[] f = frame(14 + i * 7 % 9200, i);
            expected.add(f);
            in.enhanced(0, i, f.length, f);
        }
        Path input = in.write(dir, "in.pcapng");
        Path output = dir.resolve("out.pcap");
        try (Mempool pool = pool(64);
                PcapDevice d = probe("rx_pcap=" + input + ",tx_pcap=" + output)) {
            start(d, pool);
            assertTrue(d.info().lossless());
            assertFalse(d.inputFinished());
            // A burst that needs more mbufs than there are: frames wait, none is lost.
            assertEquals(3000, forwardAll(d, 32));
            assertTrue(d.stats().rxNombuf() > 0);
            assertTrue(d.ioError().isEmpty());
            assertEquals(List.of(), d.inputProblems());
            assertEquals(0, d.rxBurst(0, new int[4], 0, 4));
            d.stop();
            List<byte[]> got = frames(output);
            assertEquals(3000, got.size());
            for (int i = 0; i < 3000; i++) {
                assertArrayEquals(expected.get(i), got.get(i));
            }
            assertEquals(0, pool.inUse());
        }
    }

    @Test
    void stopAndStartGoOnWhereTheyWere() throws IOException {
        CaptureFile in = CaptureFile.micros();
        for (int i = 0; i < 10; i++) {
            in.record(frame(60, i));
        }
        Path input = in.write(dir, "in.pcap");
        Path output = dir.resolve("out.pcap");
        try (Mempool pool = pool(64);
                PcapDevice d = probe("rx_pcap=" + input + ",tx_pcap=" + output)) {
            start(d, pool);
            int[] burst = new int[4];
            assertEquals(4, d.rxBurst(0, burst, 0, 4));
            assertEquals(4, d.txBurst(0, burst, 0, 4));
            d.stop();
            start(d, pool);
            assertEquals(6, forwardAll(d, 4));
            d.stop();
            assertEquals(10, frames(output).size());
        }
    }

    @Test
    void packetsThatAreNoWholeFramesArePassedOverCountedAndDescribed() throws IOException {
        CaptureFile in = CaptureFile.ng(ByteOrder.LITTLE_ENDIAN).nic(1).nic(101);
        in.enhanced(0, 1, 60, frame(60, 1));
        in.enhanced(0, 2, 1500, frame(96, 2));
        in.enhanced(1, 3, 60, frame(60, 3));
        in.enhanced(0, 4, 13, frame(13, 4));
        in.enhanced(0, 5, 14, frame(14, 5));
        Path input = in.write(dir, "in.pcap");
        try (Mempool pool = pool(64);
                PcapDevice d = probe("rx_pcap=" + input)) {
            start(d, pool);
            int[] burst = new int[8];
            assertEquals(2, d.rxBurst(0, burst, 0, 8));
            assertArrayEquals(frame(60, 1), bytes(burst[0]));
            assertArrayEquals(frame(14, 5), bytes(burst[1]));
            Mempool.freeBulk(burst, 0, 2);
            assertEquals(3, d.stats().ierrors());
            assertEquals(1, d.xstats().get("rx_truncated_errors"));
            assertEquals(1, d.xstats().get("rx_link_type_errors"));
            assertEquals(1, d.xstats().get("rx_runt_errors"));
            assertEquals(1, d.inputProblems().size());
            String problem = d.inputProblems().get(0);
            assertTrue(
                    problem.startsWith("capture file " + input + ": packet 2 at byte "), problem);
            assertTrue(problem.contains("96 of 1500 bytes"), problem);
            assertTrue(d.inputFinished());
            assertTrue(d.ioError().isEmpty());
        }
    }

    @Test
    void damagedInputIsReceivedUpToTheDamageAndTold() throws IOException {
        Path input = CaptureFile.micros().record(frame(60, 1)).u32(1).u32(2).write(dir, "in.pcap");
        try (Mempool pool = pool(64);
                PcapDevice d = probe("rx_pcap=" + input)) {
            start(d, pool);
            assertTrue(d.link().up());
            int[] burst = new int[8];
            assertEquals(1, d.rxBurst(0, burst, 0, 8));
            Mempool.freeBulk(burst, 0, 1);
            assertTrue(d.inputFinished());
            String error = d.ioError().orElseThrow();
            assertTrue(error.contains("packet 2 at byte 100: the file is cut off"), error);
            assertEquals(1, d.stats().ierrors());
            assertFalse(d.link().up());
        }
    }

    @Test
    void anEndlessFileWithoutFramesEnds() throws IOException {
        Path input = CaptureFile.micros().record(frame(5, 1)).write(dir, "in.pcap");
        try (Mempool pool = pool(64);
                PcapDevice d = probe("rx_pcap=" + input + ",infinite_rx=1")) {
            start(d, pool);
            assertEquals(0, d.rxBurst(0, new int[8], 0, 8));
            assertTrue(d.inputFinished());
        }
    }

    @Test
    void outputThatCannotBeWrittenIsToldAndRefusesFrames() throws Exception {
        Path small = Path.of("/dev/shm/grantwire-test-" + ProcessHandle.current().pid());
        Files.createDirectories(small);
        // A file size limit stands in for a full disk: it needs no privilege.
        Path output = small.resolve("out.pcap");
        try {
            String text =
                    Tools.run(
                            "bash",
                            "-c",
                            "trap '' XFSZ; ulimit -f 200; exec \"$0\" \"$@\"",
                            ProcessHandle.current().info().command().orElseThrow(),
                            "--enable-native-access=ALL-UNNAMED",
                            "-XX:-UsePerfData",
                            "-XX:TieredStopAtLevel=1",
                            "-cp",
                            System.getProperty("java.class.path"),
                            FullDiskProgram.class.getName(),
                            output.toString());
            assertTrue(text.contains("EFBIG (File too large)"), text);
            assertTrue(text.contains("refused: true"), text);
            assertTrue(text.contains("link up: false"), text);
            assertTrue(text.contains("left out: 0"), text);
            // What the error says is in the file, is.
            int inFile =
                    Integer.parseInt(text.replaceAll("(?s).*; (\\d+) frames are in it.*", "$1"));
            assertTrue(inFile > 0, text);
            assertEquals(inFile, frames(output).size());
            int lost = Integer.parseInt(text.replaceAll("(?s).*, (\\d+) are lost.*", "$1"));
            assertTrue(text.contains("accepted: " + (inFile + lost)), text);
            assertTrue(text.contains("errors: " + lost), text);
        } finally {
            Files.deleteIfExists(output);
            Files.deleteIfExists(small);
        }
    }

    @Test
    void severalFilesAreSeveralQueues() throws IOException {
        Path a = CaptureFile.micros().record(frame(60, 1)).write(dir, "a");
        Path b = CaptureFile.micros().record(frame(61, 2)).write(dir, "b");
        try (Mempool pool = pool(64);
                PcapDevice d =
                        probe(
                                "rx_pcap="
                                        + a
                                        + ",rx_pcap="
                                        + b
                                        + ",tx_pcap="
                                        + dir.resolve("c")
                                        + ",tx_pcap="
                                        + dir.resolve("d")
                                        + ",tx_nanos=0")) {
            d.configure(new EthConfig(2, 2));
            for (int q = 0; q < 2; q++) {
                d.rxQueueSetup(q, 0, pool);
                d.txQueueSetup(q, 0);
            }
            d.start();
            int[] burst = new int[4];
            assertEquals(1, d.rxBurst(1, burst, 0, 4));
            assertEquals(61, Mbuf.pktLen(burst[0]));
            assertEquals(1, d.txBurst(0, burst, 0, 1));
            assertFalse(d.inputFinished());
            assertEquals(1, d.rxBurst(0, burst, 0, 4));
            assertEquals(1, d.txBurst(1, burst, 0, 1));
            assertEquals(0, d.rxBurst(0, burst, 0, 4) + d.rxBurst(1, burst, 0, 4));
            assertTrue(d.inputFinished());
            d.stop();
            assertArrayEquals(frame(61, 2), frames(dir.resolve("c")).get(0));
            assertArrayEquals(frame(60, 1), frames(dir.resolve("d")).get(0));
        }
    }

    @Test
    void withoutAnOutputFramesGoNowhereAndWithoutAnInputNoneCome() throws IOException {
        Path a = CaptureFile.micros().record(frame(60, 1)).write(dir, "a");
        try (Mempool pool = pool(8);
                PcapDevice in = probe("rx_pcap=" + a);
                PcapDevice out = probe("tx_pcap=" + dir.resolve("b"))) {
            start(in, pool);
            start(out, pool);
            assertEquals(1, forwardAll(in, 8));
            assertEquals(1, in.stats().opackets());
            assertEquals(0, out.rxBurst(0, new int[4], 0, 4));
            assertTrue(out.inputFinished());
        }
    }

    @Test
    void theAddressSpellsPcap() {
        try (PcapDevice d = probe("tx_pcap=" + dir.resolve("b"))) {
            assertEquals("02:70:63:61:70:03", d.macAddress().toString());
        }
    }

    @Test
    void filesAreNotOverwrittenByMistake() throws IOException {
        Path a = CaptureFile.micros().record(frame(60, 1)).write(dir, "a");
        long size = Files.size(a);
        Path link = Files.createSymbolicLink(dir.resolve("link"), a);
        for (String args :
                List.of(
                        "rx_pcap=" + a + ",tx_pcap=" + a,
                        "rx_pcap=" + a + ",tx_pcap=" + dir + "/./a",
                        "rx_pcap=" + a + ",tx_pcap=" + link,
                        "tx_pcap=" + dir + "/b,tx_pcap=" + dir + "/b")) {
            String message =
                    assertThrows(IllegalArgumentException.class, () -> probe(args).close())
                            .getMessage();
            assertTrue(message.contains("cannot be used twice"), message);
        }
        Path bad = Files.writeString(dir.resolve("bad"), "no capture file");
        Path keep = Files.writeString(dir.resolve("keep"), "precious");
        String message =
                assertThrows(
                                EthDeviceException.class,
                                () -> probe("rx_pcap=" + bad + ",tx_pcap=" + keep).close())
                        .getMessage();
        assertTrue(message.startsWith("device net_pcap3: capture file " + bad), message);
        assertEquals("precious", Files.readString(keep));
        assertEquals(size, Files.size(a));
        assertThrows(IllegalArgumentException.class, () -> probe("").close());
        assertThrows(IllegalArgumentException.class, () -> probe("rx_pcap=").close());
    }
}
