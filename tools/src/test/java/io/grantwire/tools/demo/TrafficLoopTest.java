package io.grantwire.tools.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import io.grantwire.pmd.net.EtherHeader;
import io.grantwire.pmd.testkit.ZeroAllocation;
import io.grantwire.tools.QueueDevice;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The generator against a wire that a test plays by hand. */
class TrafficLoopTest {
    private static final long BACK_DST = 0x33;
    private static final long BACK_SRC = 0x22;

    private final Mempool pool = Mempool.create(MempoolConfig.of("test", 1024));
    private final QueueDevice wire = new QueueDevice("02:00:00:00:00:01");

    @AfterEach
    void nothingLeaks() {
        wire.clearSent();
        assertEquals(0, pool.inUse());
        pool.close();
    }

    private TrafficLoop loop(long frames, int length, int window) {
        return new TrafficLoop(
                wire,
                pool,
                new TrafficPlan(
                        frames, 0, length, 1000, 0x11, 1, 1001, BACK_DST, BACK_SRC, window));
    }

    /** Sends back what was sent, as the two guests and the switch change it. */
    private void bounce() {
        for (int i = 0; i < wire.sent(); i++) {
            wire.deliver(back(wire.sent(i)));
        }
        wire.clearSent();
    }

    private int back(int m) {
        int copy = pool.alloc();
        Mbuf.append(copy, Mbuf.dataLen(m));
        java.lang.foreign.MemorySegment.copy(
                Mbuf.segment(m),
                Mbuf.offset(m),
                Mbuf.segment(copy),
                Mbuf.offset(copy),
                Mbuf.dataLen(m));
        EtherHeader.setDst(Mbuf.segment(copy), Mbuf.offset(copy), BACK_DST);
        EtherHeader.setSrc(Mbuf.segment(copy), Mbuf.offset(copy), BACK_SRC);
        Mbuf.segment(copy).set(ValueLayout.JAVA_BYTE, Mbuf.offset(copy) + 15, (byte) (1001 & 0xff));
        return copy;
    }

    @Test
    void sendsOneFrameFirstThenAWindow() {
        TrafficLoop loop = loop(0, 64, 100);
        for (int i = 0; i < 10; i++) {
            loop.poll();
        }
        assertEquals(1, wire.sent());
        bounce();
        for (int i = 0; i < 10; i++) {
            loop.poll();
        }
        assertEquals(100, wire.sent());
        assertEquals(101, loop.sent());
        assertEquals(1, loop.received());
    }

    @Test
    void finishesWhenAllFramesCameBack() {
        TrafficLoop loop = loop(500, 200, 64);
        for (int i = 0; i < 200 && !loop.finished(); i++) {
            loop.poll();
            bounce();
        }
        assertTrue(loop.finished());
        assertEquals(500, loop.sent());
        assertEquals(500, loop.received());
        assertEquals(0, loop.lost() + loop.corrupt() + loop.disordered() + loop.foreign());
        assertEquals(499, loop.latency().getTotalCount());
    }

    @Test
    void countsAMissingFrameAsLost() {
        TrafficLoop loop = loop(4, 64, 3);
        loop.poll();
        bounce();
        loop.poll();
        wire.deliver(back(wire.sent(0)));
        wire.deliver(back(wire.sent(2)));
        wire.clearSent();
        loop.poll();
        loop.poll();
        assertTrue(loop.finished());
        assertEquals(1, loop.lost());
        assertEquals(3, loop.received());
    }

    @Test
    void countsRepeatedForeignAndChangedFrames() {
        TrafficLoop loop = loop(2, 64, 2);
        loop.poll();
        int first = back(wire.sent(0));
        int again = back(wire.sent(0));
        int untouched = back(wire.sent(0));
        EtherHeader.setDst(Mbuf.segment(untouched), Mbuf.offset(untouched), 0x44);
        int changed = back(wire.sent(0));
        Mbuf.segment(changed).set(ValueLayout.JAVA_BYTE, Mbuf.offset(changed) + 63, (byte) 0);
        int cut = back(wire.sent(0));
        Mbuf.trim(cut, 1);
        wire.clearSent();
        wire.deliver(untouched);
        wire.deliver(changed);
        wire.deliver(cut);
        wire.deliver(first);
        wire.deliver(again);
        loop.poll();
        assertEquals(1, loop.received());
        assertEquals(1, loop.disordered());
        assertEquals(2, loop.foreign());
        assertEquals(1, loop.corrupt());
    }

    @Test
    void aPortThatTakesNothingMakesNoHoles() {
        TrafficLoop loop = loop(3, 64, 3);
        loop.poll();
        bounce();
        wire.room = 0;
        loop.poll();
        assertEquals(1, loop.sent());
        wire.room = 10;
        loop.poll();
        bounce();
        loop.poll();
        loop.poll();
        assertTrue(loop.finished());
        assertEquals(3, loop.received());
        assertEquals(0, loop.lost());
    }

    @Test
    void stopsWhenAsked() {
        TrafficLoop loop = loop(0, 64, 8);
        loop.poll();
        bounce();
        loop.poll();
        loop.stopSending();
        assertFalse(loop.finished());
        bounce();
        loop.poll();
        loop.poll();
        assertTrue(loop.finished());
    }

    @Test
    void nothingIsAllocatedPerPacket() {
        TrafficLoop loop = loop(0, 1500, 64);
        int[] out = new int[64];
        ZeroAllocation.check(
                "generator",
                () -> {
                    int n = loop.poll();
                    bounce();
                    return n;
                });
        Mempool.freeBulk(out, 0, wire.rxBurst(0, out, 0, 64));
    }
}
