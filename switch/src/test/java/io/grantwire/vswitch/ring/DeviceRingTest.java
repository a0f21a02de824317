package io.grantwire.vswitch.ring;

import static io.grantwire.pmd.virtio.SplitRingLayout.F_INDIRECT;
import static io.grantwire.pmd.virtio.SplitRingLayout.F_NEXT;
import static io.grantwire.pmd.virtio.SplitRingLayout.F_WRITE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.grantwire.pmd.hostile.RawRing;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.Test;

/** One test per {@link RejectReason}, and the chain forms that must work. */
class DeviceRingTest {
    private static final long VA = 0x7f12_3400_0000L;
    private static final int POOL_BYTES = 1 << 20;

    private final Arena arena = Arena.ofAuto();
    private final MemorySegment pool = arena.allocate(POOL_BYTES, 4096);
    private final GuestMemory memory = GuestMemory.of(List.of(new GuestRange("0", VA, pool)));
    private final RawRing guest = new RawRing(arena, 256);
    private final MemorySegment here = arena.allocate(65536);

    private DeviceRing rx() {
        return DeviceRing.receive(guest.memory, guest.layout, memory);
    }

    private DeviceRing tx() {
        return DeviceRing.transmit(guest.memory, guest.layout, memory);
    }

    private void pattern(MemorySegment s, long offset, int length, int seed) {
        for (int i = 0; i < length; i++) {
            s.set(ValueLayout.JAVA_BYTE, offset + i, (byte) (seed + i * 31));
        }
    }

    private byte[] bytes(MemorySegment s, long offset, int length) {
        return s.asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE);
    }

    private void refused(DeviceRing ring, RejectReason reason) {
        assertEquals(0, ring.fill());
        assertEquals(reason, ring.violation());
        guest.offer(0);
        assertEquals(0, ring.fill(), "served after a violation");
        assertEquals(0, guest.usedCount());
    }

    @Test
    void refusesAnAvailIndexBeyondTheRing() {
        guest.availIdx(257);
        refused(rx(), RejectReason.AVAIL_IDX_JUMP);
    }

    @Test
    void refusesAnAvailIndexThatGoesBackwards() {
        guest.startAt(100);
        DeviceRing ring = rx();
        guest.availIdx(99);
        refused(ring, RejectReason.AVAIL_IDX_JUMP);
    }

    @Test
    void acceptsARingThatIsFull() {
        for (int i = 0; i < 256; i++) {
            guest.desc(i, VA + i * 2048L, 2048, F_WRITE, 0);
            guest.offer(i);
        }
        DeviceRing ring = rx();
        for (int i = 0; i < 256; i++) {
            assertEquals(DeviceRing.WINDOW - i % DeviceRing.WINDOW, ring.fill());
            ring.complete(74);
        }
        assertEquals(0, ring.fill());
        assertNull(ring.violation());
        ring.publish();
        assertEquals(256, guest.usedCount());
    }

    @Test
    void everyUsedEntryIsRightWhateverWasThereBefore() {
        for (int i = 0; i < 256; i++) {
            guest.desc(i, VA + i * 2048L, 2048, F_WRITE, 0);
        }
        DeviceRing ring = rx();
        for (int lap = 0; lap < 3; lap++) {
            for (int i = 0; i < 256; i++) {
                guest.offer(i);
            }
            for (int i = 0; i < 256; i++) {
                ring.fill();
                ring.complete(74);
            }
            ring.publish();
            for (int i = 0; i < 256; i++) {
                assertEquals(i, guest.usedId());
                assertEquals(74, guest.takeUsed());
            }
            // Nothing, then a scribble.
            guest.memory.asSlice(guest.layout.usedEntry(0), 256 * 8).fill((byte) (lap * 0x55));
        }
    }

    @Test
    void refusesAHeadBeyondTheTable() {
        guest.offer(256);
        refused(rx(), RejectReason.HEAD_OUT_OF_RANGE);
    }

    @Test
    void refusesANextBeyondTheTable() {
        guest.desc(0, 0, 10, F_NEXT, 256);
        guest.offer(0);
        refused(tx(), RejectReason.NEXT_OUT_OF_RANGE);
    }

    @Test
    void refusesALoop() {
        guest.desc(0, VA, 10, F_NEXT, 1);
        guest.desc(1, VA, 10, F_NEXT, 0);
        guest.offer(0);
        refused(tx(), RejectReason.CHAIN_LOOP);
    }

    @Test
    void refusesAChainThatPointsAtItself() {
        guest.desc(5, VA, 0, F_NEXT, 5);
        guest.offer(5);
        refused(tx(), RejectReason.CHAIN_LOOP);
    }

    @Test
    void acceptsTheLongestChain() {
        for (int i = 0; i < 256; i++) {
            guest.desc(i, VA + i, 1, i < 255 ? F_NEXT : 0, i + 1);
        }
        guest.offer(0);
        DeviceRing ring = tx();
        assertEquals(1, ring.fill());
        assertEquals(246, ring.frameBytes());
        pattern(pool, 0, 256, 3);
        ring.read(0, here, 0, 246);
        assertArrayEquals(bytes(pool, 10, 246), bytes(here, 0, 246));
    }

    @Test
    void refusesIndirectDescriptors() {
        guest.desc(0, VA, 16, F_INDIRECT, 0);
        guest.offer(0);
        refused(tx(), RejectReason.INDIRECT);
    }

    @Test
    void refusesAReceiveBufferThatIsNotForWriting() {
        guest.desc(0, VA, 2048, 0, 0);
        guest.offer(0);
        refused(rx(), RejectReason.NOT_WRITABLE);
    }

    @Test
    void refusesATransmitBufferThatIsForWriting() {
        guest.desc(0, 0, 10, F_NEXT, 1);
        guest.desc(1, VA, 60, F_WRITE, 0);
        guest.offer(0);
        refused(tx(), RejectReason.NOT_READABLE);
    }

    @Test
    void refusesATransmitChainOfAHeaderOnly() {
        guest.desc(0, 0, 10, F_NEXT, 1);
        guest.desc(1, VA, 0, 0, 0);
        guest.offer(0);
        refused(tx(), RejectReason.CHAIN_TOO_SHORT);
    }

    @Test
    void refusesAReceiveBufferWithoutRoomBehindTheHeader() {
        guest.desc(0, VA, 10, F_WRITE, 0);
        guest.offer(0);
        refused(rx(), RejectReason.CHAIN_TOO_SHORT);
    }

    @Test
    void refusesAChainOfTooManyBytes() {
        guest.desc(0, VA, 0xffff_fff0, F_WRITE, 0);
        guest.offer(0);
        refused(rx(), RejectReason.CHAIN_TOO_LONG);
    }

    @Test
    void refusesManyBuffersThatAddUpToTooManyBytes() {
        for (int i = 0; i < 4; i++) {
            guest.desc(i, VA, POOL_BYTES / 2, i < 3 ? F_NEXT : 0, i + 1);
        }
        guest.offer(0);
        refused(tx(), RejectReason.CHAIN_TOO_LONG);
    }

    @Test
    void refusesABufferOutsideThePools() {
        guest.desc(0, VA - 4096, 2048, F_WRITE, 0);
        guest.offer(0);
        refused(rx(), RejectReason.ADDRESS_UNKNOWN);
    }

    @Test
    void refusesABufferThatLeavesItsPool() {
        guest.desc(0, VA + POOL_BYTES - 100, 101, F_WRITE, 0);
        guest.offer(0);
        refused(rx(), RejectReason.ADDRESS_OVERRUN);
    }

    @Test
    void chainsBeforeABadOneAreStillGood() {
        guest.desc(0, VA, 2048, F_WRITE, 0);
        guest.offer(0);
        guest.offer(300);
        DeviceRing ring = rx();
        assertEquals(1, ring.fill());
        assertEquals(RejectReason.HEAD_OUT_OF_RANGE, ring.violation());
        ring.complete(74);
        ring.publish();
        assertEquals(1, guest.usedCount());
        assertEquals(0, ring.fill());
    }

    @Test
    void readsTheStockFrontEndsTransmitChain() {
        guest.desc(7, 0, 10, F_NEXT, 3);
        guest.desc(3, VA + 128, 60, 0, 0);
        guest.offer(7);
        pattern(pool, 128, 60, 9);
        DeviceRing ring = tx();
        assertEquals(1, ring.fill());
        assertEquals(60, ring.frameBytes());
        ring.read(0, here, 0, 60);
        assertArrayEquals(bytes(pool, 128, 60), bytes(here, 0, 60));
        ring.complete(0);
        assertEquals(0, guest.usedCount(), "told the guest before publish");
        ring.publish();
        assertEquals(1, guest.usedCount());
        assertEquals(7, guest.usedId());
        assertEquals(0, guest.takeUsed());
    }

    @Test
    void aHeaderFullOfOffsetsChangesNothing() {
        // gso_type, hdr_len, gso_size, csum_start and csum_offset are never looked at: nobody
        // negotiated offloads (CVE-2024-11614, CVE-2026-100236).
        pool.asSlice(0, 10).fill((byte) 0xff);
        pattern(pool, 10, 60, 4);
        guest.desc(0, VA, 70, 0, 0);
        guest.offer(0);
        DeviceRing ring = tx();
        assertEquals(1, ring.fill());
        assertEquals(60, ring.frameBytes());
        ring.read(0, here, 0, 60);
        assertArrayEquals(bytes(pool, 10, 60), bytes(here, 0, 60));
        assertNull(ring.violation());
    }

    @Test
    void readsAHeaderSplitOverDescriptorsAndAFrameInSeveralBuffers() {
        // Header of 3 + 0 + 5, the last two bytes in front of the frame's first 20 bytes; an empty
        // buffer; then 1 byte, then 39.
        guest.desc(0, 0, 3, F_NEXT, 9);
        guest.desc(9, -1, 0, F_NEXT, 1);
        guest.desc(1, 0, 5, F_NEXT, 2);
        guest.desc(2, VA + 1000, 22, F_NEXT, 4);
        guest.desc(4, 0xdead, 0, F_NEXT, 5);
        guest.desc(5, VA + 5000, 1, F_NEXT, 6);
        guest.desc(6, VA + 9001, 39, 0, 0);
        guest.offer(0);
        pattern(pool, 1002, 20, 1);
        pattern(pool, 5000, 1, 2);
        pattern(pool, 9001, 39, 3);
        DeviceRing ring = tx();
        assertEquals(1, ring.fill());
        assertEquals(60, ring.frameBytes());
        ring.read(0, here, 0, 60);
        assertArrayEquals(bytes(pool, 1002, 20), bytes(here, 0, 20));
        assertArrayEquals(bytes(pool, 5000, 1), bytes(here, 20, 1));
        assertArrayEquals(bytes(pool, 9001, 39), bytes(here, 21, 39));
        ring.read(19, here, 100, 5);
        assertArrayEquals(bytes(here, 19, 5), bytes(here, 100, 5));
    }

    @Test
    void writesIntoOneBuffer() {
        guest.desc(4, VA + 118, 2058, F_WRITE, 0);
        guest.offer(4);
        byte[] table = guest.descriptorTable();
        DeviceRing ring = rx();
        assertEquals(1, ring.fill());
        assertEquals(2048, ring.frameBytes());
        pattern(here, 0, 70, 5);
        ring.write(0, here, 0, 70);
        ring.complete(70);
        ring.publish();
        assertArrayEquals(bytes(here, 0, 70), bytes(pool, 118, 70));
        assertEquals(4, guest.usedId());
        assertEquals(70, guest.takeUsed());
        assertArrayEquals(table, guest.descriptorTable(), "wrote into the descriptor table");
    }

    @Test
    void writesAcrossBuffers() {
        guest.desc(0, VA, 10, F_WRITE | F_NEXT, 1);
        guest.desc(1, VA + 4096, 0, F_WRITE | F_NEXT, 2);
        guest.desc(2, VA + 8192, 30, F_WRITE | F_NEXT, 3);
        guest.desc(3, VA + 16384, 100, F_WRITE, 0);
        guest.offer(0);
        DeviceRing ring = rx();
        assertEquals(1, ring.fill());
        assertEquals(130, ring.frameBytes());
        pattern(here, 0, 110, 5);
        ring.write(0, here, 0, 25);
        ring.write(25, here, 25, 85);
        assertArrayEquals(bytes(here, 0, 10), bytes(pool, 0, 10));
        assertArrayEquals(bytes(here, 10, 30), bytes(pool, 8192, 30));
        assertArrayEquals(bytes(here, 40, 70), bytes(pool, 16384, 70));
        assertArrayEquals(new byte[30], bytes(pool, 16384 + 70, 30));
    }

    @Test
    void goesOnWhereTheLastBackEndStopped() {
        guest.startAt(65530);
        for (int i = 0; i < 10; i++) {
            guest.desc(i, VA + i * 2048L, 2048, F_WRITE, 0);
            guest.offer(i);
        }
        DeviceRing ring = rx();
        assertEquals(10, ring.fill());
        for (int i = 0; i < 10; i++) {
            ring.complete(100 + i);
        }
        ring.publish();
        assertEquals(4, guest.usedIdx());
        for (int i = 0; i < 10; i++) {
            assertEquals(i, guest.usedId());
            assertEquals(100 + i, guest.takeUsed());
        }
    }

    @Test
    void doesNotReadAWaitingChainAgain() {
        guest.desc(0, VA, 2048, F_WRITE, 0);
        guest.offer(0);
        DeviceRing ring = rx();
        assertEquals(1, ring.fill());
        guest.desc(0, 0, 0, 0, 0);
        assertEquals(1, ring.fill());
        assertEquals(2038, ring.frameBytes());
        assertNull(ring.violation());
    }

    @Test
    void usesBuffersOfSeveralPools() {
        MemorySegment second = arena.allocate(4096, 4096);
        GuestMemory both =
                GuestMemory.of(
                        List.of(
                                new GuestRange("0", VA, pool),
                                new GuestRange("1", 0x5000, second)));
        guest.desc(0, 0, 10, F_NEXT, 1);
        guest.desc(1, 0x5000, 20, F_NEXT, 2);
        guest.desc(2, VA, 20, F_NEXT, 3);
        guest.desc(3, 0x5ff0, 16, 0, 0);
        guest.offer(0);
        pattern(second, 0, 4096, 1);
        pattern(pool, 0, 20, 2);
        DeviceRing ring = DeviceRing.transmit(guest.memory, guest.layout, both);
        assertEquals(1, ring.fill());
        ring.read(0, here, 0, 56);
        assertArrayEquals(bytes(second, 0, 20), bytes(here, 0, 20));
        assertArrayEquals(bytes(pool, 0, 20), bytes(here, 20, 20));
        assertArrayEquals(bytes(second, 0xff0, 16), bytes(here, 40, 16));
    }
}
