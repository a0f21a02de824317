package io.grantwire.pmd.driver.tap;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.bindings.NetInterface;
import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDeviceContractTest;
import io.grantwire.pmd.ethdev.EthDeviceException;
import io.grantwire.pmd.ethdev.EthDrivers;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import io.grantwire.pmd.testkit.Frames;
import io.grantwire.pmd.testkit.NetNamespace;
import io.grantwire.pmd.testkit.WireEnd;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The tap driver against this machine's kernel, in a network namespace of its own. */
@Tag("machine")
class TapDeviceTest extends EthDeviceContractTest {
    private NetNamespace namespace;
    private TapRig rig;

    private static EthDevice probe(String text) {
        return EthDrivers.probe(
                text,
                () -> {
                    throw new AssertionError("no domain needed");
                });
    }

    @Override
    protected Rig openRig() throws Exception {
        namespace = NetNamespace.enter();
        rig = new TapRig(namespace, probe("net_tap0,iface=gwt0,mac=02:00:00:00:00:01"));
        return rig;
    }

    /** Each costs two system calls, on both sides. */
    @Override
    protected long allocationPackets() {
        return 20_000;
    }

    @Override
    protected void stimulate(int received) {
        if (received == 0) {
            for (int i = 0; i < 32 && rig.peer.send(rig.seed); i++) {}
        }
    }

    private record TapRig(
            NetNamespace namespace, EthDevice device, WireEnd peer, MemorySegment seed)
            implements EthDeviceContractTest.Rig {
        TapRig(NetNamespace namespace, EthDevice device) {
            this(namespace, device, new WireEnd("gwt0"));
        }

        private TapRig(NetNamespace namespace, EthDevice device, WireEnd peer) {
            this(namespace, device, peer, peer.frame(Frames.bytes(64, 1)));
        }

        @Override
        public void arrive(int frames, int size) {
            for (int i = 0; i < frames; i++) {
                peer.send(Frames.bytes(size, i));
            }
        }

        @Override
        public List<byte[]> departed() {
            return peer.received();
        }

        @Override
        public void close() {
            peer.close();
            namespace.close();
        }
    }

    @Test
    void theInterfaceHasTheDevicesAddressMtuAndState() {
        assertEquals("02:00:00:00:00:01", device.macAddress().toString());
        assertArrayEquals(device.macAddress().bytes(), NetInterface.macAddress("gwt0"));
        assertFalse(NetInterface.isRunning("gwt0"));
        assertFalse(device.link().up());
        try (Mempool pool = Mempool.create(MempoolConfig.of("t", 64))) {
            Frames.start(device, pool);
            assertTrue(NetInterface.isRunning("gwt0"));
            assertTrue(device.link().up());
            device.stop();
            assertFalse(NetInterface.isRunning("gwt0"));
        }
        try (EthDevice big = probe("net_tap1,mtu=4000")) {
            assertEquals(4000, big.mtu());
            assertEquals(4000, NetInterface.mtu("dtap0"), "the kernel numbers nameless ones");
        }
        device.close();
        assertThrows(RuntimeException.class, () -> NetInterface.index("gwt0"));
    }

    @Test
    void taggedFramesPassBothWays() throws Exception {
        try (Mempool pool = Mempool.create(MempoolConfig.of("t", 64))) {
            Frames.start(device, pool);
            byte[] plain = Frames.bytes(100, 1);
            byte[] tagged = Frames.tagged(plain, 0x6064);
            assertTrue(rig.peer.send(tagged));
            assertArrayEquals(tagged, Frames.receive(device, 1).getFirst());
            // A plain socket sees what the kernel has taken for a tag removed.
            Frames.send(device, pool, tagged);
            assertArrayEquals(plain, Frames.await(rig.peer, 1).getFirst());
            Frames.sendWithTagToInsert(device, pool, plain, 100);
            assertArrayEquals(plain, Frames.await(rig.peer, 1).getFirst());
            device.close();
        }
    }

    @Test
    void framesPassToAndFromAVlanInterface() throws Exception {
        NetNamespace.vlan("gwt0", "gwt0.100", "802.1Q", 100);
        try (Mempool pool = Mempool.create(MempoolConfig.of("t", 64));
                WireEnd vlan = new WireEnd("gwt0.100")) {
            Frames.start(device, pool);
            byte[] plain = Frames.bytes(100, 1);
            assertTrue(vlan.send(plain));
            assertArrayEquals(Frames.tagged(plain, 100), Frames.receive(device, 1).getFirst());
            Frames.send(device, pool, Frames.tagged(plain, 100));
            assertArrayEquals(plain, Frames.await(vlan, 1).getFirst());
            Frames.sendWithTagToInsert(device, pool, plain, 100);
            assertArrayEquals(plain, Frames.await(vlan, 1).getFirst());
            device.close();
        }
    }

    @Test
    void framesLongerThanAnMbufAndRuntsAreErrors() throws Exception {
        try (Mempool pool = Mempool.create(MempoolConfig.of("t", 64).withDataRoom(200))) {
            Frames.start(device, pool);
            rig.peer.send(Frames.bytes(201, 1));
            rig.peer.send(Frames.bytes(200, 2));
            assertArrayEquals(Frames.bytes(200, 2), Frames.receive(device, 1).getFirst());
            assertEquals(1, device.stats().ierrors());
            Frames.send(device, pool, new byte[13]);
            assertEquals(1, device.stats().oerrors());
            assertEquals(0, pool.inUse());
            device.close();
        }
    }

    @Test
    void aBurstPassesOverNoMoreFramesThanItMayReturn() throws Exception {
        try (Mempool pool = Mempool.create(MempoolConfig.of("t", 64).withDataRoom(200))) {
            Frames.start(device, pool);
            for (int i = 0; i < 10; i++) {
                rig.peer.send(Frames.bytes(300, i));
            }
            int[] burst = new int[4];
            for (int i = 0; i < 1000 && device.stats().ierrors() == 0; i++) {
                assertEquals(0, device.rxBurst(0, burst, 0, 4));
                Thread.sleep(1);
            }
            long first = device.stats().ierrors();
            assertTrue(first >= 1 && first <= 4, first + " frames passed over in one burst");
            device.close();
        }
    }

    @Test
    void anInterfaceTakenDownUnderTheDeviceIsSurvived() throws Exception {
        try (Mempool pool = Mempool.create(MempoolConfig.of("t", 64))) {
            Frames.start(device, pool);
            NetInterface.setUp("gwt0", false);
            assertEquals(0, device.rxBurst(0, new int[4], 0, 4));
            Frames.send(device, pool, Frames.bytes(60, 1));
            assertEquals(1, device.stats().oerrors());
            assertFalse(device.link().up());
            NetInterface.setUp("gwt0", true);
            rig.peer.received();
            Frames.send(device, pool, Frames.bytes(60, 2));
            assertArrayEquals(Frames.bytes(60, 2), Frames.await(rig.peer, 1).getFirst());
            device.close();
        }
    }

    @Test
    void anInterfaceInUseIsRefusedAndNamed() {
        EthDeviceException e =
                assertThrows(EthDeviceException.class, () -> probe("net_tap5,iface=gwt0"));
        assertTrue(e.getMessage().startsWith("device net_tap5: "), e.getMessage());
        assertTrue(e.getMessage().contains("EBUSY"), e.getMessage());
        assertTrue(e.getMessage().contains("another process has gwt0 open"), e.getMessage());
        EthDeviceException longName =
                assertThrows(
                        EthDeviceException.class, () -> probe("net_tap5,iface=" + "x".repeat(16)));
        assertTrue(longName.getMessage().contains("1 to 15 bytes"), longName.getMessage());
        assertThrows(IllegalArgumentException.class, () -> probe("net_tap5,speed=9"));
        device.configure(EthConfig.SINGLE_QUEUE);
    }
}
