package io.grantwire.vswitch.testkit;

import static io.grantwire.pmd.virtio.SplitRingLayout.F_NEXT;
import static io.grantwire.pmd.virtio.SplitRingLayout.F_WRITE;

import io.grantwire.pmd.hostile.RawRing;
import io.grantwire.vswitch.ring.DeviceRing;
import io.grantwire.vswitch.ring.GuestMemory;
import io.grantwire.vswitch.ring.GuestRange;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * A guest without a host around it: pool and rings in plain memory, used as the stock front end
 * uses them. One buffer of 4 KiB per slot; the first 256 belong to the receive ring.
 */
public final class ModelGuest {
    private static final long VA = 0x7f00_0000_0000L;
    private static final int SLOT = 4096;
    private static final int HEADROOM = 128;
    private static final int SIZE = 256;

    private final Arena arena = Arena.ofAuto();
    private final MemorySegment pool = arena.allocate(2L * SIZE * SLOT, 4096);
    private final GuestMemory memory;
    private final Deque<Integer> freeTx = new ArrayDeque<>();

    /** The receive ring. */
    public final RawRing rx = new RawRing(arena, SIZE);

    /** The transmit ring. */
    public final RawRing tx = new RawRing(arena, SIZE);

    /** A guest with an empty receive ring. */
    public ModelGuest() {
        memory = GuestMemory.of(List.of(new GuestRange("pool", VA, pool)));
        for (int i = 0; i < SIZE; i += 2) {
            freeTx.add(i);
        }
    }

    /** The device side of the receive ring. */
    public DeviceRing openRx() {
        return DeviceRing.receive(rx.memory, rx.layout, memory);
    }

    /** The device side of the transmit ring. */
    public DeviceRing openTx() {
        return DeviceRing.transmit(tx.memory, tx.layout, memory);
    }

    /** Posts receive buffers with these numbers, of 2048 bytes for a frame. */
    public ModelGuest post(int from, int count) {
        for (int i = from; i < from + count; i++) {
            postSized(i, 2048);
        }
        return this;
    }

    /**
     * Posts one receive buffer with room for so many bytes of frame. Where its header will be,
     * there is something else in one half, in the other, in both, or nothing.
     */
    public void postSized(int slot, int room) {
        long header = (long) slot * SLOT + HEADROOM - 10;
        if ((slot & 1) != 0) {
            pool.asSlice(header, 8).fill((byte) 0x5a);
        }
        if ((slot & 2) != 0) {
            pool.asSlice(header + 8, 2).fill((byte) 0x5a);
        }
        rx.desc(slot, VA + (long) slot * SLOT + HEADROOM - 10, room + 10, F_WRITE, 0);
        rx.offer(slot);
    }

    /** Sends a frame as the stock front end does; says whether there was room. */
    public boolean send(byte[] frame) {
        reclaim();
        Integer head = freeTx.poll();
        if (head == null) {
            return false;
        }
        long at = (long) (SIZE + head) * SLOT + HEADROOM;
        MemorySegment.copy(frame, 0, pool, ValueLayout.JAVA_BYTE, at, frame.length);
        tx.desc(head, 0, 10, F_NEXT, head + 1);
        tx.desc(head + 1, VA + at, frame.length, 0, 0);
        tx.offer(head);
        return true;
    }

    /** Sends a frame in pieces, with a header of its own in front. */
    public void sendPieces(byte[] frame, int... lengths) {
        int head = freeTx.poll();
        long at = (long) (SIZE + head) * SLOT;
        int desc = head;
        tx.desc(desc, 0, 10, F_NEXT, head + 1);
        int done = 0;
        for (int i = 0; i < lengths.length; i++) {
            desc = i == 0 ? head + 1 : freeTx.poll();
            long place = at + i * 700L;
            MemorySegment.copy(frame, done, pool, ValueLayout.JAVA_BYTE, place, lengths[i]);
            boolean last = i == lengths.length - 1;
            int next = last ? 0 : freeTx.peek();
            tx.desc(desc, VA + place, lengths[i], last ? 0 : F_NEXT, next);
            done += lengths[i];
        }
        if (done != frame.length) {
            throw new AssertionError("pieces of " + done + " bytes");
        }
        tx.offer(head);
    }

    /** Takes back completed frames; returns how many. */
    public int reclaim() {
        int n = 0;
        while (tx.usedCount() > 0) {
            freeTx.add(tx.usedId());
            tx.takeUsed();
            n++;
        }
        return n;
    }

    /** Takes the frames received. */
    public List<byte[]> receive() {
        List<byte[]> frames = new ArrayList<>();
        while (rx.usedCount() > 0) {
            frames.add(receiveOne());
        }
        return frames;
    }

    /** Takes one frame received. */
    public byte[] receiveOne() {
        int id = rx.usedId();
        int length = rx.takeUsed() - 10;
        long at = (long) id * SLOT + HEADROOM;
        byte[] header = pool.asSlice(at - 10, 10).toArray(ValueLayout.JAVA_BYTE);
        for (byte b : header) {
            if (b != 0) {
                throw new AssertionError("the header is not zero");
            }
        }
        return pool.asSlice(at, length).toArray(ValueLayout.JAVA_BYTE);
    }

    // Without allocation, for measurements.

    /** Writes a frame and its descriptors once, for {@link #resend}; slots 0 to 127. */
    public void prepare(int slot, byte[] frame) {
        long at = (long) (SIZE + 2 * slot) * SLOT + HEADROOM;
        MemorySegment.copy(frame, 0, pool, ValueLayout.JAVA_BYTE, at, frame.length);
        tx.desc(2 * slot, 0, 10, F_NEXT, 2 * slot + 1);
        tx.desc(2 * slot + 1, VA + at, frame.length, 0, 0);
    }

    /** Sends a prepared frame again; the caller knows that it is not under way. */
    public void resend(int slot) {
        tx.offer(2 * slot);
    }

    /** Forgets completed frames; returns how many. */
    public int forget() {
        int n = tx.usedCount();
        for (int i = 0; i < n; i++) {
            tx.takeUsed();
        }
        return n;
    }

    /** Posts again the buffers of all frames received; returns how many. */
    public int recycle() {
        int n = rx.usedCount();
        for (int i = 0; i < n; i++) {
            int id = rx.usedId();
            rx.takeUsed();
            rx.offer(id);
        }
        return n;
    }
}
