package io.grantwire.pmd.driver.pci;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import io.grantwire.pmd.testkit.Frames;
import io.grantwire.pmd.testkit.pci.TestDmaSpace;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BounceBuffersTest {
    private static int frame(Mempool pool, byte[] bytes) {
        int m = pool.allocChain(bytes.length);
        int at = 0;
        for (int s = m; s != 0; at += Mbuf.dataLen(s), s = Mbuf.next(s)) {
            MemorySegment.copy(
                    bytes,
                    at,
                    Mbuf.segment(s),
                    ValueLayout.JAVA_BYTE,
                    Mbuf.offset(s),
                    Mbuf.dataLen(s));
        }
        return m;
    }

    private static byte[] bytes(int m) {
        byte[] bytes = new byte[Mbuf.pktLen(m)];
        int at = 0;
        for (int s = m; s != 0; at += Mbuf.dataLen(s), s = Mbuf.next(s)) {
            MemorySegment.copy(
                    Mbuf.segment(s),
                    ValueLayout.JAVA_BYTE,
                    Mbuf.offset(s),
                    bytes,
                    at,
                    Mbuf.dataLen(s));
        }
        return bytes;
    }

    @Test
    void copiesAreEqualWhateverTheMbufsOfTheFrame() {
        for (long contiguous : new long[] {4096, Long.MAX_VALUE}) {
            TestDmaSpace space = new TestDmaSpace(contiguous);
            try (BusAddresses addresses = new BusAddresses(space);
                    Mempool pool =
                            Mempool.create(MempoolConfig.of("source", 200).withDataRoom(333));
                    BounceBuffers bounce =
                            new BounceBuffers("test", DmaPacketMemory.source(space), addresses)) {
                for (int size : new int[] {14, 333, 334, 1920, 1921, 2048, 2049, 9018}) {
                    byte[] bytes = Frames.bytes(size, size);
                    int m = frame(pool, bytes);
                    Mbuf.setOlFlags(m, Mbuf.TX_VLAN | Mbuf.TX_TCP_CKSUM);
                    Mbuf.setVlanTci(m, 77);
                    Mbuf.setTxHeaders(m, 14, 20);
                    int copy = bounce.copy(m);
                    assertArrayEquals(bytes, bytes(copy));
                    assertEquals(bounce.segments(size), Mbuf.nbSegs(copy));
                    assertEquals(Mbuf.TX_VLAN | Mbuf.TX_TCP_CKSUM, Mbuf.olFlags(copy));
                    assertEquals(77, Mbuf.vlanTci(copy));
                    assertEquals(20, Mbuf.txL3Len(copy));
                    assertEquals(0, pool.inUse(), "the frame is freed");
                    for (int s = copy; s != 0; s = Mbuf.next(s)) {
                        assertTrue(space.reach(addresses.of(s), Mbuf.dataLen(s)));
                    }
                    Mbuf.free(copy);
                }
            }
            assertEquals(0, space.live());
        }
    }

    @Test
    void aFrameStaysWhenThereIsNoBufferLeft() {
        TestDmaSpace space = new TestDmaSpace();
        try (BusAddresses addresses = new BusAddresses(space);
                Mempool pool = Mempool.create(MempoolConfig.of("source", 1024));
                BounceBuffers bounce =
                        new BounceBuffers("test", DmaPacketMemory.source(space), addresses)) {
            List<Integer> copies = new ArrayList<>();
            byte[] bytes = Frames.bytes(5000, 1);
            int m;
            int copy;
            while ((copy = bounce.copy(m = frame(pool, bytes))) != 0) {
                copies.add(copy);
            }
            assertTrue(copies.size() > 100);
            assertArrayEquals(bytes, bytes(m));
            copies.forEach(Mbuf::free);
            assertNotEquals(0, copy = bounce.copy(m));
            Mbuf.free(copy);
        }
    }
}
