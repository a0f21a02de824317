package io.grantwire.pmd.stress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.grantwire.pmd.virtio.PeerMemory;
import io.grantwire.pmd.virtio.RingIndex;
import io.grantwire.pmd.virtio.SplitRingDriver;
import io.grantwire.pmd.virtio.SplitRingLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;
import org.openjdk.jcstress.infra.results.II_Result;

/** What a virtqueue promises between a driver and a device, each in a thread of its own. */
public final class VirtqueueStress {
    private static final SplitRingLayout LAYOUT = SplitRingLayout.of(2);
    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final long FRAME = 0x5555_0000;

    private VirtqueueStress() {}

    /** A ring, and where its frames are. */
    static class Memory {
        final MemorySegment ring = Arena.ofAuto().allocate(LAYOUT.bytes(), SplitRingLayout.ALIGN);
        final int[] frame = new int[1];
        final int[] handles = {7};
        final long[] addresses = {FRAME};
        final int[] lengths = {60};
        final int[] taken = new int[2];
    }

    /** A device that sees {@code avail.idx} sees the entry, the descriptors and the frame. */
    @JCStressTest
    @Outcome(id = "0, 0, 0", expect = ACCEPTABLE, desc = "Nothing there yet")
    @Outcome(id = "60, 1431633920, 42", expect = ACCEPTABLE, desc = "Published")
    @Outcome(expect = FORBIDDEN, desc = "The index before what it stands for")
    @State
    public static class Available extends Memory {
        private final SplitRingDriver driver = SplitRingDriver.transmit(ring, LAYOUT);

        /** Sends a frame. */
        @Actor
        public void driver() {
            frame[0] = 42;
            driver.postTransmit(handles, addresses, lengths, 1);
        }

        /** Reads what there is. */
        @Actor
        public void device(III_Result r) {
            if (RingIndex.acquire(ring, LAYOUT.availIdx()) == 1) {
                int head = PeerMemory.readU16(ring, LAYOUT.availEntry(0));
                long desc = SplitRingLayout.desc(head + 1);
                r.r1 = PeerMemory.read32(ring, desc + SplitRingLayout.DESC_LEN);
                r.r2 = (int) PeerMemory.read64(ring, desc + SplitRingLayout.DESC_ADDR);
                r.r3 = frame[0];
            }
        }
    }

    /** A driver that sees {@code used.idx} sees the entry and the frame. */
    @JCStressTest
    @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "Nothing there yet")
    @Outcome(id = "70, 42", expect = ACCEPTABLE, desc = "Published")
    @Outcome(expect = FORBIDDEN, desc = "The index before what it stands for")
    @State
    public static class Used extends Memory {
        private final SplitRingDriver driver = SplitRingDriver.receive(ring, LAYOUT);

        /** A ring with a buffer on it. */
        public Used() {
            driver.postReceive(handles, addresses, 2058, 1);
        }

        /** Delivers a frame. */
        @Actor
        public void device() {
            frame[0] = 42;
            ring.set(U64, LAYOUT.usedEntry(0), 70L << 32);
            RingIndex.release(ring, LAYOUT.usedIdx(), 1);
        }

        /** Takes it, if it is there. */
        @Actor
        public void driver(II_Result r) {
            if (driver.take(taken, 0, lengths, 1) == 1) {
                r.r1 = lengths[0];
                r.r2 = frame[0];
            }
        }
    }
}
