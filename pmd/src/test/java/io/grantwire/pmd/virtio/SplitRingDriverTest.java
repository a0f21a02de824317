package io.grantwire.pmd.virtio;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.virtio.SplitRingDriver.Fault;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class SplitRingDriverTest {
    private static final SplitRingLayout LAYOUT = SplitRingLayout.of(256);

    private final MemorySegment memory = Arena.ofAuto().allocate(LAYOUT.bytes(), 4096);
    private final SimulatedDevice device = new SimulatedDevice(memory, LAYOUT);
    private final int[] taken = new int[256];
    private final int[] lengths = new int[256];

    private SplitRingDriver receiveRing(int posted) {
        memory.fill((byte) 0x77);
        SplitRingDriver ring = SplitRingDriver.receive(memory, LAYOUT);
        assertEquals(posted, postReceive(ring, 1, posted));
        return ring;
    }

    /** Posts handles first, first+1, …; buffer h is at h * 4096. */
    private static int postReceive(SplitRingDriver ring, int first, int n) {
        int[] handles = new int[n];
        long[] addresses = new long[n];
        for (int i = 0; i < n; i++) {
            handles[i] = first + i;
            addresses[i] = (first + i) * 4096L;
        }
        return ring.postReceive(handles, addresses, 2058, n);
    }

    private static int postTransmit(SplitRingDriver ring, int first, int n) {
        int[] handles = new int[n];
        long[] addresses = new long[n];
        int[] lens = new int[n];
        for (int i = 0; i < n; i++) {
            handles[i] = first + i;
            addresses[i] = (first + i) * 4096L;
            lens[i] = 60 + i;
        }
        return ring.postTransmit(handles, addresses, lens, n);
    }

    @Test
    void aFreshRingHasTheOriginalsInitialState() {
        memory.fill((byte) 0x77);
        SplitRingDriver.receive(memory, LAYOUT);
        for (int i = 0; i < 256; i++) {
            assertEquals(
                    new SimulatedDevice.Desc(i, 0, 0, 0, i < 255 ? i + 1 : 32768), device.desc(i));
        }
        for (long at = LAYOUT.avail(); at < LAYOUT.bytes(); at++) {
            assertEquals(0, PeerMemory.readU8(memory, at));
        }
    }

    @Test
    void receiveBuffersAreOneWritableDescriptorEach() {
        receiveRing(3);
        assertEquals(3, device.availIdx());
        for (int i = 0; i < 3; i++) {
            int head = device.next();
            assertEquals(
                    List.of(new SimulatedDevice.Desc(head, (i + 1) * 4096L, 2058, 2, 0)),
                    device.chain(head));
        }
        assertEquals(-1, device.next());
    }

    @Test
    void transmitFramesAreAHeaderDescriptorAndADataDescriptor() {
        SplitRingDriver ring = SplitRingDriver.transmit(memory, LAYOUT);
        assertEquals(128, ring.capacity());
        assertEquals(2, postTransmit(ring, 7, 2));
        for (int i = 0; i < 2; i++) {
            List<SimulatedDevice.Desc> chain = device.chain(device.next());
            assertEquals(2, chain.size());
            assertEquals(0, chain.get(0).addr());
            assertEquals(10, chain.get(0).len());
            assertEquals(SplitRingLayout.F_NEXT, chain.get(0).flags());
            assertEquals((7 + i) * 4096L, chain.get(1).addr());
            assertEquals(60 + i, chain.get(1).len());
            assertEquals(0, chain.get(1).flags());
        }
    }

    @Test
    void headerDescriptorsAreApartFromTheFrames() {
        SplitRingDriver ring = SplitRingDriver.transmit(memory, LAYOUT);
        postTransmit(ring, 1, 128);
        for (int i = 0; i < 128; i++) {
            List<SimulatedDevice.Desc> chain = device.chain(device.next());
            assertEquals(i, chain.get(0).index());
            assertEquals(128 + i, chain.get(1).index());
        }
    }

    @Test
    void aBufferPostedAgainWhereItWasIsDescribedAnewIfTheDeviceChangedTheDescriptor() {
        SplitRingDriver ring = receiveRing(256);
        for (int i = 0; i < 256; i++) {
            int head = device.next();
            device.overwriteLen(head, 1);
            device.complete(head, 64);
        }
        assertEquals(256, ring.take(taken, 0, lengths, 256));
        assertEquals(256, postReceive(ring, 1, 256));
        for (int i = 0; i < 256; i++) {
            int head = device.next();
            assertEquals(
                    new SimulatedDevice.Desc(head, (i + 1) * 4096L, 2058, 2, 0), device.desc(head));
        }
    }

    @Test
    void atMostTheCapacityIsPosted() {
        SplitRingDriver rx = receiveRing(256);
        assertEquals(0, rx.free());
        assertEquals(0, postReceive(rx, 1000, 1));
        SplitRingDriver tx = SplitRingDriver.transmit(memory, LAYOUT);
        assertEquals(128, postTransmit(tx, 1, 200));
        assertEquals(0, tx.free());
        assertEquals(128, tx.outstanding());
    }

    @Test
    void usedBuffersComeBackWithTheirLengthsAndCanBePostedAgain() {
        SplitRingDriver ring = receiveRing(4);
        int h0 = device.next();
        int h1 = device.next();
        device.overwriteLen(h0, 70);
        device.put(h0, 70);
        device.put(h1, 2058);
        assertEquals(0, ring.take(taken, 0, lengths, 64), "nothing before it is published");
        device.publish();
        assertEquals(2, ring.take(taken, 0, lengths, 64));
        assertArrayEquals(new int[] {1, 2}, Arrays.copyOf(taken, 2));
        assertArrayEquals(new int[] {70, 2058}, Arrays.copyOf(lengths, 2));
        assertEquals(254, ring.free());
        assertEquals(254, postReceive(ring, 100, 256));
        Set<Integer> heads = new HashSet<>();
        for (int head = device.next(); head >= 0; head = device.next()) {
            assertTrue(heads.add(head), "head offered twice: " + head);
            assertEquals(2058, device.desc(head).len(), "length is written again");
        }
        assertEquals(256, heads.size(), "2 that were never used, 254 new");
        assertEquals(Fault.NONE, ring.fault());
    }

    @Test
    void noMoreIsTakenThanAskedFor() {
        SplitRingDriver ring = receiveRing(10);
        for (int i = 0; i < 10; i++) {
            device.put(device.next(), 60);
        }
        device.publish();
        assertEquals(3, ring.take(taken, 0, lengths, 3));
        assertEquals(7, ring.take(taken, 0, lengths, 64));
        assertEquals(0, ring.take(taken, 0, lengths, 64));
    }

    @Test
    void aDeviceMayCompleteInAnyOrder() {
        SplitRingDriver ring = SplitRingDriver.transmit(memory, LAYOUT);
        Random random = new Random(1);
        ArrayDeque<Integer> atDevice = new ArrayDeque<>();
        Set<Integer> out = new HashSet<>();
        int nextHandle = 1;
        for (int round = 0; round < 3000; round++) {
            int n = postTransmit(ring, nextHandle, random.nextInt(40));
            for (int i = 0; i < n; i++) {
                out.add(nextHandle++);
            }
            for (int head = device.next(); head >= 0; head = device.next()) {
                assertEquals(2, device.chain(head).size());
                if (random.nextBoolean()) {
                    atDevice.addLast(head);
                } else {
                    atDevice.addFirst(head);
                }
            }
            for (int i = random.nextInt(40); i > 0 && !atDevice.isEmpty(); i--) {
                device.put(random.nextBoolean() ? atDevice.pollFirst() : atDevice.pollLast(), 0);
            }
            device.publish();
            int m = ring.take(taken, 0, null, 64);
            for (int i = 0; i < m; i++) {
                assertTrue(out.remove(taken[i]), "handle returned twice");
            }
        }
        assertEquals(Fault.NONE, ring.fault());
        assertEquals(out.size(), ring.outstanding());
        assertEquals(out.size(), ring.abandon(taken));
        assertEquals(128, ring.free());
    }

    @Test
    void indicesRunOnPastSixteenBits() {
        SplitRingDriver ring = receiveRing(256);
        int next = 257;
        for (int round = 0; round < 1000; round++) {
            for (int i = 0; i < 100; i++) {
                device.put(device.next(), 64);
            }
            device.publish();
            assertEquals(100, ring.take(taken, 0, lengths, 128));
            assertEquals(100, postReceive(ring, next, 100));
            next += 100;
        }
        assertEquals(Fault.NONE, ring.fault());
        assertEquals(256, device.pending());
    }

    /** What a hostile or broken back end can do: the ring stops, nothing is handed out twice. */
    @Nested
    class HostileDevice {
        private void stopped(SplitRingDriver ring, Fault fault) {
            assertEquals(fault, ring.fault());
            device.complete(0, 64);
            assertEquals(0, ring.take(taken, 0, lengths, 64));
            assertEquals(0, postReceive(ring, 5000, 1));
        }

        @Test
        void idBeyondTheRing() {
            for (int id : new int[] {256, 65536, -1, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
                SplitRingDriver ring = receiveRing(8);
                SimulatedDevice hostile = new SimulatedDevice(memory, LAYOUT);
                hostile.complete(id, 64);
                assertEquals(0, ring.take(taken, 0, lengths, 64));
                assertEquals(Fault.USED_ID, ring.fault(), "id " + id);
            }
        }

        @Test
        void idInTheMiddleOfAChain() {
            SplitRingDriver ring = SplitRingDriver.transmit(memory, LAYOUT);
            postTransmit(ring, 1, 4);
            device.complete(device.chain(device.next()).get(1).index(), 0);
            assertEquals(0, ring.take(taken, 0, null, 64));
            assertEquals(Fault.USED_ID, ring.fault());
            assertEquals(0, postTransmit(ring, 1, 4));
        }

        @Test
        void idThatWasNeverPosted() {
            SplitRingDriver ring = receiveRing(8);
            device.complete(200, 64);
            assertEquals(0, ring.take(taken, 0, lengths, 64));
            stopped(ring, Fault.NOT_OUTSTANDING);
        }

        @Test
        void sameIdTwice() {
            SplitRingDriver ring = receiveRing(8);
            int head = device.next();
            device.put(head, 64);
            device.complete(head, 64);
            assertEquals(1, ring.take(taken, 0, lengths, 64), "the first one is good");
            stopped(ring, Fault.NOT_OUTSTANDING);
        }

        @Test
        void indexJump() {
            for (int by : new int[] {9, 256, 257, 40000, 65535}) {
                SplitRingDriver ring = receiveRing(8);
                SimulatedDevice hostile = new SimulatedDevice(memory, LAYOUT);
                hostile.jump(by);
                assertEquals(0, ring.take(taken, 0, lengths, 64));
                assertEquals(Fault.USED_INDEX, ring.fault(), "jump " + by);
            }
        }

        @Test
        void lengthBeyondTheBuffer() {
            for (int len : new int[] {2059, 65536, -1, Integer.MIN_VALUE}) {
                SplitRingDriver ring = receiveRing(8);
                SimulatedDevice hostile = new SimulatedDevice(memory, LAYOUT);
                hostile.complete(hostile.next(), len);
                assertEquals(0, ring.take(taken, 0, lengths, 64));
                assertEquals(Fault.USED_LENGTH, ring.fault(), "len " + len);
            }
        }

        @Test
        void anyBytesInTheRing() {
            Random random = new Random(7);
            byte[] noise = new byte[(int) LAYOUT.bytes()];
            for (int round = 0; round < 500; round++) {
                SplitRingDriver ring =
                        random.nextBoolean()
                                ? SplitRingDriver.receive(memory, LAYOUT)
                                : SplitRingDriver.transmit(memory, LAYOUT);
                boolean rx = ring.capacity() == 256;
                Set<Integer> out = new HashSet<>();
                int next = 1;
                for (int step = 0; step < 20; step++) {
                    int n = rx ? postReceive(ring, next, 50) : postTransmit(ring, next, 50);
                    for (int i = 0; i < n; i++) {
                        out.add(next++);
                    }
                    random.nextBytes(noise);
                    MemorySegment.copy(MemorySegment.ofArray(noise), 0, memory, 0, noise.length);
                    if (random.nextBoolean()) {
                        // A plausible index, so that entries are looked at.
                        RingIndex.release(memory, LAYOUT.usedIdx(), random.nextInt(60));
                    }
                    int m = ring.take(taken, 0, lengths, 256);
                    for (int i = 0; i < m; i++) {
                        assertTrue(out.remove(taken[i]), "handed out twice");
                        assertFalse(rx && (lengths[i] < 0 || lengths[i] > 2058));
                    }
                }
                assertEquals(out.size(), ring.outstanding());
            }
        }
    }
}
