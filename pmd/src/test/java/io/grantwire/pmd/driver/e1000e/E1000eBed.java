package io.grantwire.pmd.driver.e1000e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDeviceException;
import io.grantwire.pmd.ethdev.EthOffload;
import io.grantwire.pmd.testkit.NicPort;
import io.grantwire.pmd.testkit.pci.FakeDmaSpace;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A model of the card, and the driver on it; every test ends with a look for what is left. */
abstract class E1000eBed {
    static final EthConfig ONE = EthConfig.SINGLE_QUEUE;
    static final EthConfig JUMBO = ONE.withMtu(9000).withOffloads(Set.of(EthOffload.RX_SCATTER));

    FakeDmaSpace dma;
    FakeE1000e card;
    NicPort port;

    @BeforeEach
    void plugIn() {
        plugIn(FakeDmaSpace.iommu());
    }

    void plugIn(FakeDmaSpace space) {
        dma = space;
        card = new FakeE1000e(dma);
        port = new NicPort(new E1000eDevice("pci:0000:00:04.0", card));
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
