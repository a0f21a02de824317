package io.grantwire.pmd.driver.nulldev;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDeviceContractTest;
import io.grantwire.pmd.ethdev.EthDeviceException;
import io.grantwire.pmd.ethdev.EthDrivers;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import java.util.List;
import org.junit.jupiter.api.Test;

class NullDeviceTest extends EthDeviceContractTest {
    private static EthDevice probe(String text) {
        return EthDrivers.probe(
                text,
                () -> {
                    throw new AssertionError("no domain needed");
                });
    }

    @Override
    protected Rig openRig() {
        EthDevice device = probe("net_null0,copy=1");
        return new Rig() {
            @Override
            public EthDevice device() {
                return device;
            }

            @Override
            public void arrive(int frames, int size) {}

            @Override
            public int fixedSize() {
                return 64;
            }
        };
    }

    @Test
    void optionsChooseSizeAndQueues() {
        try (Mempool pool = Mempool.create(MempoolConfig.of("t", 256));
                EthDevice d = probe("eth_null7,size=1000,copy=0")) {
            assertEquals("eth_null7", d.name());
            assertEquals("net_null", d.info().driverName());
            d.configure(new EthConfig(2, 3));
            for (int q = 0; q < 3; q++) {
                d.txQueueSetup(q, 128);
            }
            d.rxQueueSetup(0, 0, pool);
            d.rxQueueSetup(1, 0, pool);
            d.start();
            assertTrue(d.link().up());
            int[] burst = new int[8];
            assertEquals(8, d.rxBurst(1, burst, 0, 8));
            assertEquals(1000, Mbuf.pktLen(burst[7]));
            assertEquals(8, d.txBurst(2, burst, 0, 8));
            assertEquals(8, d.xstats().get("rx_q1_packets"));
            assertEquals(0, d.xstats().get("rx_q0_packets"));
            assertEquals(8000, d.xstats().get("tx_q2_bytes"));
            d.setPromiscuous(true);
            assertTrue(d.promiscuous());
        }
    }

    @Test
    void noRxReceivesNothing() {
        try (Mempool pool = Mempool.create(MempoolConfig.of("t", 256));
                EthDevice d = probe("net_null0,no-rx=1")) {
            d.configure(EthConfig.SINGLE_QUEUE);
            d.rxQueueSetup(0, 0, pool);
            d.txQueueSetup(0, 0);
            d.start();
            assertEquals(0, d.rxBurst(0, new int[4], 0, 4));
        }
    }

    @Test
    void badOptionsAreRefusedByName() {
        for (String bad : List.of("size=0", "size=x", "copy=2", "speed=1", "size=1,size=2")) {
            IllegalArgumentException e =
                    assertThrows(
                            IllegalArgumentException.class,
                            () -> probe("net_null0," + bad).close());
            assertTrue(e.getMessage().startsWith("device net_null0: "), e.getMessage());
        }
        try (Mempool pool = Mempool.create(MempoolConfig.of("t", 8));
                EthDevice d = probe("net_null0,size=3000")) {
            d.configure(EthConfig.SINGLE_QUEUE);
            assertThrows(EthDeviceException.class, () -> d.rxQueueSetup(0, 0, pool));
        }
    }
}
