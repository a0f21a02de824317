package io.grantwire.pmd.driver.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import io.grantwire.pmd.testkit.pci.TestDmaSpace;
import org.junit.jupiter.api.Test;

class BusAddressesTest {
    private static Mempool pool(String name) {
        return Mempool.create(MempoolConfig.of(name, 16));
    }

    @Test
    void everyMbufIsWhereTheDeviceFindsIt() {
        TestDmaSpace space = new TestDmaSpace(4096);
        try (BusAddresses addresses = new BusAddresses(space);
                Mempool pool =
                        Mempool.create(
                                MempoolConfig.of("dma", 64)
                                        .withDataRoom(1500)
                                        .withSource(DmaPacketMemory.source(space)))) {
            addresses.learn(pool);
            int[] all = new int[64];
            assertTrue(pool.allocBulk(all, 0, 64));
            for (int m : all) {
                assertTrue(space.reach(addresses.of(m), 1500));
                assertEquals(Mbuf.segment(m).address(), space.found().address());
                assertEquals(Mbuf.offset(m), space.foundOffset());
            }
            Mempool.freeBulk(all, 0, 64);
        }
        assertEquals(0, space.live());
    }

    @Test
    void poolsThatCannotBeMappedAreUnknown() {
        TestDmaSpace space = new TestDmaSpace();
        space.refuseOthers();
        try (BusAddresses addresses = new BusAddresses(space);
                Mempool pool = pool("plain")) {
            addresses.learnAll();
            int m = pool.alloc();
            assertEquals(BusAddresses.UNKNOWN, addresses.of(m));
            Mbuf.free(m);
        }
    }

    @Test
    void aPoolInTheSlotOfAClosedOneIsUnknownUntilItIsLearnt() {
        TestDmaSpace space = new TestDmaSpace();
        try (BusAddresses addresses = new BusAddresses(space)) {
            Mempool first = pool("first");
            addresses.learn(first);
            int slot = first.slot();
            first.close();
            Mempool next = pool("next");
            // Slots go round: it takes many pools to come by again.
            while (next.slot() != slot) {
                next.close();
                next = pool("next");
            }
            int m = next.alloc();
            assertEquals(BusAddresses.UNKNOWN, addresses.of(m));
            addresses.learn(next);
            assertTrue(space.reach(addresses.of(m), 100));
            assertEquals(next.segment().address(), space.found().address());
            assertEquals(1, space.live(), "the first one's mapping has ended");
            Mbuf.free(m);
            next.close();
            addresses.learnAll();
            assertEquals(0, space.live());
        }
    }
}
