package io.grantwire.vswitch.forward;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class BoxesTest {
    private static final int NUMBERS = 100;
    private static final int FRAMES = 64;

    private final Boxes boxes = new Boxes(NUMBERS, FRAMES);
    private final int[] into = new int[FRAMES + 8];

    @Test
    void devicesComeInTheOrderOfTheirFirstFramesAndFramesInTheirs() {
        boxes.put(99, 1);
        boxes.put(0, 2);
        boxes.put(99, 3);
        boxes.put(7, 4);
        boxes.put(99, 5);

        assertEquals(3, boxes.devices());
        assertEquals(99, boxes.number(0));
        assertEquals(0, boxes.number(1));
        assertEquals(7, boxes.number(2));
        assertEquals(3, boxes.take(99, into, 2));
        assertArrayEquals(new int[] {0, 0, 1, 3, 5}, java.util.Arrays.copyOf(into, 5));
        assertEquals(0, boxes.take(99, into, 0), "they are taken once");
    }

    @Test
    void everyBurstIsSortedLikeTheFirst() {
        SplittableRandom random = new SplittableRandom(5);
        for (int burst = 0; burst < 1000; burst++) {
            Map<Integer, List<Integer>> expected = new HashMap<>();
            int n = random.nextInt(FRAMES + 1);
            int most = random.nextInt(1, NUMBERS + 1);
            for (int m = 1; m <= n; m++) {
                int number = random.nextInt(most);
                boxes.put(number, m);
                expected.computeIfAbsent(number, k -> new ArrayList<>()).add(m);
            }
            assertEquals(expected.size(), boxes.devices());
            for (int i = 0; i < boxes.devices(); i++) {
                List<Integer> frames = new ArrayList<>();
                int taken = boxes.take(boxes.number(i), into, 3);
                for (int k = 0; k < taken; k++) {
                    frames.add(into[3 + k]);
                }
                assertEquals(expected.remove(boxes.number(i)), frames);
            }
            boxes.clear();
        }
    }

    @Test
    void whatWasNotTakenIsFreed() {
        try (Mempool pool = Mempool.create(MempoolConfig.of("boxes-test", 64))) {
            boxes.put(1, pool.alloc());
            boxes.put(2, pool.alloc());
            boxes.put(1, pool.alloc());
            int taken = boxes.take(2, into, 0);
            boxes.dropAll();

            assertEquals(taken, pool.inUse());
            assertEquals(0, boxes.devices());
            Mempool.freeBulk(into, 0, taken);
            assertEquals(0, pool.inUse());
        }
    }
}
