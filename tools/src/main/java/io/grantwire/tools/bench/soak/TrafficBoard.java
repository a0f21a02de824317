package io.grantwire.tools.bench.soak;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** What a {@link TrafficGuest} counts, in a file that it and whoever looks have mapped. */
public final class TrafficBoard {
    /** A counter. */
    public enum Field {
        /** Process id of the guest. */
        PID,
        /** Frames sent. */
        SENT,
        /** Frames of the peer received, each once. */
        RECEIVED,
        /** Frames received whose contents are not what was sent. */
        CORRUPT,
        /** Frames received a second time. */
        DUPLICATES,
        /** Frames received after a later one, not counting duplicates. */
        REORDERED,
        /** Frames of the peer that never came, up to the latest that did. */
        MISSING,
        /** {@link System#nanoTime} of the latest new frame; the same clock in every process. */
        LATEST,
        /** Frames that somebody else sent. */
        FOREIGN
    }

    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
    private static final int BYTES = 4096;

    private final MemorySegment memory;

    private TrafficBoard(MemorySegment memory) {
        this.memory = memory;
    }

    /** The board in a file, which is made when it is not there. */
    public static TrafficBoard open(Path file) throws IOException {
        try (FileChannel channel =
                FileChannel.open(
                        file,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE)) {
            return new TrafficBoard(
                    channel.map(FileChannel.MapMode.READ_WRITE, 0, BYTES, Arena.ofAuto()));
        }
    }

    /** A counter now; any process. */
    public long get(Field field) {
        return (long) LONG.getOpaque(memory, 8L * field.ordinal());
    }

    void set(Field field, long value) {
        LONG.setOpaque(memory, 8L * field.ordinal(), value);
    }

    void add(Field field, long n) {
        set(field, get(field) + n);
    }

    @Override
    public String toString() {
        StringBuilder s = new StringBuilder();
        for (Field field : Field.values()) {
            s.append(field).append(' ').append(get(field)).append("  ");
        }
        return s.toString();
    }
}
