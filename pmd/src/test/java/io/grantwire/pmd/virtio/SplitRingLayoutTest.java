package io.grantwire.pmd.virtio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class SplitRingLayoutTest {
    @Test
    void theOriginalsRingTakesThreePagesAtTheKnownOffsets() {
        SplitRingLayout l = SplitRingLayout.of(SplitRingLayout.DEFAULT_SIZE);
        assertEquals(3, l.pages());
        assertEquals(12288, l.bytes());
        assertEquals(4080, SplitRingLayout.desc(255));
        assertEquals(4096, l.avail());
        assertEquals(4098, l.availIdx());
        assertEquals(4100, l.availEntry(0));
        assertEquals(4610, l.availEntry(255));
        assertEquals(4612, l.usedEvent());
        assertEquals(8192, l.used());
        assertEquals(8194, l.usedIdx());
        assertEquals(8196, l.usedEntry(0));
        assertEquals(10244, l.availEvent());
    }

    @Test
    void partsNeverOverlapAtAnySize() {
        for (int size = 2; size <= SplitRingLayout.MAX_SIZE; size <<= 1) {
            SplitRingLayout l = SplitRingLayout.of(size);
            assertEquals(SplitRingLayout.desc(size), l.avail());
            assertEquals(0, l.used() % SplitRingLayout.ALIGN);
            assertEquals(true, l.used() >= l.usedEvent() + 2, "avail ends before used at " + size);
            assertEquals(true, l.bytes() >= l.availEvent() + 2, "used fits at " + size);
            assertEquals(0, l.bytes() % SplitRingLayout.ALIGN);
        }
    }

    @Test
    void sizesThatAreNoRingAreRefused() {
        for (int size : new int[] {-1, 0, 1, 3, 255, 65536, Integer.MIN_VALUE}) {
            assertThrows(IllegalArgumentException.class, () -> SplitRingLayout.of(size));
        }
    }

    @Test
    void indicesWrapAtSixteenBits() {
        assertEquals(2, RingIndex.delta(1, 65535));
        assertEquals(0, RingIndex.advance(65535, 1));
        assertEquals(255, RingIndex.slot(65535, 255));
        assertEquals(65535, RingIndex.delta(0, 1));
    }
}
