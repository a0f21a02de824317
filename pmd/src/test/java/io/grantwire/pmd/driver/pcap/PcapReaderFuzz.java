package io.grantwire.pmd.driver.pcap;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.grantwire.pmd.ethdev.EthDeviceException;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Whatever bytes a capture file has, reading it ends, with whole packets and at most one line of
 * complaint. Runs over its corpus in every build; {@code JAZZER_FUZZ=1} searches for new inputs.
 */
class PcapReaderFuzz {
    @FuzzTest(maxDuration = "60s")
    void anyFileIsReadToItsEndOrItsError(byte[] bytes) throws IOException {
        Path file = Files.createTempFile(Path.of("/dev/shm"), "fuzz", ".pcap");
        try {
            Files.write(file, bytes);
            read(file, bytes);
        } finally {
            Files.delete(file);
        }
    }

    private static void read(Path file, byte[] bytes) {
        PcapReader reader;
        try {
            reader = PcapReader.open(file);
        } catch (EthDeviceException e) {
            check(e.getMessage().startsWith("capture file " + file), e.getMessage());
            check(e.getMessage().indexOf('\n') < 0, e.getMessage());
            return;
        }
        try (reader) {
            long packets = 0;
            long sum = 0;
            while (reader.next()) {
                packets++;
                check(packets <= bytes.length / 12, "more packets than bytes allow");
                check(reader.packetNumber() == packets, "packet number");
                int n = reader.capturedLength();
                check(n >= 0 && n <= PcapFormat.MAX_CAPTURED, "captured length " + n);
                check(reader.fileOffset() + n <= bytes.length, "a packet beyond the file's end");
                for (int i = 0; i < n; i++) {
                    byte b = reader.segment().get(ValueLayout.JAVA_BYTE, reader.offset() + i);
                    sum += b;
                    check(
                            b == bytes[(int) reader.fileOffset() + reader.dataAt + i],
                            "bytes are not the file's");
                }
            }
            check(!reader.next(), "a packet after the end");
            check(sum != Long.MAX_VALUE, "never");
            String error = reader.error();
            check(error == null || error.indexOf('\n') < 0, "one line");
        }
    }

    private static void check(boolean good, String what) {
        if (!good) {
            throw new AssertionError(what);
        }
    }
}
