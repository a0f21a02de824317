package io.grantwire.pmd.driver.virtio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDeviceException;
import io.grantwire.pmd.ethdev.EthOffload;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.testkit.NicPort;
import io.grantwire.pmd.testkit.pci.FakeDmaSpace;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A model of the device, and the driver on it; every test ends with a look for what is left. */
abstract class VirtioNetBed {
    static final EthConfig ONE = EthConfig.SINGLE_QUEUE;
    static final EthConfig JUMBO = ONE.withMtu(9000).withOffloads(Set.of(EthOffload.RX_SCATTER));
    static final int HEADER = 12;

    FakeDmaSpace dma;
    FakeVirtioNet card;
    NicPort port;

    @BeforeEach
    void plugIn() {
        dma = FakeDmaSpace.iommu();
        plugIn(FakeVirtioNet.EVERYTHING, Mempool.DEFAULT_DATA_ROOM);
    }

    void plugIn(long offered, int dataRoom) {
        card = new FakeVirtioNet(dma);
        card.offered = offered;
        port = new NicPort(new VirtioNetDevice("pci:0000:00:04.0", card), dataRoom);
    }

    /** Another device in place of the first one. */
    void replug(FakeDmaSpace space, long offered, int dataRoom) {
        port.close();
        dma = space;
        plugIn(offered, dataRoom);
    }

    @AfterEach
    void nothingIsLeft() {
        port.close();
        assertTrue(card.isClosed());
        assertEquals(0, dma.mappings(), "mappings left");
        assertEquals(0, dma.faults(), "DMA faults");
    }

    void start(EthConfig config) {
        port.start(config);
        port.device.setPromiscuous(true);
    }

    static void refused(String errno, String hint, Runnable call) {
        EthDeviceException e = assertThrows(EthDeviceException.class, call::run);
        assertTrue(e.getMessage().contains(errno), e.getMessage());
        assertTrue(e.getMessage().contains(hint), e.getMessage());
    }
}
