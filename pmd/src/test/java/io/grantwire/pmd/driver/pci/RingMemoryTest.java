package io.grantwire.pmd.driver.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.testkit.pci.TestDmaSpace;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class RingMemoryTest {
    @Test
    void everyRingIsInOnePieceForTheCard() {
        TestDmaSpace space = new TestDmaSpace(4096);
        int[] bytes = {4096, 512, 2048 + 128, 128, 4096};
        try (RingMemory rings = RingMemory.allocate(space, bytes)) {
            for (int i = 0; i < bytes.length; i++) {
                assertEquals(bytes[i], rings.ring(i).byteSize());
                rings.ring(i).fill((byte) (i + 1));
            }
            for (int i = 0; i < bytes.length; i++) {
                assertEquals(0, rings.busAddress(i) % 128);
                assertTrue(space.reach(rings.busAddress(i), bytes[i]), "ring " + i);
                for (long at : new long[] {0, bytes[i] - 1}) {
                    assertEquals(
                            i + 1,
                            space.found().get(ValueLayout.JAVA_BYTE, space.foundOffset() + at));
                }
            }
        }
        assertEquals(0, space.live());
    }

    @Test
    void aRingLongerThanThatIsRefused() {
        TestDmaSpace space = new TestDmaSpace(4096);
        assertThrows(IllegalArgumentException.class, () -> RingMemory.allocate(space, 4097));
        assertEquals(256, RingMemory.longest(space, 16, 4096));
        assertEquals(4096, RingMemory.longest(new TestDmaSpace(), 16, 4096));
    }
}
