package io.grantwire.vswitch.ring;

import static io.grantwire.pmd.virtio.SplitRingLayout.F_NEXT;
import static io.grantwire.pmd.virtio.SplitRingLayout.F_WRITE;
import static io.grantwire.vswitch.ring.RingCheck.check;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.grantwire.pmd.hostile.RawRing;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import io.grantwire.vswitch.count.FrameCounters;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;

/**
 * The quick paths for frames in one buffer and the slow ones for frames in many do the same (a
 * check that only one of them had was CVE-2020-10725): a frame in one piece and the same frame in
 * any pieces come to the same bytes, the same lengths and the same counters, whichever way they go.
 *
 * <p>An input is a row of frames: length (two bytes), then how both chains are cut (one byte each).
 */
class PathsFuzz {
    private static final long VA = 0x7f00_0000_0000L;
    private static final int SLOT = 16384;
    private static final int MAX_FRAME = 9000;
    private static final int SIZE = 256;
    private static final int MOST = 8;

    private static final Arena ARENA = Arena.ofAuto();
    private static final MemorySegment POOL = ARENA.allocate(4L * MOST * SLOT, 4096);
    private static final GuestMemory MEMORY =
            GuestMemory.of(List.of(new GuestRange("pool", VA, POOL)));
    private static final Mempool MBUFS = Mempool.create(MempoolConfig.of("paths-fuzz", 512));

    private static final MemorySegment PATTERN = ARENA.allocate(MAX_FRAME + 1000);

    static {
        for (int i = 0; i < PATTERN.byteSize(); i++) {
            PATTERN.set(ValueLayout.JAVA_BYTE, i, (byte) (i * 3 + i / 251));
        }
    }

    /** A ring and how much of its descriptor table is taken. */
    private static final class Guest {
        final RawRing ring = new RawRing(ARENA, SIZE);
        int descs;

        void reset() {
            ring.memory.fill((byte) 0);
            ring.startAt(0);
            descs = 0;
        }

        /** A chain over a place, in pieces. */
        void offer(long place, int bytes, int cut, int flags) {
            int head = descs;
            int at = 0;
            int pieces = cut == 0 ? 1 : 2 + cut % 6;
            for (int i = 0; i < pieces; i++) {
                boolean last = i == pieces - 1;
                int length = last ? bytes - at : Math.min(bytes - at, cut * (i + 1) % 97);
                int next = descs + 1;
                ring.desc(descs, VA + place + at, length, last ? flags : flags | F_NEXT, next);
                descs = next;
                at += length;
            }
            ring.offer(head);
        }
    }

    private static final Guest WHOLE_TX = new Guest();
    private static final Guest CUT_TX = new Guest();
    private static final Guest WHOLE_RX = new Guest();
    private static final Guest CUT_RX = new Guest();

    @FuzzTest(maxDuration = "60s")
    void aFrameInPiecesIsTheFrame(byte[] bytes) {
        int frames = Math.min(bytes.length / 4, MOST);
        for (int i = 0; i < frames; i++) {
            POOL.asSlice((MOST + i) * (long) SLOT, SLOT).fill((byte) 0);
            POOL.asSlice((2L * MOST + i) * SLOT, SLOT).fill((byte) 0);
        }
        for (Guest guest : List.of(WHOLE_TX, CUT_TX, WHOLE_RX, CUT_RX)) {
            guest.reset();
        }
        for (int i = 0; i < frames; i++) {
            int length = (bytes[4 * i] & 0xff | (bytes[4 * i + 1] & 0xff) << 8) % (MAX_FRAME + 90);
            int cut = bytes[4 * i + 2] & 0xff;
            long place = (long) i * SLOT;
            MemorySegment.copy(PATTERN, 17L * i, POOL, place, 10 + length);
            if (length > 0) {
                WHOLE_TX.offer(place, 10 + length, 0, 0);
                CUT_TX.offer(place, 10 + length, 1 + cut, 0);
            }
            int room = 10 + 1 + (bytes[4 * i + 3] & 0xff) * 40;
            WHOLE_RX.offer((MOST + i) * (long) SLOT, room, 0, F_WRITE);
            CUT_RX.offer((2L * MOST + i) * SLOT, room, 1 + cut, F_WRITE);
        }
        direct();
        throughMbufs();
    }

    /** From ring to ring, then back to the start for the other paths. */
    private static void direct() {
        DeviceRing[] tx = {open(WHOLE_TX, false), open(CUT_TX, false)};
        DeviceRing[] rx = {open(WHOLE_RX, true), open(CUT_RX, true)};
        while (tx[0].fill() > 0) {
            check(tx[1].fill() > 0, "fewer chains in pieces");
            int length = tx[0].frameBytes();
            check(tx[1].frameBytes() == length, "a frame's length in pieces");
            boolean room = rx[0].fill() > 0;
            check(room == rx[1].fill() > 0, "fewer buffers in pieces");
            if (room && length >= TransmitPath.MIN_FRAME) {
                check(rx[0].frameBytes() == rx[1].frameBytes(), "room in pieces");
                long first = DirectPath.first8(tx[0]);
                check(first == DirectPath.first8(tx[1]), "first bytes in pieces");
                if (length <= rx[0].frameBytes()) {
                    DirectPath.copy(tx[0], rx[0], first);
                    DirectPath.copy(tx[1], rx[1], first);
                }
            }
            tx[0].complete(0);
            tx[1].complete(0);
        }
        check(tx[1].fill() == 0 && tx[1].violation() == null, "more chains in pieces");
        sameMemory("directly");
    }

    /** From a ring into mbufs, and from mbufs into a ring. */
    private static void throughMbufs() {
        FrameCounters[] taken = {new FrameCounters(), new FrameCounters()};
        FrameCounters[] given = {new FrameCounters(), new FrameCounters()};
        int[][] mbufs = new int[2][DeviceRing.WINDOW];
        int[] n = new int[2];
        Guest[] txs = {WHOLE_TX, CUT_TX};
        Guest[] rxs = {WHOLE_RX, CUT_RX};
        for (int way = 0; way < 2; way++) {
            n[way] =
                    TransmitPath.dequeue(
                            open(txs[way], false),
                            MBUFS,
                            mbufs[way],
                            0,
                            DeviceRing.WINDOW,
                            MAX_FRAME,
                            1,
                            taken[way]);
        }
        check(n[0] == n[1], "frames taken in pieces");
        for (int i = 0; i < n[0]; i++) {
            check(Arrays.equals(bytes(mbufs[0][i]), bytes(mbufs[1][i])), "frame " + i);
        }
        same(taken, "taken");
        for (int way = 0; way < 2; way++) {
            DeviceRing rx = open(rxs[way], true);
            int done = ReceivePath.enqueue(rx, mbufs[way], 0, n[way], given[way]);
            Mempool.freeBulk(mbufs[way], 0, n[way]);
            n[way] = done;
        }
        check(n[0] == n[1], "frames given in pieces");
        same(given, "given");
        sameMemory("through mbufs");
        check(MBUFS.inUse() == 0, "mbufs are lost");
    }

    private static DeviceRing open(Guest guest, boolean receive) {
        RawRing ring = guest.ring;
        return receive
                ? DeviceRing.receive(ring.memory, ring.layout, MEMORY)
                : DeviceRing.transmit(ring.memory, ring.layout, MEMORY);
    }

    private static void sameMemory(String how) {
        long size = (long) MOST * SLOT;
        long differs = MemorySegment.mismatch(POOL, size, 2 * size, POOL, 2 * size, 3 * size);
        check(differs == -1, "delivered " + how + ", different at " + differs);
    }

    private static void same(FrameCounters[] counters, String what) {
        check(counters[0].frames() == counters[1].frames(), "frames " + what);
        check(counters[0].bytes() == counters[1].bytes(), "bytes " + what);
        check(counters[0].dropped() == counters[1].dropped(), "drops " + what);
    }

    private static byte[] bytes(int mbuf) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int m = mbuf; m != 0; m = Mbuf.next(m)) {
            out.writeBytes(
                    Mbuf.segment(m)
                            .asSlice(Mbuf.offset(m), Mbuf.dataLen(m))
                            .toArray(ValueLayout.JAVA_BYTE));
        }
        return out.toByteArray();
    }
}
