package io.grantwire.bed.outside;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;

/**
 * Sends frames to a card and expects each back, whole and in order; never more of them under way than a window, for a card without free
 * descriptors drops in silence.
 */
final class Loop {
    private static final long PATIENCE_MILLIS = 20_000;

    private final NetPort port;
    private final int count;
    private final int shortest;
    private final int longest;
    private final int window;
    private final byte[] destination;

    Loop(NetPort port, int count, int shortest, int longest, int window, byte[] destination) {
        if (count < 1 || shortest < LoopFrame.SHORTEST || longest < shortest || longest > 65000 || window < 1) {
            throw new IllegalArgumentException("loop of " + count + " frames of " + shortest + " to " + longest);
        }
        this.port = port;
        this.count = count;
        this.shortest = shortest;
        this.longest = longest;
        this.window = window;
        this.destination = destination.clone();
    }

    /** What to answer: "ok" and figures, or "bad" and why. */
    String run() throws IOException, InterruptedException {
        port.drain();
        long begun = System.nanoTime();
        Deque<byte[]> underWay = new ArrayDeque<>();
        int sent = 0;
        int back = 0;
        int others = 0;
        long bytes = 0;
        while (back < count) {
            while (sent < count && underWay.size() < window) {
                byte[] frame = LoopFrame.make(destination, sent, length(sent));
                port.send(frame);
                underWay.add(frame);
                sent++;
            }
            byte[] got = port.take(PATIENCE_MILLIS);
            if (got == null) {
                return "bad frame " + back + " of " + length(back) + " bytes did not come back within " + PATIENCE_MILLIS / 1000 + " s, with " + underWay.size() + " under way";
            }
            if (!LoopFrame.is(got)) {
                others++;
                continue;
            }
            byte[] expected = underWay.remove();
            if (!Arrays.equals(got, expected)) {
                return "bad instead of frame " + back + " of " + expected.length + " bytes came " + LoopFrame.describe(got) + ", first difference at " + Arrays.mismatch(got, expected);
            }
            bytes += got.length;
            back++;
        }
        byte[] extra = port.take(100);
        if (extra != null && LoopFrame.is(extra)) {
            return "bad one frame too many: " + LoopFrame.describe(extra);
        }
        double seconds = (System.nanoTime() - begun) / 1e9;
        return String.format("ok %d frames of %d to %d bytes there and back, in order, %d bytes, %.1f s%s",
                count, shortest, longest, bytes, seconds, others == 0 ? "" : ", " + others + " foreign frames left out");
    }

    /** The shortest and the longest come up early, the others in no order; each once before any comes twice. */
    private int length(int sequence) {
        int span = longest - shortest + 1;
        if (sequence == 1) {
            return longest;
        }
        // A prime that no span here is a multiple of.
        return shortest + (int) (sequence * 7919L % span);
    }
}
