package io.grantwire.vswitch.ring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.hostile.RawRing;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The walker over seeded random ring contents: it never throws, never leaves a pool. */
class DeviceRingRandomTest {
    private static final int STATES = 200_000;
    private static final int SIZE = 16;
    private static final int POOL = 8192;

    @Test
    void noStateOfAReceiveRingHarms() {
        walkRandomStates(true, 1);
    }

    @Test
    void noStateOfATransmitRingHarms() {
        walkRandomStates(false, 2);
    }

    @Test
    void theWalkerAndTheReferenceAgreeOnRandomRings() {
        RingStates rings = new RingStates(3);
        for (int i = 0; i < STATES; i++) {
            rings.next();
        }
        Set<RejectReason> expected = EnumSet.allOf(RejectReason.class);
        expected.removeIf(reason -> reason.kind() != RejectReason.Kind.RING);
        assertEquals(expected, rings.verdicts.keySet());
    }

    private static void walkRandomStates(boolean receive, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Arena arena = Arena.ofAuto();
        RawRing guest = new RawRing(arena, SIZE);
        long[] bases = {0x10000, 0x7fff_ffff_0000L, -POOL};
        GuestMemory memory =
                GuestMemory.of(
                        List.of(
                                new GuestRange("0", bases[0], arena.allocate(POOL, 4096)),
                                new GuestRange("1", bases[1], arena.allocate(POOL, 4096)),
                                new GuestRange("2", bases[2], arena.allocate(POOL, 4096))));
        MemorySegment scratch = arena.allocate(DeviceRing.MAX_CHAIN_BYTES);
        Set<RejectReason> seen = EnumSet.noneOf(RejectReason.class);
        long served = 0;
        for (int state = 0; state < STATES; state++) {
            // From tame to wild, so that every depth of the walker is reached.
            int wildness = random.nextInt(1, 40);
            guest.startAt(random.nextInt(65536));
            for (int i = 0; i < SIZE; i++) {
                randomDescriptor(random, guest, i, bases, receive, wildness);
            }
            int offered = random.nextInt(SIZE + 1);
            for (int i = 0; i < offered; i++) {
                guest.offer(
                        rarely(random, wildness) ? random.nextInt(65536) : random.nextInt(SIZE));
            }
            if (rarely(random, wildness)) {
                guest.availIdx(random.nextInt(65536));
            }
            DeviceRing ring =
                    receive
                            ? DeviceRing.receive(guest.memory, guest.layout, memory)
                            : DeviceRing.transmit(guest.memory, guest.layout, memory);
            int done = 0;
            while (ring.fill() > 0) {
                int bytes = ring.frameBytes();
                assertTrue(bytes > 0 && bytes < DeviceRing.MAX_CHAIN_BYTES);
                if (receive) {
                    ring.write(0, scratch, 0, bytes + DeviceRing.HEADER);
                } else {
                    ring.read(0, scratch, 0, bytes);
                }
                ring.complete(bytes);
                done++;
            }
            ring.publish();
            assertTrue(done <= SIZE, "served more than the ring holds");
            assertEquals(done, guest.usedCount());
            served += done;
            if (ring.violation() != null) {
                seen.add(ring.violation());
            }
        }
        assertTrue(served > STATES, "too wild to mean anything: " + served);
        Set<RejectReason> expected = EnumSet.allOf(RejectReason.class);
        expected.removeIf(reason -> reason.kind() != RejectReason.Kind.RING);
        expected.remove(receive ? RejectReason.NOT_READABLE : RejectReason.NOT_WRITABLE);
        assertEquals(expected, seen);
    }

    private static boolean rarely(SplittableRandom random, int wildness) {
        return random.nextInt(wildness * 16) == 0;
    }

    private static void randomDescriptor(
            SplittableRandom random,
            RawRing guest,
            int index,
            long[] bases,
            boolean receive,
            int wildness) {
        long address = bases[random.nextInt(bases.length)] + random.nextInt(POOL - 600);
        int length = random.nextInt(3) == 0 ? random.nextInt(12) : random.nextInt(600);
        int flags = receive ? 2 : 0;
        int next = 0;
        if (random.nextInt(3) == 0) {
            flags |= 1;
            next = random.nextInt(SIZE);
        }
        if (rarely(random, wildness)) {
            switch (random.nextInt(6)) {
                case 0 -> address = random.nextLong();
                case 1 -> address = bases[random.nextInt(bases.length)] + POOL - random.nextInt(9);
                case 2 -> length = random.nextInt();
                case 3 -> flags = random.nextInt(65536);
                case 4 -> next = random.nextInt(65536);
                default -> length = 0;
            }
        }
        guest.desc(index, address, length, flags, next);
    }
}
