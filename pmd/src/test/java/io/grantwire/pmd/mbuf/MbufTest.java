package io.grantwire.pmd.mbuf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class MbufTest {
    private final Mempool pool =
            Mempool.create(new MempoolConfig("t", 64, 2048, 0, MemorySource.plain()));

    @AfterEach
    void everythingIsBack() {
        assertEquals(0, pool.inUse());
        pool.close();
    }

    @Test
    void aFreshOneIsAnEmptyFrame() {
        int m = pool.alloc();
        assertFresh(m);
        Mbuf.setLen(m, 77);
        Mbuf.setHeadroom(m, 3);
        Mbuf.setVlanTci(m, 0xFFFF);
        Mbuf.setOlFlags(m, -1);
        Mbuf.setPort(m, 5);
        Mbuf.free(m);
        m = pool.alloc();
        assertFresh(m);
        Mbuf.setVlanTci(m, 9);
        Mbuf.append(m, 10);
        Mbuf.reset(m);
        assertFresh(m);
        Mbuf.free(m);
    }

    private void assertFresh(int m) {
        assertEquals(0, Mbuf.dataLen(m));
        assertEquals(0, Mbuf.pktLen(m));
        assertEquals(1, Mbuf.nbSegs(m));
        assertEquals(0, Mbuf.next(m));
        assertEquals(1, Mbuf.refcnt(m));
        assertEquals(Mbuf.NO_PORT, Mbuf.port(m));
        assertEquals(0, Mbuf.vlanTci(m));
        assertEquals(0, Mbuf.olFlags(m));
        assertEquals(128, Mbuf.headroom(m));
        assertEquals(2048, Mbuf.tailroom(m));
        assertEquals(2176, Mbuf.bufferLength(m));
        assertEquals(Mbuf.bufferOffset(m) + 128, Mbuf.offset(m));
    }

    @Test
    void fieldsDoNotDisturbEachOther() {
        int m = pool.alloc();
        int next = pool.alloc();
        Mbuf.setHeadroom(m, 0xFFFF);
        Mbuf.setDataLen(m, 0xFFFF);
        Mbuf.setPktLen(m, Integer.MAX_VALUE);
        Mbuf.setOlFlags(m, 0x8000_0001);
        Mbuf.setVlanTci(m, 0xFFFE);
        Mbuf.setPort(m, 0xFFFD);
        Mbuf.setHash(m, -7);
        Mbuf.setNext(m, next);
        Mbuf.setNbSegs(m, 0xFFFF);
        Mbuf.setRefcnt(m, 1);
        assertEquals(0xFFFF, Mbuf.headroom(m));
        assertEquals(0xFFFF, Mbuf.dataLen(m));
        assertEquals(Integer.MAX_VALUE, Mbuf.pktLen(m));
        assertEquals(0x8000_0001, Mbuf.olFlags(m));
        assertEquals(0xFFFE, Mbuf.vlanTci(m));
        assertEquals(0xFFFD, Mbuf.port(m));
        assertEquals(-7, Mbuf.hash(m));
        assertEquals(next, Mbuf.next(m));
        assertEquals(0xFFFF, Mbuf.nbSegs(m));
        Mbuf.setDataLen(m, 1);
        Mbuf.setHeadroom(m, 2);
        Mbuf.setPktLen(m, 3);
        Mbuf.setPort(m, 4);
        Mbuf.setVlanTci(m, 5);
        Mbuf.setOlFlags(m, 6);
        Mbuf.setNbSegs(m, 2);
        assertEquals(1, Mbuf.dataLen(m));
        assertEquals(2, Mbuf.headroom(m));
        assertEquals(3, Mbuf.pktLen(m));
        assertEquals(4, Mbuf.port(m));
        assertEquals(5, Mbuf.vlanTci(m));
        assertEquals(6, Mbuf.olFlags(m));
        assertEquals(2, Mbuf.nbSegs(m));
        assertEquals(next, Mbuf.next(m));
        Mbuf.free(m);
    }

    @Test
    void roomIsUsedAndGivenBackWithinBounds() {
        int m = pool.alloc();
        long start = Mbuf.offset(m);
        assertTrue(Mbuf.append(m, 100));
        assertTrue(Mbuf.prepend(m, 128));
        assertEquals(start - 128, Mbuf.offset(m));
        assertEquals(228, Mbuf.dataLen(m));
        assertEquals(228, Mbuf.pktLen(m));
        assertEquals(0, Mbuf.headroom(m));
        assertFalse(Mbuf.prepend(m, 1));
        assertFalse(Mbuf.prepend(m, -1));
        assertTrue(Mbuf.adj(m, 130));
        assertEquals(start + 2, Mbuf.offset(m));
        assertEquals(98, Mbuf.dataLen(m));
        assertFalse(Mbuf.adj(m, 99));
        assertFalse(Mbuf.adj(m, -1));
        assertTrue(Mbuf.append(m, 1948));
        assertEquals(0, Mbuf.tailroom(m));
        assertFalse(Mbuf.append(m, 1));
        assertFalse(Mbuf.append(m, -1));
        assertTrue(Mbuf.trim(m, 2046));
        assertEquals(0, Mbuf.pktLen(m));
        assertFalse(Mbuf.trim(m, 1));
        assertFalse(Mbuf.trim(m, -1));
        Mbuf.free(m);
    }

    @Test
    void chainsGrowAndShrinkAtTheirEnds() {
        int a = pool.alloc();
        int b = pool.alloc();
        int c = pool.alloc();
        Mbuf.append(a, 10);
        Mbuf.append(b, 20);
        Mbuf.append(c, 30);
        assertTrue(Mbuf.chain(b, c));
        assertTrue(Mbuf.chain(a, b));
        assertEquals(3, Mbuf.nbSegs(a));
        assertEquals(60, Mbuf.pktLen(a));
        assertEquals(10, Mbuf.dataLen(a));
        assertEquals(c, Mbuf.lastSegment(a));
        assertTrue(Mbuf.append(a, 5));
        assertEquals(35, Mbuf.dataLen(c));
        assertEquals(65, Mbuf.pktLen(a));
        assertTrue(Mbuf.trim(a, 35));
        assertFalse(Mbuf.trim(a, 1));
        assertTrue(Mbuf.prepend(a, 4));
        assertEquals(34, Mbuf.pktLen(a));
        Mbuf.setNbSegs(c, 0xFFFF);
        assertFalse(Mbuf.chain(a, c));
        Mbuf.setNbSegs(c, 1);
        Mbuf.free(a);
    }

    @Test
    void initMakesAReceivedFrame() {
        int[] one = new int[1];
        assertTrue(pool.allocRawBulk(one, 0, 1));
        int m = one[0];
        Mbuf.init(m, 1514, 3);
        assertEquals(1514, Mbuf.pktLen(m));
        assertEquals(1514, Mbuf.dataLen(m));
        assertEquals(128, Mbuf.headroom(m));
        assertEquals(3, Mbuf.port(m));
        assertEquals(0, Mbuf.olFlags(m));
        assertEquals(1, Mbuf.nbSegs(m));
        assertEquals(1, Mbuf.refcnt(m));
        Mbuf.free(m);
    }

    @Test
    void everyOwnerFreesOnce() {
        int m = pool.allocChain(5000);
        assertEquals(3, Mbuf.nbSegs(m));
        Mbuf.retain(m, 2);
        assertEquals(3, Mbuf.refcnt(m));
        assertEquals(3, Mbuf.refcnt(Mbuf.lastSegment(m)));
        Mbuf.free(m);
        Mbuf.free(m);
        assertEquals(1, Mbuf.refcnt(m));
        assertEquals(3, pool.inUse());
        Mbuf.free(m);
        assertEquals(0, pool.inUse());
        long bad = Mempool.badFrees();
        Mbuf.free(m);
        assertEquals(bad + 1, Mempool.badFrees());
    }

    @Test
    void ownersInSeveralThreadsFreeOnceBetweenThem() throws InterruptedException {
        long bad = Mempool.badFrees();
        for (int i = 0; i < 300; i++) {
            int m = pool.allocChain(3000);
            Mbuf.retain(m, 2);
            CountDownLatch go = new CountDownLatch(1);
            Thread[] owners = new Thread[3];
            for (int t = 0; t < 3; t++) {
                owners[t] =
                        Thread.ofVirtual()
                                .start(() -> {
                                    try {
                                        go.await();
                                    } catch (InterruptedException e) {
                                        Thread.currentThread().interrupt();
                                    }
                                    Mbuf.free(m);
                                });
            }
            go.countDown();
            for (Thread t : owners) {
                t.join();
            }
            assertEquals(0, pool.inUse());
        }
        assertEquals(bad, Mempool.badFrees());
    }

    @Test
    void aChainThatRunsInCirclesIsFreedOnce() {
        int a = pool.alloc();
        int b = pool.alloc();
        Mbuf.chain(a, b);
        Mbuf.setNext(b, a);
        long bad = Mempool.badFrees();
        Mbuf.free(a);
        assertEquals(bad + 1, Mempool.badFrees());
        assertEquals(0, pool.inUse());
    }
}
