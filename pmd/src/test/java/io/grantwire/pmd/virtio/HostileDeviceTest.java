package io.grantwire.pmd.virtio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.hostile.HostileDevice;
import io.grantwire.pmd.virtio.SplitRingDriver.Fault;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A front end against a back end that lies: the fault is named, and no buffer comes back twice. */
class HostileDeviceTest {
    private static final SplitRingLayout LAYOUT = SplitRingLayout.of(256);
    private static final int BUFFERS = 8;

    private final MemorySegment memory = Arena.ofAuto().allocate(LAYOUT.bytes(), 4096);
    private final HostileDevice device = new HostileDevice(memory, LAYOUT);
    private final int[] taken = new int[256];
    private final int[] lengths = new int[256];

    private SplitRingDriver ring(boolean transmit) {
        int[] handles = new int[BUFFERS];
        long[] addresses = new long[BUFFERS];
        int[] sizes = new int[BUFFERS];
        for (int i = 0; i < BUFFERS; i++) {
            handles[i] = i + 1;
            addresses[i] = i * 4096L;
            sizes[i] = 60;
        }
        SplitRingDriver ring =
                transmit
                        ? SplitRingDriver.transmit(memory, LAYOUT)
                        : SplitRingDriver.receive(memory, LAYOUT);
        int posted =
                transmit
                        ? ring.postTransmit(handles, addresses, sizes, BUFFERS)
                        : ring.postReceive(handles, addresses, 2058, BUFFERS);
        assertEquals(BUFFERS, posted);
        return ring;
    }

    private void refused(SplitRingDriver ring, String fault) {
        int n = ring.take(taken, 0, lengths, taken.length);
        assertEquals(fault, ring.fault().name());
        assertTrue(n <= 1, n + " buffers taken");
        assertEquals(0, ring.take(taken, 0, lengths, taken.length), "served after a fault");
        assertEquals(0, ring.free(), "buffers are posted after a fault");
        // What is still the device's comes back once, when its pages are gone.
        assertEquals(BUFFERS - n, ring.abandon(taken));
    }

    @ParameterizedTest
    @EnumSource
    void aReceiveRingNamesTheFault(HostileDevice.Attack attack) {
        SplitRingDriver ring = ring(false);
        device.attack(attack);
        refused(ring, attack.fault());
    }

    @ParameterizedTest
    @EnumSource
    void aTransmitRingNamesTheFault(HostileDevice.Attack attack) {
        SplitRingDriver ring = ring(true);
        device.attack(attack);
        refused(ring, attack.fault());
    }

    @Test
    void aLengthBeyondTheBufferIsRefused() {
        SplitRingDriver ring = ring(false);
        device.claimLength(2059);
        refused(ring, "USED_LENGTH");
    }

    @Test
    void anyBytesInTheUsedRingReturnEveryBufferAtMostOnce() {
        SplittableRandom random = new SplittableRandom(5);
        for (int state = 0; state < 20_000; state++) {
            boolean transmit = random.nextBoolean();
            SplitRingDriver ring = ring(transmit);
            device.scribble(random);
            boolean[] back = new boolean[BUFFERS + 1];
            for (int round = 0; round < 3; round++) {
                int n = ring.take(taken, 0, lengths, taken.length);
                assertTrue(n <= BUFFERS);
                for (int i = 0; i < n; i++) {
                    assertTrue(taken[i] >= 1 && taken[i] <= BUFFERS, "handle " + taken[i]);
                    assertTrue(!back[taken[i]], "twice: " + taken[i]);
                    back[taken[i]] = true;
                    assertTrue(transmit || lengths[i] >= 0 && lengths[i] <= 2058);
                }
                if (ring.fault() != Fault.NONE) {
                    assertEquals(0, ring.free());
                }
            }
        }
    }
}
