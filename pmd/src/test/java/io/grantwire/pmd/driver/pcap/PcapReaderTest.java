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
import io.grantwire.pmd.testkit.ZeroAllocation;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PcapReaderTest {
    @TempDir Path dir;

    private static ByteOrder order(String name) {
        return name.equals("BE") ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
    }

    private static byte[] data(PcapReader r) {
        return r.segment().asSlice(r.offset(), r.capturedLength()).toArray(ValueLayout.JAVA_BYTE);
    }

    private PcapReader open(CaptureFile file) throws IOException {
        return PcapReader.open(file.write(dir, "x.pcap"));
    }

    private static void expectPacket(PcapReader r, long nanos, byte[] data) {
        assertTrue(r.next(), () -> "a packet, but: " + r.error());
        assertArrayEquals(data, data(r));
        assertEquals(nanos, r.timestampNanos());
    }

    private static void expectEnd(PcapReader r) {
        assertFalse(r.next());
        assertNull(r.error());
        assertFalse(r.next());
    }

    private void expectError(CaptureFile file, int packetsBefore, String... words)
            throws IOException {
        try (PcapReader r = open(file)) {
            for (int i = 0; i < packetsBefore; i++) {
                assertTrue(r.next(), r.error());
            }
            assertFalse(r.next());
            assertFalse(r.next());
            String e = r.error();
            assertTrue(
                    e.startsWith(
                            "capture file "
                                    + dir.resolve("x.pcap")
                                    + ": packet "
                                    + (packetsBefore + 1)
                                    + " at byte "),
                    e);
            for (String word : words) {
                assertTrue(e.contains(word), e);
            }
            assertFalse(e.contains("\n"), e);
        }
    }

    private void expectRefused(CaptureFile file, String words) {
        EthDeviceException e = assertThrows(EthDeviceException.class, () -> open(file).close());
        assertTrue(e.getMessage().contains(words), e.getMessage());
        assertTrue(e.getMessage().startsWith("capture file " + dir), e.getMessage());
    }

    // Classic.

    @ParameterizedTest
    @CsvSource({"LE, a1b2c3d4, 1000", "BE, a1b2c3d4, 1000", "LE, a1b23c4d, 1", "BE, a1b23c4d, 1"})
    void classicFilesOfBothByteOrdersAndResolutions(String order, String magic, int nanosPerTick)
            throws IOException {
        CaptureFile f =
                CaptureFile.classic(order(order), Integer.parseUnsignedInt(magic, 16), 1)
                        .record(1_700_000_000, 999_999, 60, frame(60, 1))
                        .record(0xFFFF_FFFF, 0, 5000, frame(61, 2))
                        .record(0, 1, 0);
        try (PcapReader r = open(f)) {
            expectPacket(
                    r, 1_700_000_000L * 1_000_000_000L + 999_999L * nanosPerTick, frame(60, 1));
            assertEquals(1, r.linkType());
            assertFalse(r.isTruncated());
            assertEquals(1, r.packetNumber());
            assertEquals(24, r.fileOffset());
            expectPacket(r, 0xFFFF_FFFFL * 1_000_000_000L, frame(61, 2));
            assertTrue(r.isTruncated());
            assertEquals(5000, r.originalLength());
            assertEquals(100, r.fileOffset());
            expectPacket(r, nanosPerTick, new byte[0]);
            expectEnd(r);
        }
    }

    @Test
    void theLinkTypeIsTheFilesWithoutTheFcsBits() throws IOException {
        try (PcapReader r =
                open(
                        CaptureFile.classic(
                                        ByteOrder.LITTLE_ENDIAN,
                                        PcapFormat.MAGIC_NANOS,
                                        0x2400_0071)
                                .record(frame(20, 0)))) {
            assertTrue(r.next());
            assertEquals(113, r.linkType());
        }
    }

    @Test
    void cutOffFilesEndWithTheReason() throws IOException {
        byte[] whole = CaptureFile.micros().record(frame(60, 1)).bytes.toByteArray();
        for (int length = 25; length < whole.length; length++) {
            CaptureFile cut = new CaptureFile(ByteOrder.LITTLE_ENDIAN);
            cut.raw(Arrays.copyOf(whole, length));
            expectError(cut, 0, "at byte 24", "cut off", (length - 24) + " left");
        }
        for (int length = 4; length < 24; length++) {
            CaptureFile cut = new CaptureFile(ByteOrder.LITTLE_ENDIAN);
            cut.raw(Arrays.copyOf(whole, length));
            expectRefused(cut, "cut off in its header");
        }
    }

    @Test
    void absurdLengthsEndWithTheReason() throws IOException {
        expectError(
                CaptureFile.micros()
                        .record(frame(60, 1))
                        .u32(1)
                        .u32(0)
                        .u32(262_145)
                        .u32(262_145)
                        .raw(new byte[1000]),
                1,
                "captured length 262145",
                "at byte 100");
        expectError(
                CaptureFile.micros().u32(1).u32(0).u32(-1).u32(60),
                0,
                "captured length 4294967295");
    }

    @Test
    void theLongestPacketsAreRead() throws IOException {
        CaptureFile f = CaptureFile.micros();
        for (int i = 0; i < 5; i++) {
            f.record(frame(262_144, i));
        }
        try (PcapReader r = open(f)) {
            for (int i = 0; i < 5; i++) {
                expectPacket(r, 1_000_000_000L, frame(262_144, i));
            }
            expectEnd(r);
        }
    }

    @Test
    void manyPacketsAreReadAcrossBufferBounds() throws IOException {
        CaptureFile f = CaptureFile.micros();
        for (int i = 0; i < 20_000; i++) {
            f.record(frame(14 + i % 1500, i));
        }
        try (PcapReader r = open(f)) {
            for (int round = 0; round < 2; round++) {
                for (int i = 0; i < 20_000; i++) {
                    assertTrue(r.next(), r.error());
                    assertEquals(14 + i % 1500, r.capturedLength());
                    if (i % 100 == 0) {
                        assertArrayEquals(frame(14 + i % 1500, i), data(r));
                    }
                }
                expectEnd(r);
                assertTrue(r.rewind());
            }
        }
    }

    @Test
    void otherFilesAreRefusedWithWhatTheyAre() throws IOException {
        ByteOrder le = ByteOrder.LITTLE_ENDIAN;
        expectRefused(new CaptureFile(le), "only 0 bytes");
        expectRefused(new CaptureFile(le).u16(1), "only 2 bytes");
        expectRefused(
                new CaptureFile(le).raw((byte) 0x1F, (byte) 0x8B, (byte) 8, (byte) 0), "gunzip");
        expectRefused(
                new CaptureFile(le).raw("hello world".getBytes()),
                "neither pcap nor pcapng, it begins with 68656c6c");
        expectRefused(CaptureFile.classic(le, PcapFormat.MAGIC_PATCHED, 1), "editcap");
        expectRefused(
                new CaptureFile(le).u32(PcapFormat.MAGIC_MICROS).u16(3).u16(0).raw(new byte[16]),
                "version 3.0");
    }

    @Test
    void filesThatCannotBeOpenedAreNamedWithTheError() throws IOException {
        String message =
                assertThrows(
                                EthDeviceException.class,
                                () -> PcapReader.open(dir.resolve("absent")).close())
                        .getMessage();
        assertTrue(message.contains("absent: open: ENOENT (No such file"), message);
        message =
                assertThrows(EthDeviceException.class, () -> PcapReader.open(dir).close())
                        .getMessage();
        assertTrue(message.contains("EISDIR"), message);
        Path secret = CaptureFile.micros().write(dir, "secret");
        Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("---------"));
        assumeTrue(!Files.isReadable(secret), "this user may read everything");
        message =
                assertThrows(EthDeviceException.class, () -> PcapReader.open(secret).close())
                        .getMessage();
        assertTrue(message.contains("EACCES"), message);
    }

    // pcapng.

    @ParameterizedTest
    @ValueSource(strings = {"LE", "BE"})
    void blocksOfAllKindsOfSeveralInterfaces(String order) throws IOException {
        CaptureFile f = CaptureFile.ng(order(order));
        f.nic(1, 100, f.body());
        f.nic(113, 0, f.body().u16(2).u16(4).raw("eth1".getBytes()).resolution(9).u16(0).u16(0));
        f.nic(1, 0, f.body().resolution(0x80 | 10).u16(14).u16(8).u64(1000));
        f.block(5, f.body().raw(new byte[100_000]));
        f.enhanced(0, 1_000_001, 60, frame(60, 1));
        f.block(0x0BAD, f.body());
        f.enhanced(1, 77, 61, frame(61, 2));
        f.enhanced(2, 1536, 9000, frame(63, 3));
        f.simple(62, frame(62, 4));
        f.simple(5000, frame(100, 5));
        f.block(
                PcapFormat.BLOCK_PACKET_OBSOLETE,
                f.body().u16(0).u16(9).u32(0).u32(5).u32(20).u32(20).raw(frame(20, 6)));
        try (PcapReader r = open(f)) {
            expectPacket(r, 1_000_001_000L, frame(60, 1));
            assertEquals(1, r.linkType());
            expectPacket(r, 77, frame(61, 2));
            assertEquals(113, r.linkType());
            expectPacket(r, 1_001_500_000_000L, frame(63, 3));
            assertTrue(r.isTruncated());
            assertEquals(1, r.linkType());
            expectPacket(r, 0, frame(62, 4));
            assertFalse(r.isTruncated());
            expectPacket(r, 0, frame(100, 5));
            assertTrue(r.isTruncated());
            expectPacket(r, 5000, frame(20, 6));
            expectEnd(r);
            assertTrue(r.rewind());
            expectPacket(r, 1_000_001_000L, frame(60, 1));
        }
    }

    @Test
    void aNewSectionForgetsInterfacesAndMayChangeTheByteOrder() throws IOException {
        CaptureFile f = CaptureFile.ng(ByteOrder.LITTLE_ENDIAN);
        f.nic(1).enhanced(0, 1, 20, frame(20, 1));
        CaptureFile second = CaptureFile.ng(ByteOrder.BIG_ENDIAN);
        second.nic(1).enhanced(0, 2, 20, frame(20, 2));
        f.raw(second.bytes.toByteArray());
        CaptureFile third = CaptureFile.ng(ByteOrder.LITTLE_ENDIAN);
        third.enhanced(0, 3, 20, frame(20, 3));
        f.raw(third.bytes.toByteArray());
        expectError(f, 2, "a packet of interface 0", "describes 0");
    }

    @Test
    void damagedBlocksEndWithTheReason() throws IOException {
        ByteOrder le = ByteOrder.LITTLE_ENDIAN;
        expectError(CaptureFile.ng(le).u32(5).u32(11).u32(0), 0, "block length 11 is absurd");
        expectError(CaptureFile.ng(le).u32(5).u32(14).u64(0), 0, "block length 14 is absurd");
        expectError(CaptureFile.ng(le).u32(5).u32(-4).u64(0), 0, "block length 4294967292");
        expectError(
                CaptureFile.ng(le).u32(5).u32(16).u32(0).u32(20), 0, "16 in front and 20 behind");
        expectError(CaptureFile.ng(le).u32(5), 0, "cut off in a block header");
        expectError(CaptureFile.ng(le).u32(5).u32(400).u64(0), 0, "cut off in a block that");
        expectError(
                CaptureFile.ng(le).u32(6).u32(28).raw(new byte[20]), 0, "does not fit its type");
        expectError(CaptureFile.ng(le).u32(6).u32(1 << 20).raw(new byte[20]), 0, "does not fit");
        expectError(
                CaptureFile.ng(le).nic(1).u32(6).u32(40).raw(new byte[8]), 0, "cut off in a block");
        CaptureFile f = CaptureFile.ng(le).nic(1);
        expectError(
                f.block(6, f.body().u32(0).u64(0).u32(21).u32(21).raw(frame(20, 0))),
                0,
                "captured length 21 in a block of 52");
        f = CaptureFile.ng(le).nic(1);
        expectError(
                f.block(6, f.body().u32(0).u64(0).u32(-1).u32(-1).raw(frame(20, 0))),
                0,
                "captured length 4294967295");
        f = CaptureFile.ng(le);
        expectError(f.nic(1, 0, f.body().u16(9).u16(100).u32(0)), 0, "option 9");
        expectError(CaptureFile.ng(le).simple(4, frame(4, 0)), 0, "interface 0");
        f = CaptureFile.ng(le).nic(1);
        expectError(f.block(3, f.body()).block(3, f.body()), 0, "does not fit its type");
    }

    @Test
    void damagedSectionHeadersAreRefused() {
        ByteOrder le = ByteOrder.LITTLE_ENDIAN;
        expectRefused(
                new CaptureFile(le).u32(PcapFormat.BLOCK_SECTION).u32(28).raw(new byte[20]),
                "byte-order magic");
        CaptureFile f = new CaptureFile(le);
        f.block(PcapFormat.BLOCK_SECTION, f.body().u32(0x1A2B_3C4D).u16(2).u16(0).u64(-1));
        expectRefused(f, "version 2.0");
        expectRefused(
                new CaptureFile(le)
                        .u32(PcapFormat.BLOCK_SECTION)
                        .u32(24)
                        .u32(0x1A2B_3C4D)
                        .raw(new byte[16]),
                "length 24");
        expectRefused(new CaptureFile(le).u32(PcapFormat.BLOCK_SECTION).u32(28), "cut off");
    }

    @Test
    void moreInterfacesThanAnyMachineHasAreRefused() throws IOException {
        CaptureFile f = CaptureFile.ng(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i <= PcapFormat.MAX_INTERFACES; i++) {
            f.nic(1);
        }
        expectError(f, 0, "more than 65536 interfaces");
    }

    @ParameterizedTest
    @CsvSource({
        "1500000, 6, 1500000000",
        "3, 0, 3000000000",
        "7, 9, 7",
        "70, 10, 7",
        "7000000000000000000, 18, 7000000000",
        "7000000000000000000, 19, 700000000",
        "1, 127, 0",
        "3, 128, 3000000000",
        "3, 129, 1500000000",
        "4294967297, 160, 1000000000",
        "6442450944, 160, 1500000000",
        "-1, 191, 1999999999",
        "-1, 255, 0"
    })
    void ticksOfEveryResolutionBecomeNanoseconds(long ticks, int resolution, long nanos) {
        assertEquals(nanos, PcapngReader.nanos(ticks, resolution));
    }

    @Test
    void ourIdeaOfPcapngIsTsharks() throws Exception {
        assumeTrue(Tools.present("editcap"), "editcap is not installed");
        CaptureFile f = CaptureFile.micros();
        for (int i = 0; i < 300; i++) {
            f.record(1_700_000_000 + i, i, 60 + i, frame(60 + i, i));
        }
        Path in = f.write(dir, "in.pcap");
        for (String format : List.of("pcapng", "nsecpcap", "pcap")) {
            Path out = dir.resolve("out." + format);
            Tools.run("editcap", "-F", format, in.toString(), out.toString());
            try (PcapReader r = PcapReader.open(out)) {
                for (int i = 0; i < 300; i++) {
                    expectPacket(
                            r, (1_700_000_000L + i) * 1_000_000_000L + i * 1000L, frame(60 + i, i));
                }
                expectEnd(r);
            }
        }
    }

    @Test
    void readingAllocatesNothing() throws IOException {
        CaptureFile f = CaptureFile.ng(ByteOrder.LITTLE_ENDIAN).nic(1);
        for (int i = 0; i < 2000; i++) {
            f.enhanced(0, i, 60, frame(60, i));
        }
        for (CaptureFile file : List.of(classicOf(2000), f)) {
            try (PcapReader r = open(file)) {
                ZeroAllocation.check(
                        "capture reader",
                        () -> {
                            if (r.next()) {
                                return 1;
                            }
                            r.rewind();
                            return 0;
                        });
            }
        }
    }

    private static CaptureFile classicOf(int records) {
        CaptureFile f = CaptureFile.micros();
        for (int i = 0; i < records; i++) {
            f.record(frame(60, i));
        }
        return f;
    }
}
