package io.grantwire.vswitch.ring;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import io.grantwire.vswitch.count.DropReason;
import io.grantwire.vswitch.count.FrameCounters;
import io.grantwire.vswitch.testkit.Frames;
import io.grantwire.vswitch.testkit.ModelGuest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Frames out of a guest's transmit ring. */
class TransmitPathTest {
    private static final int BURST = 32;

    private final Mempool pool = Mempool.create(MempoolConfig.of("transmit-path-test", 256));
    private final ModelGuest guest = new ModelGuest();
    private final DeviceRing ring = guest.openTx();
    private final FrameCounters counters = new FrameCounters();
    private final int[] mbufs = new int[BURST];

    private int dequeue() {
        int n = TransmitPath.dequeue(ring, pool, mbufs, 0, BURST, 2048, Mbuf.NO_PORT, counters);
        ring.publish();
        Mempool.freeBulk(mbufs, 0, n);
        return n;
    }

    @AfterEach
    void everyMbufComesBack() {
        assertEquals(0, pool.inUse());
        pool.close();
    }

    /** XSA-39: a guest that offers them as fast as they are dropped would keep the worker busy. */
    @Test
    void aBurstEndsEvenWhenTheGuestOffersNothingButRunts() {
        for (int i = 0; i < 128; i++) {
            guest.send(new byte[13]);
        }
        assertEquals(0, dequeue());
        assertEquals(BURST, guest.reclaim());
        assertEquals(BURST, counters.dropped(DropReason.FRAME_TOO_SHORT));
    }

    @Test
    void runtsAmongFramesAreCountedOnceAndNothingElseIsLost() {
        int frames = 0;
        for (int i = 0; i < 96; i++) {
            boolean runt = i % 3 == 0;
            guest.send(runt ? new byte[5] : Frames.frame(0x0200_0000_0001L, 0x11, 60, i));
            frames += runt ? 0 : 1;
        }
        int got = 0;
        for (int i = 0; i < 10; i++) {
            got += dequeue();
        }
        assertEquals(frames, got);
        assertEquals(frames, counters.frames());
        assertEquals(60L * frames, counters.bytes());
        assertEquals(32, counters.dropped());
        assertEquals(96, guest.reclaim());
    }
}
