package io.grantwire.pmd.virtio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.virtio.SplitRingDriver.Fault;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SplitRingChainsTest {
    private static final SplitRingLayout LAYOUT = SplitRingLayout.of(16);

    private final MemorySegment memory = Arena.ofAuto().allocate(LAYOUT.bytes(), 4096);
    private final SplitRingChains ring = new SplitRingChains(memory, LAYOUT);
    private final SimulatedDevice device = new SimulatedDevice(memory, LAYOUT);
    private final int[] taken = new int[16];

    private int chain(int handle, int descriptors) {
        int head = ring.begin();
        for (int i = 0; i < descriptors; i++) {
            boolean last = i == descriptors - 1;
            ring.add(handle * 100L + i, 10 + i, last && descriptors > 1, !last);
        }
        ring.end(handle);
        return head;
    }

    @Test
    void aChainIsSeenWholeAndOnlyOncePublished() {
        int head = chain(7, 3);
        assertEquals(0, device.pending());
        ring.publish();
        assertEquals(head, device.next());
        List<SimulatedDevice.Desc> seen = device.chain(head);
        assertEquals(3, seen.size());
        for (int i = 0; i < 3; i++) {
            assertEquals(700 + i, seen.get(i).addr());
            assertEquals(10 + i, seen.get(i).len());
            assertEquals(
                    i == 2 ? SplitRingLayout.F_WRITE : SplitRingLayout.F_NEXT, seen.get(i).flags());
        }
        assertEquals(13, ring.free());
        assertEquals(1, ring.outstanding());
        device.complete(head, 0);
        assertEquals(1, ring.take(taken, 16));
        assertEquals(7, taken[0]);
        assertEquals(16, ring.free());
        assertEquals(0, ring.outstanding());
    }

    @Test
    void chainsOfAnyLengthComeBackInAnyOrderForLong() {
        Random random = new Random(1);
        int[] heads = new int[16];
        int[] handles = new int[16];
        int with = 0;
        int handle = 1;
        for (int round = 0; round < 100_000; round++) {
            int n = 1 + random.nextInt(5);
            if (ring.free() >= n && random.nextBoolean()) {
                chain(handle, n);
                ring.publish();
                int head = device.next();
                assertEquals(n, device.chain(head).size());
                assertEquals(handle * 100L, device.desc(head).addr());
                heads[with] = head;
                handles[with++] = handle++;
            } else if (with > 0) {
                int i = random.nextInt(with);
                device.complete(heads[i], 0);
                assertEquals(1, ring.take(taken, 16));
                assertEquals(handles[i], taken[0]);
                heads[i] = heads[--with];
                handles[i] = handles[with];
            }
        }
        assertEquals(Fault.NONE, ring.fault());
        assertEquals(with, ring.abandon(taken));
        assertEquals(16, ring.free());
    }

    @Test
    void anIndexBeyondWhatIsOutstandingIsFound() {
        chain(1, 3);
        ring.publish();
        device.jump(2);
        broken(Fault.USED_INDEX);
    }

    @Test
    void anIdOutsideTheRingIsFound() {
        chain(1, 3);
        ring.publish();
        device.complete(16, 0);
        broken(Fault.USED_ID);
    }

    @Test
    void theMiddleOfAChainIsNoHead() {
        int head = chain(1, 3);
        ring.publish();
        device.complete(head + 1, 0);
        broken(Fault.NOT_OUTSTANDING);
    }

    @Test
    void aChainThatComesBackTwiceIsFoundAfterItCameOnce() {
        int head = chain(1, 1);
        chain(2, 1);
        ring.publish();
        device.put(head, 0);
        device.complete(head, 0);
        assertEquals(1, ring.take(taken, 16));
        broken(Fault.NOT_OUTSTANDING);
        assertEquals(1, ring.abandon(taken));
        assertEquals(2, taken[0]);
    }

    private void broken(Fault fault) {
        assertEquals(0, ring.take(taken, 16));
        assertEquals(fault, ring.fault());
        assertEquals(0, ring.free());
        assertEquals(0, ring.take(taken, 16));
    }

    @Test
    void anEventIsWantedWhenTheIndexPassesIt() {
        assertTrue(RingIndex.needsEvent(5, 6, 5));
        assertFalse(RingIndex.needsEvent(5, 5, 4));
        assertFalse(RingIndex.needsEvent(5, 8, 6));
        assertTrue(RingIndex.needsEvent(0xFFFF, 3, 0xFFFE));
        assertFalse(RingIndex.needsEvent(0xFFF0, 3, 0xFFFE));
    }
}
