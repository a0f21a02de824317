package io.grantwire.pmd.driver.pcap;

import io.grantwire.pmd.ethdev.EthDeviceException;
import io.grantwire.pmd.mbuf.Mbuf;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;

/**
 * Writes a classic pcap file of Ethernet frames, little endian, with microseconds or nanoseconds.
 *
 * <p>Frames are gathered in a buffer and written when it is full, by {@link #flush} and by {@link
 * #close}. A write that fails, for instance because the file system is full, is never silent: the
 * file is cut back to whole records, {@link #error} says what happened and how many accepted frames
 * are lost, and nothing is accepted any more.
 *
 * <p>One thread at a time. Allocates nothing from one frame to the next.
 */
public final class PcapWriter implements AutoCloseable {
    /** Longest frame. */
    public static final int MAX_FRAME = PcapFormat.MAX_CAPTURED;

    private static final int CAPACITY = 512 << 10;

    /** Written when it holds this much, so that the buffer's front stays in the cache. */
    private static final int THRESHOLD = 64 << 10;

    private static final ValueLayout.OfInt LE32 =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Path file;
    private final FileChannel channel;
    private final boolean nanos;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(CAPACITY);
    private final MemorySegment segment = MemorySegment.ofBuffer(buffer);
    private final long clockOffset;
    private int used;
    private long frames;
    private long framesInFile;
    private long bytesInFile;
    private long framesLost;
    private String error;
    private boolean closed;

    private PcapWriter(Path file, FileChannel channel, boolean nanos) {
        this.file = file;
        this.channel = channel;
        this.nanos = nanos;
        Instant now = Instant.now();
        this.clockOffset =
                now.getEpochSecond() * 1_000_000_000L + now.getNano() - System.nanoTime();
    }

    /**
     * Makes the file, or empties it, and writes its header.
     *
     * @param nanos whether timestamps have nanoseconds instead of microseconds
     * @throws EthDeviceException when it cannot be made or written
     */
    public static PcapWriter create(Path file, boolean nanos) {
        FileChannel channel;
        try {
            channel =
                    FileChannel.open(
                            file,
                            StandardOpenOption.CREATE,
                            StandardOpenOption.WRITE,
                            StandardOpenOption.TRUNCATE_EXISTING);
        } catch (IOException e) {
            throw new EthDeviceException(
                    "capture file " + file + ": create: " + IoErrors.describe(e), e);
        }
        PcapWriter writer = new PcapWriter(file, channel, nanos);
        writer.header();
        if (!writer.flush()) {
            writer.close();
            throw new EthDeviceException(writer.error());
        }
        return writer;
    }

    private void header() {
        segment.set(LE32, 0, nanos ? PcapFormat.MAGIC_NANOS : PcapFormat.MAGIC_MICROS);
        segment.set(LE32, 4, 4 << 16 | 2);
        segment.set(LE32, 8, 0);
        segment.set(LE32, 12, 0);
        segment.set(LE32, 16, PcapFormat.MAX_CAPTURED);
        segment.set(LE32, 20, PcapFormat.LINKTYPE_ETHERNET);
        used = PcapFormat.FILE_HEADER;
    }

    /** The time now in nanoseconds since 1970, never going back; for {@link #write}. */
    public long now() {
        return clockOffset + System.nanoTime();
    }

    /**
     * Appends a frame of one mbuf or several; it stays the caller's.
     *
     * @param timestampNanos nanoseconds since 1970
     * @return false when it was not accepted: {@link #error} is set, or it is longer than {@link
     *     #MAX_FRAME}
     */
    public boolean write(int mbuf, long timestampNanos) {
        int length = Mbuf.pktLen(mbuf);
        if (!reserve(length)) {
            return false;
        }
        long at = record(length, timestampNanos);
        long end = at + length;
        for (int s = mbuf; s != 0 && at < end; s = Mbuf.next(s)) {
            // Lengths that disagree must not reach beyond the record.
            int n = (int) Math.min(Mbuf.dataLen(s), end - at);
            MemorySegment.copy(Mbuf.segment(s), Mbuf.offset(s), segment, at, n);
            at += n;
        }
        if (at < end) {
            segment.asSlice(at, end - at).fill((byte) 0);
        }
        return true;
    }

    /**
     * Appends a frame.
     *
     * @param timestampNanos nanoseconds since 1970
     * @return false when it was not accepted: {@link #error} is set, or it is longer than {@link
     *     #MAX_FRAME}
     */
    public boolean write(MemorySegment data, long offset, int length, long timestampNanos) {
        if (!reserve(length)) {
            return false;
        }
        MemorySegment.copy(data, offset, segment, record(length, timestampNanos), length);
        return true;
    }

    /** Makes room for a record. */
    private boolean reserve(int length) {
        if (error != null || closed || length < 0 || length > MAX_FRAME) {
            return false;
        }
        return used < THRESHOLD || flush();
    }

    /** Puts a record header into the buffer; returns where the data goes. */
    private long record(int length, long timestampNanos) {
        int at = used;
        MemorySegment s = segment;
        long seconds = Math.floorDiv(timestampNanos, 1_000_000_000L);
        int rest = (int) (timestampNanos - seconds * 1_000_000_000L);
        s.set(LE32, at, (int) seconds);
        s.set(LE32, at + 4L, nanos ? rest : rest / 1000);
        s.set(LE32, at + 8L, length);
        s.set(LE32, at + 12L, length);
        used = at + PcapFormat.RECORD_HEADER + length;
        frames++;
        return at + (long) PcapFormat.RECORD_HEADER;
    }

    /**
     * Writes what has been gathered.
     *
     * @return false when {@link #error} is set
     */
    public boolean flush() {
        if (error != null) {
            return false;
        }
        if (closed || used == 0) {
            return true;
        }
        try {
            buffer.limit(used).position(0);
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
            bytesInFile += used;
            framesInFile = frames;
            used = 0;
            return true;
        } catch (IOException e) {
            fail(e);
            return false;
        }
    }

    private void fail(IOException e) {
        framesLost = frames - framesInFile;
        error =
                "capture file "
                        + file
                        + ": write: "
                        + IoErrors.describe(e)
                        + "; "
                        + framesInFile
                        + " frames are in it, "
                        + framesLost
                        + " are lost";
        used = 0;
        try {
            // A record cut in two would make the file unreadable to its end.
            channel.truncate(bytesInFile);
        } catch (IOException ignored) {
            // The first error is the one that matters.
        }
    }

    /** The file. */
    public Path file() {
        return file;
    }

    /** Frames accepted. */
    public long frames() {
        return frames;
    }

    /** Frames handed to the file system. */
    public long framesInFile() {
        return framesInFile;
    }

    /** Frames accepted that writing then failed for. */
    public long framesLost() {
        return framesLost;
    }

    /** What went wrong with writing, in one line; null while nothing did. */
    public String error() {
        return error;
    }

    /** Flushes and closes; a second call does nothing. Look at {@link #error} afterwards. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        flush();
        closed = true;
        try {
            channel.close();
        } catch (IOException e) {
            if (error == null) {
                fail(e);
            }
        }
    }
}
