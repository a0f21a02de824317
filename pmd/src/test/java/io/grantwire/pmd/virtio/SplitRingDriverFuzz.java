package io.grantwire.pmd.virtio;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.grantwire.pmd.virtio.SplitRingDriver.Fault;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Whatever a back end writes into a front end's rings, whenever: every buffer comes back at most
 * once, with no more bytes than it holds, and a fault ends it.
 *
 * <p>An input is a row of steps: how far {@code used.idx} moves, then an entry's id and length
 * (four bytes each), for a receive and a transmit ring.
 */
class SplitRingDriverFuzz {
    private static final SplitRingLayout LAYOUT = SplitRingLayout.of(16);
    private static final MemorySegment MEMORY = Arena.ofAuto().allocate(LAYOUT.bytes(), 4096);
    private static final int STEP = 9;
    private static final int ROOM = 2058;

    private final int[] taken = new int[16];
    private final int[] lengths = new int[16];

    @FuzzTest(maxDuration = "60s")
    void anyUsedRingReturnsEachBufferOnce(byte[] bytes) {
        play(bytes, true);
        play(bytes, false);
    }

    private void play(byte[] bytes, boolean receive) {
        SplitRingDriver ring =
                receive
                        ? SplitRingDriver.receive(MEMORY, LAYOUT)
                        : SplitRingDriver.transmit(MEMORY, LAYOUT);
        boolean[] posted = new boolean[1000];
        int next = 1;
        int used = 0;
        for (int at = 0; at + STEP <= bytes.length && next < 900; at += STEP) {
            int free = Math.min(ring.free(), 3);
            next = post(ring, receive, posted, next, free);
            MemorySegment step = MemorySegment.ofArray(bytes).asSlice(at, STEP);
            int id = step.get(ValueLayout.JAVA_INT_UNALIGNED, 1);
            int length = step.get(ValueLayout.JAVA_INT_UNALIGNED, 5);
            int move = bytes[at];
            long entry = LAYOUT.usedEntry(used & LAYOUT.mask());
            MEMORY.set(ValueLayout.JAVA_INT_UNALIGNED, entry, move < 64 ? id & 15 : id);
            MEMORY.set(
                    ValueLayout.JAVA_INT_UNALIGNED, entry + 4, move < 32 ? length & 2047 : length);
            used = used + (move >= 0 ? move & 1 : move) & 0xffff;
            MEMORY.set(ValueLayout.JAVA_SHORT_UNALIGNED, LAYOUT.usedIdx(), (short) used);
            int n = ring.take(taken, 0, lengths, taken.length);
            for (int i = 0; i < n; i++) {
                check(taken[i] > 0 && posted[taken[i]], "a buffer that is not out: " + taken[i]);
                posted[taken[i]] = false;
                check(!receive || lengths[i] >= 0 && lengths[i] <= ROOM, "length " + lengths[i]);
            }
            check(ring.fault() == Fault.NONE || ring.free() == 0, "posts after a fault");
        }
        int left = ring.abandon(taken);
        for (int i = 0; i < left; i++) {
            check(posted[taken[i]], "abandoned twice");
            posted[taken[i]] = false;
        }
        for (boolean out : posted) {
            check(!out, "a buffer is lost");
        }
    }

    private static int post(
            SplitRingDriver ring, boolean receive, boolean[] posted, int next, int n) {
        int[] handles = new int[n];
        long[] addresses = new long[n];
        int[] sizes = new int[n];
        for (int i = 0; i < n; i++) {
            handles[i] = next + i;
            posted[next + i] = true;
            sizes[i] = 60;
        }
        int done =
                receive
                        ? ring.postReceive(handles, addresses, ROOM, n)
                        : ring.postTransmit(handles, addresses, sizes, n);
        check(done == n, "posted " + done + " of " + n);
        return next + n;
    }

    private static void check(boolean good, String what) {
        if (!good) {
            throw new AssertionError(what);
        }
    }
}
