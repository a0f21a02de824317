package io.grantwire.pmd.driver.pcap;

import io.grantwire.pmd.ethdev.EthDeviceException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Reads the packets of a capture file one after the other: classic pcap in both byte orders, with
 * microseconds or nanoseconds, and pcapng with any number of sections and interfaces.
 *
 * <p>The file is not trusted: every length is checked, and a file that makes no sense ends with one
 * line that names the file, the record, the offset and the reason ({@link #error}). Nothing is
 * thrown after {@link #open}, and nothing is allocated from one packet to the next.
 *
 * <pre>{@code
 * try (PcapReader r = PcapReader.open(file)) {
 *     while (r.next()) {
 *         MemorySegment.copy(r.segment(), r.offset(), to, 0, r.capturedLength());
 *     }
 *     if (r.error() != null) ...
 * }
 * }</pre>
 *
 * <p>One thread at a time. The thread must not be interrupted: that would close the file.
 */
public abstract sealed class PcapReader implements AutoCloseable
        permits ClassicPcapReader, PcapngReader {
    /** Link type of Ethernet in {@link #linkType}. */
    public static final int LINKTYPE_ETHERNET = PcapFormat.LINKTYPE_ETHERNET;

    final FileWindow in;
    private final Path file;
    private final FileChannel channel;

    // The current packet.
    long timestampNanos;
    int capturedLength;
    int originalLength;
    int linkType;

    /** Where the current packet's data begins in the window. */
    int dataAt;

    /** Bytes from the window's start to the next record. */
    int recordLength;

    private long packets;
    private boolean atEnd;
    private String error;

    PcapReader(Path file, FileChannel channel, FileWindow in) {
        this.file = file;
        this.channel = channel;
        this.in = in;
    }

    /**
     * Opens a file and reads its header.
     *
     * @throws EthDeviceException when it cannot be opened or is no capture file
     */
    public static PcapReader open(Path file) {
        FileChannel channel;
        try {
            channel = FileChannel.open(file, StandardOpenOption.READ);
        } catch (IOException e) {
            throw new EthDeviceException(
                    "capture file " + file + ": open: " + IoErrors.describe(e), e);
        }
        try {
            PcapReader reader = sniff(file, channel);
            if (!reader.begin()) {
                throw new EthDeviceException(reader.error());
            }
            return reader;
        } catch (RuntimeException e) {
            try {
                channel.close();
            } catch (IOException ignored) {
                // Nothing was written.
            }
            throw e;
        }
    }

    private static PcapReader sniff(Path file, FileChannel channel) {
        FileWindow in = new FileWindow(channel);
        if (!in.ensure(4)) {
            throw new EthDeviceException(
                    "capture file "
                            + file
                            + ": "
                            + (in.failure() != null
                                    ? "read: " + IoErrors.describe(in.failure())
                                    : "it has only " + in.available() + " bytes, no header"));
        }
        int magic = in.u32(0);
        if (magic == PcapFormat.BLOCK_SECTION) {
            return new PcapngReader(file, channel, in);
        }
        for (boolean big : new boolean[] {false, true}) {
            int value = big ? Integer.reverseBytes(magic) : magic;
            if (value == PcapFormat.MAGIC_MICROS || value == PcapFormat.MAGIC_NANOS) {
                return new ClassicPcapReader(file, channel, in);
            }
            if (value == PcapFormat.MAGIC_PATCHED) {
                throw new EthDeviceException(
                        "capture file "
                                + file
                                + ": it is in an outdated pcap variant (magic a1b2cd34); convert it"
                                + " with: editcap -F pcap "
                                + file
                                + " new.pcap");
            }
        }
        String hint = (magic & 0xFFFF) == 0x8B1F ? "; it is compressed, unpack it with gunzip" : "";
        throw new EthDeviceException(
                "capture file "
                        + file
                        + ": neither pcap nor pcapng, it begins with "
                        + String.format("%08x", Integer.reverseBytes(magic))
                        + hint);
    }

    /** Reads the file's header, the window being at the file's beginning. */
    abstract boolean begin();

    /** Finds the next packet, whole in the window, or reports the end or an error. */
    abstract boolean advance();

    /**
     * Goes on to the next packet.
     *
     * @return false at the end, or when {@link #error} is set; then for ever
     */
    public final boolean next() {
        if (atEnd) {
            return false;
        }
        in.advance(recordLength);
        recordLength = 0;
        if (advance()) {
            packets++;
            return true;
        }
        atEnd = true;
        return false;
    }

    /**
     * Goes back to before the first packet. The count of packets goes on.
     *
     * @return false, with {@link #error} set, when the file cannot do that
     */
    public final boolean rewind() {
        recordLength = 0;
        if (!in.rewind()) {
            error = "capture file " + file + ": rewind: " + IoErrors.describe(in.failure());
            atEnd = true;
            return false;
        }
        atEnd = false;
        error = null;
        if (!begin()) {
            atEnd = true;
            return false;
        }
        return true;
    }

    /** The memory that {@link #offset} speaks of; the reader's, changed by {@link #next}. */
    public final MemorySegment segment() {
        return in.segment();
    }

    /** Where the packet's first byte is in {@link #segment}. */
    public final long offset() {
        return in.at(dataAt);
    }

    /** Bytes of the packet that the file has. */
    public final int capturedLength() {
        return capturedLength;
    }

    /** Bytes that the packet had on the wire; more than captured when it was cut (snaplen). */
    public final int originalLength() {
        return originalLength;
    }

    /** Whether the file has less of the packet than there was. */
    public final boolean isTruncated() {
        return Integer.compareUnsigned(originalLength, capturedLength) > 0;
    }

    /** When it was captured, in nanoseconds since 1970; 0 when the file does not say. */
    public final long timestampNanos() {
        return timestampNanos;
    }

    /** What kind of packet it is; see {@link #LINKTYPE_ETHERNET}. */
    public final int linkType() {
        return linkType;
    }

    /** The current packet's number, from 1; over all rounds when rewound. */
    public final long packetNumber() {
        return packets;
    }

    /** Offset in the file of the current record. */
    public final long fileOffset() {
        return in.offset();
    }

    /** The file. */
    public final Path file() {
        return file;
    }

    /** Why reading ended before the file's end, in one line; null when it did not. */
    public final String error() {
        return error;
    }

    /** A line about the current record for people: file, record, offset and what is wrong. */
    public final String describe(String what) {
        return locate(packets) + what;
    }

    private String locate(long record) {
        return "capture file " + file + ": packet " + record + " at byte " + in.offset() + ": ";
    }

    /** Ends reading with a reason. */
    final boolean fail(String why) {
        if (in.failure() != null) {
            error = locate(packets + 1) + "read: " + IoErrors.describe(in.failure());
        } else {
            error = locate(packets + 1) + why;
        }
        return false;
    }

    /** Ends reading where the file was cut off. */
    final boolean cutOff(String where, int wanted) {
        return fail(
                "the file is cut off in "
                        + where
                        + ": "
                        + wanted
                        + " bytes wanted, "
                        + in.available()
                        + " left");
    }

    @Override
    public final void close() {
        atEnd = true;
        try {
            channel.close();
        } catch (IOException e) {
            // Nothing was written; there is nothing to lose.
        }
    }
}
