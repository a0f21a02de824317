package io.grantwire.pmd.driver.pcap;

import static io.grantwire.pmd.driver.pcap.CaptureFile.frame;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.grantwire.pmd.ethdev.EthDeviceException;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import io.grantwire.pmd.testkit.ZeroAllocation;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PcapWriterTest {
    @TempDir Path dir;

    private static boolean write(PcapWriter w, byte[] frame, long nanos) {
        return w.write(MemorySegment.ofArray(frame), 0, frame.length, nanos);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatIsWrittenCanBeRead(boolean nanos) throws IOException {
        Path file = dir.resolve("out.pcap");
        Files.writeString(file, "old content, longer than what will be written".repeat(99));
        try (PcapWriter w = PcapWriter.create(file, nanos)) {
            assertTrue(write(w, frame(60, 1), 1_700_000_000_123_456_789L));
            assertTrue(write(w, new byte[0], 0));
            assertTrue(write(w, frame(PcapWriter.MAX_FRAME, 2), 4_294_967_295_999_999_999L));
            assertFalse(write(w, new byte[PcapWriter.MAX_FRAME + 1], 1));
            assertEquals(3, w.frames());
            assertEquals(file, w.file());
            assertNull(w.error());
        }
        try (PcapReader r = PcapReader.open(file)) {
            assertTrue(r.next());
            assertEquals(
                    nanos ? 1_700_000_000_123_456_789L : 1_700_000_000_123_456_000L,
                    r.timestampNanos());
            assertArrayEquals(
                    frame(60, 1),
                    r.segment().asSlice(r.offset(), 60).toArray(ValueLayout.JAVA_BYTE));
            assertTrue(r.next());
            assertEquals(0, r.capturedLength());
            assertTrue(r.next());
            assertEquals(PcapWriter.MAX_FRAME, r.capturedLength());
            assertEquals(4_294_967_295L, r.timestampNanos() / 1_000_000_000L);
            assertFalse(r.next());
            assertNull(r.error());
        }
    }

    @Test
    void chainsAreWrittenAsOneFrame() throws IOException {
        Path file = dir.resolve("out.pcap");
        byte[] data = frame(5000, 3);
        try (Mempool pool = Mempool.create(MempoolConfig.of("t", 8));
                PcapWriter w = PcapWriter.create(file, true)) {
            int m = pool.allocChain(5000);
            int at = 0;
            for (int s = m; s != 0; s = Mbuf.next(s)) {
                MemorySegment.copy(
                        data,
                        at,
                        Mbuf.segment(s),
                        ValueLayout.JAVA_BYTE,
                        Mbuf.offset(s),
                        Mbuf.dataLen(s));
                at += Mbuf.dataLen(s);
            }
            assertTrue(w.write(m, w.now()));
            // Lengths that disagree leave a record of the promised length.
            Mbuf.setPktLen(m, 5010);
            assertTrue(w.write(m, w.now()));
            Mbuf.setPktLen(m, 10);
            assertTrue(w.write(m, w.now()));
            Mbuf.free(m);
        }
        try (PcapReader r = PcapReader.open(file)) {
            assertTrue(r.next());
            assertArrayEquals(
                    data, r.segment().asSlice(r.offset(), 5000).toArray(ValueLayout.JAVA_BYTE));
            long age = Instant.now().toEpochMilli() - r.timestampNanos() / 1_000_000;
            assertTrue(Math.abs(age) < Duration.ofMinutes(5).toMillis(), "age " + age + " ms");
            assertTrue(r.next());
            assertEquals(5010, r.capturedLength());
            assertTrue(r.next());
            assertEquals(10, r.capturedLength());
            assertFalse(r.next());
            assertNull(r.error());
        }
    }

    @Test
    void framesReachTheFileWithFlush() {
        Path file = dir.resolve("out.pcap");
        try (PcapWriter w = PcapWriter.create(file, true)) {
            write(w, frame(60, 1), 1);
            assertEquals(0, w.framesInFile());
            assertTrue(w.flush());
            assertEquals(1, w.framesInFile());
            try (PcapReader r = PcapReader.open(file)) {
                assertTrue(r.next());
                assertFalse(r.next());
                assertNull(r.error());
            }
        }
    }

    @Test
    void aFullDiskIsToldAndNothingMoreIsAccepted() throws IOException {
        Path full = Path.of("/dev/full");
        assumeTrue(Files.exists(full), "there is no /dev/full");
        String message =
                assertThrows(EthDeviceException.class, () -> PcapWriter.create(full, true).close())
                        .getMessage();
        assertTrue(message.contains("/dev/full: write: ENOSPC (No space left"), message);
    }

    @Test
    void filesThatCannotBeMadeAreNamedWithTheError() {
        Path absent = dir.resolve("no/such/dir/x.pcap");
        String message =
                assertThrows(
                                EthDeviceException.class,
                                () -> PcapWriter.create(absent, true).close())
                        .getMessage();
        assertTrue(message.contains(absent + ": create: ENOENT"), message);
        message =
                assertThrows(EthDeviceException.class, () -> PcapWriter.create(dir, true).close())
                        .getMessage();
        assertTrue(message.contains("EISDIR"), message);
    }

    @Test
    void nothingIsAcceptedAfterClose() {
        PcapWriter w = PcapWriter.create(dir.resolve("x"), true);
        w.close();
        w.close();
        assertFalse(write(w, frame(60, 1), 1));
        assertNull(w.error());
    }

    @Test
    void otherProgramsReadIt() throws Exception {
        assumeTrue(Tools.present("tcpdump"), "tcpdump is not installed");
        for (boolean nanos : new boolean[] {true, false}) {
            Path file = dir.resolve("out" + nanos);
            try (PcapWriter w = PcapWriter.create(file, nanos)) {
                for (int i = 0; i < 1000; i++) {
                    write(w, frame(60 + i, i), 1_700_000_000_000_000_000L + i);
                }
            }
            String text = Tools.run("tcpdump", "-tt", "--nano", "-n", "-e", "-r", file.toString());
            assertEquals(
                    1000, text.lines().filter(l -> l.startsWith("1700000000.0000")).count(), text);
        }
    }

    @Test
    void writingAllocatesNothing() {
        // The same file over and over would grow without end; the null device does not.
        assumeTrue(Files.exists(Path.of("/dev/null")), "there is no /dev/null");
        MemorySegment data = MemorySegment.ofArray(frame(60, 1));
        try (PcapWriter w = PcapWriter.create(Path.of("/dev/null"), true)) {
            ZeroAllocation.check("capture writer", () -> w.write(data, 0, 60, 5) ? 1 : 0);
            assertTrue(w.flush());
        }
    }
}
