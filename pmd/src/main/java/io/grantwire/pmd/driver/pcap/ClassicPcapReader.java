package io.grantwire.pmd.driver.pcap;

import java.nio.channels.FileChannel;
import java.nio.file.Path;

/** Reads classic pcap files (draft-ietf-opsawg-pcap). */
final class ClassicPcapReader extends PcapReader {
    private int fileLinkType;
    private long nanosPerTick;

    ClassicPcapReader(Path file, FileChannel channel, FileWindow in) {
        super(file, channel, in);
    }

    @Override
    boolean begin() {
        in.setBigEndian(false);
        if (!in.ensure(PcapFormat.FILE_HEADER)) {
            return cutOff("its header", PcapFormat.FILE_HEADER);
        }
        int magic = in.u32(0);
        boolean big = magic != PcapFormat.MAGIC_MICROS && magic != PcapFormat.MAGIC_NANOS;
        in.setBigEndian(big);
        magic = in.u32(0);
        nanosPerTick = magic == PcapFormat.MAGIC_NANOS ? 1 : 1000;
        int major = in.u16(4);
        if (major != 2) {
            return fail("format version " + major + "." + in.u16(6) + ", only 2.x is known");
        }
        // The top bits say how long the frame check sequence is, if there is one.
        fileLinkType = in.u32(20) & 0xFFFF;
        in.advance(PcapFormat.FILE_HEADER);
        return true;
    }

    @Override
    boolean advance() {
        FileWindow in = this.in;
        if (!in.ensure(PcapFormat.RECORD_HEADER)) {
            if (in.available() == 0 && in.failure() == null) {
                return false;
            }
            return cutOff("a record header", PcapFormat.RECORD_HEADER);
        }
        int captured = in.u32(8);
        if (Integer.compareUnsigned(captured, PcapFormat.MAX_CAPTURED) > 0) {
            return absurd(captured);
        }
        int record = PcapFormat.RECORD_HEADER + captured;
        if (!in.ensure(record)) {
            return cutOff("a packet", record);
        }
        timestampNanos =
                (in.u32(0) & 0xFFFF_FFFFL) * 1_000_000_000L
                        + (in.u32(4) & 0xFFFF_FFFFL) * nanosPerTick;
        capturedLength = captured;
        originalLength = in.u32(12);
        linkType = fileLinkType;
        dataAt = PcapFormat.RECORD_HEADER;
        recordLength = record;
        return true;
    }

    private boolean absurd(int captured) {
        return fail(
                "captured length "
                        + Integer.toUnsignedString(captured)
                        + " is more than "
                        + PcapFormat.MAX_CAPTURED
                        + "; the file is damaged");
    }
}
