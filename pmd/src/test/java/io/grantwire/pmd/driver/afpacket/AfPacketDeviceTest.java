package io.grantwire.pmd.driver.afpacket;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.bindings.NetInterface;
import io.grantwire.bindings.gen.libc.LibC;
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

/** The af_packet driver over a veth pair, in a network namespace of its own. */
@Tag("machine")
class AfPacketDeviceTest extends EthDeviceContractTest {
    private VethRig rig;

    private static EthDevice probe(String text) {
        return EthDrivers.probe(
                text,
                () -> {
                    throw new AssertionError("no domain needed");
                });
    }

    @Override
    protected Rig openRig() throws Exception {
        NetNamespace namespace = NetNamespace.enter();
        NetNamespace.ip("link add gwv0 numtxqueues 4 numrxqueues 4 type veth peer name gwv1");
        NetNamespace.ip("link set gwv0 up");
        NetNamespace.ip("link set gwv1 up");
        WireEnd peer = new WireEnd("gwv1");
        rig =
                new VethRig(
                        namespace,
                        probe("net_af_packet0,iface=gwv0"),
                        peer,
                        peer.frame(Frames.bytes(64, 1)));
        return rig;
    }

    /** The other end sends with a system call each. */
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

    private record VethRig(
            NetNamespace namespace, EthDevice device, WireEnd peer, MemorySegment seed)
            implements EthDeviceContractTest.Rig {
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

    private static Mempool pool() {
        return Mempool.create(MempoolConfig.of("t", 256));
    }

    @Test
    void addressMtuAndLinkAreTheInterfaces() throws Exception {
        assertArrayEquals(NetInterface.macAddress("gwv0"), device.macAddress().bytes());
        assertEquals(1500, device.mtu());
        try (Mempool pool = pool()) {
            Frames.start(device, pool);
            assertTrue(device.link().up());
            NetNamespace.ip("link set gwv1 down");
            awaitLink(false);
            NetNamespace.ip("link set gwv1 up");
            awaitLink(true);
            device.stop();
            assertFalse(device.link().up());
        }
    }

    /** The kernel tells carriers apart a little later. */
    private void awaitLink(boolean up) throws InterruptedException {
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (device.link().up() != up) {
            assertTrue(System.nanoTime() < deadline, "link " + up);
            Thread.sleep(5);
        }
    }

    @Test
    void taggedFramesPassBothWays() throws Exception {
        try (Mempool pool = pool();
                EthDevice far = probe("net_af_packet1,iface=gwv1")) {
            Frames.start(device, pool);
            Frames.start(far, pool);
            byte[] plain = Frames.bytes(1514, 1);
            byte[] tagged = Frames.tagged(plain, 0x6064);
            byte[] provider = Frames.tagged(Frames.bytes(100, 3), 5);
            provider[12] = (byte) 0x88;
            provider[13] = (byte) 0xa8;
            byte[] twice = Frames.tagged(Frames.tagged(Frames.bytes(60, 2), 7), 8);
            for (byte[] frame : List.of(tagged, provider, twice)) {
                assertTrue(rig.peer.send(frame));
                assertArrayEquals(frame, Frames.receive(device, 1).getFirst());
                Frames.send(device, pool, frame);
                assertArrayEquals(frame, Frames.receive(far, 1).getFirst());
            }
            rig.peer.received();
            Frames.sendWithTagToInsert(device, pool, plain, 0x6064);
            assertArrayEquals(tagged, Frames.receive(far, 1).getFirst());
            // A plain socket sees what the kernel has taken for a tag removed.
            assertArrayEquals(plain, Frames.await(rig.peer, 1).getFirst());
            device.close();
        }
    }

    @Test
    void framesPassToAndFromAVlanInterface() throws Exception {
        NetNamespace.vlan("gwv1", "gwv1.100", "802.1Q", 100);
        try (Mempool pool = pool();
                WireEnd vlan = new WireEnd("gwv1.100")) {
            Frames.start(device, pool);
            byte[] plain = Frames.bytes(1514, 1);
            assertTrue(vlan.send(plain));
            assertArrayEquals(Frames.tagged(plain, 100), Frames.receive(device, 1).getFirst());
            Frames.send(device, pool, Frames.tagged(plain, 100));
            assertArrayEquals(plain, Frames.await(vlan, 1).getFirst());
            assertEquals(0, pool.inUse());
            device.close();
        }
    }

    @Test
    void whatThisMachineSendsIsNotReceived() throws Exception {
        try (Mempool pool = pool();
                WireEnd other = new WireEnd("gwv0")) {
            Frames.start(device, pool);
            assertTrue(other.send(Frames.bytes(60, 1)), "leaves through the same interface");
            Frames.await(rig.peer, 1);
            Frames.send(device, pool, Frames.bytes(60, 2));
            Frames.await(rig.peer, 1);
            rig.peer.send(Frames.bytes(60, 3));
            assertArrayEquals(Frames.bytes(60, 3), Frames.receive(device, 1).getFirst());
            assertEquals(1, device.stats().ipackets());
            device.close();
        }
    }

    @Test
    void promiscuousModeIsTheInterfacesWhileStarted() {
        try (Mempool pool = pool()) {
            assertTrue(device.promiscuous());
            Frames.start(device, pool);
            // The kernel counts members; the flag in SIOCGIFFLAGS is the administrator's only.
            assertEquals(1, promiscuity());
            device.setPromiscuous(false);
            assertEquals(0, promiscuity());
            device.setPromiscuous(true);
            device.setPromiscuous(true);
            assertEquals(1, promiscuity());
            device.stop();
            assertEquals(0, promiscuity());
        }
    }

    private static int promiscuity() {
        try {
            String details = NetNamespace.run(List.of("ip", "-d", "link", "show", "dev", "gwv0"));
            return Integer.parseInt(details.replaceAll("(?s).*promiscuity ([0-9]+).*", "$1"));
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void framesThatDoNotFitAreErrors() throws Exception {
        NetNamespace.ip("link set gwv0 mtu 9000");
        NetNamespace.ip("link set gwv1 mtu 9000");
        try (Mempool pool = pool()) {
            Frames.start(device, pool);
            rig.peer.send(Frames.bytes(3000, 1));
            rig.peer.send(Frames.bytes(100, 2));
            assertArrayEquals(Frames.bytes(100, 2), Frames.receive(device, 1).getFirst());
            assertEquals(1, device.stats().ierrors(), "longer than a slot of the ring");
            // The MTU at probe was 1500.
            Frames.send(device, pool, Frames.bytes(1515, 3));
            Frames.send(device, pool, new byte[13]);
            assertEquals(2, device.stats().oerrors());
            assertEquals(0, pool.inUse());
            device.close();
        }
    }

    @Test
    void jumboFramesPassWithLargerSlots() throws Exception {
        NetNamespace.ip("link set gwv0 mtu 9000");
        NetNamespace.ip("link set gwv1 mtu 9000");
        try (Mempool pool = Mempool.create(MempoolConfig.of("t", 64).withDataRoom(9216));
                EthDevice jumbo = probe("net_af_packet1,iface=gwv0,framesz=16384,framecnt=64")) {
            Frames.start(jumbo, pool);
            rig.peer.send(Frames.bytes(9014, 1));
            assertArrayEquals(Frames.bytes(9014, 1), Frames.receive(jumbo, 1).getFirst());
            Frames.send(jumbo, pool, Frames.bytes(9014, 2));
            assertArrayEquals(Frames.bytes(9014, 2), Frames.await(rig.peer, 1).getFirst());
        }
    }

    @Test
    void framesLostToAFullRingAreMissed() throws Exception {
        try (Mempool pool = pool();
                EthDevice small = probe("net_af_packet1,iface=gwv0,framecnt=2,blocksz=4096")) {
            Frames.start(small, pool);
            for (int i = 0; i < 50; i++) {
                rig.peer.send(Frames.bytes(60, i));
            }
            assertEquals(2, Frames.receive(small, 2).size());
            assertEquals(48, small.stats().imissed());
            small.stop();
            assertEquals(48, small.stats().imissed(), "the count outlives the socket");
            small.resetStats();
            assertEquals(0, small.stats().imissed());
        }
    }

    @Test
    void severalQueuePairsShareTheFrames() throws Exception {
        try (Mempool pool = Mempool.create(MempoolConfig.of("t", 1024));
                EthDevice two = probe("net_af_packet1,iface=gwv0,qpairs=2")) {
            assertThrows(EthDeviceException.class, () -> two.configure(new EthConfig(2, 1)));
            two.configure(new EthConfig(2, 2));
            for (int q = 0; q < 2; q++) {
                two.rxQueueSetup(q, 0, pool);
                two.txQueueSetup(q, 0);
            }
            two.start();
            for (int i = 0; i < 200; i++) {
                rig.peer.send(udp(i));
            }
            int[] burst = new int[32];
            int[] got = new int[2];
            long deadline = System.nanoTime() + 20_000_000_000L;
            while (got[0] + got[1] < 200 && System.nanoTime() < deadline) {
                for (int q = 0; q < 2; q++) {
                    int n = two.rxBurst(q, burst, 0, 32);
                    Mempool.freeBulk(burst, 0, n);
                    got[q] += n;
                }
            }
            assertEquals(200, got[0] + got[1]);
            assertTrue(got[0] > 0 && got[1] > 0, got[0] + " and " + got[1]);
            for (int q = 0; q < 2; q++) {
                int[] one = {Frames.mbuf(pool, Frames.bytes(60, q))};
                assertEquals(1, two.txBurst(q, one, 0, 1));
                assertArrayEquals(Frames.bytes(60, q), Frames.await(rig.peer, 1).getFirst());
            }
        }
    }

    /** A UDP datagram of one of many flows. */
    private static byte[] udp(int flow) {
        byte[] frame = Frames.bytes(60, flow);
        byte[] ip = {
            8, 0, 0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
        };
        System.arraycopy(ip, 0, frame, 12, ip.length);
        frame[34] = (byte) (flow >> 8);
        frame[35] = (byte) flow;
        return frame;
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
        try (Mempool pool = pool()) {
            Frames.start(device, pool);
            NetInterface.setUp("gwv0", false);
            assertEquals(0, device.rxBurst(0, new int[4], 0, 4));
            Frames.send(device, pool, Frames.bytes(60, 1));
            NetInterface.setUp("gwv0", true);
            assertTrue((NetInterface.flags("gwv0") & LibC.IFF_UP()) != 0);
            rig.peer.received();
            // What waited in the ring goes out with the next kick, before the new frame.
            long deadline = System.nanoTime() + 20_000_000_000L;
            List<byte[]> out = new java.util.ArrayList<>();
            while (out.stream().noneMatch(f -> java.util.Arrays.equals(f, Frames.bytes(60, 2)))) {
                assertTrue(System.nanoTime() < deadline, "frames go out again");
                Frames.send(device, pool, Frames.bytes(60, 2));
                out.addAll(rig.peer.received());
                Thread.sleep(2);
            }
            rig.peer.send(Frames.bytes(60, 3));
            assertArrayEquals(Frames.bytes(60, 3), Frames.receive(device, 1).getFirst());
            device.close();
        }
    }

    @Test
    void aPoolThatRunsEmptyLosesNoFrame() throws Exception {
        try (Mempool pool = Mempool.create(MempoolConfig.of("t", 4))) {
            Frames.start(device, pool);
            for (int i = 0; i < 10; i++) {
                rig.peer.send(Frames.bytes(60, i));
            }
            int[] burst = new int[16];
            int first = device.rxBurst(0, burst, 0, 16);
            assertEquals(4, first);
            assertEquals(1, device.stats().rxNombuf());
            Mempool.freeBulk(burst, 0, first);
            assertArrayEquals(Frames.bytes(60, 4), Frames.receive(device, 6).getFirst());
            device.close();
        }
    }

    @Test
    void wrongInterfacesAndOptionsAreRefused() {
        EthDeviceException none =
                assertThrows(EthDeviceException.class, () -> probe("net_af_packet1,iface=nosuch0"));
        assertTrue(none.getMessage().contains("nosuch0"), none.getMessage());
        assertTrue(none.getMessage().contains("ENODEV"), none.getMessage());
        for (String bad :
                List.of(
                        "",
                        ",iface=",
                        ",iface=gwv0,framesz=100",
                        ",iface=gwv0,blocksz=5000",
                        ",iface=gwv0,framesz=8192,blocksz=4096",
                        ",iface=gwv0,qpairs=17")) {
            IllegalArgumentException e =
                    assertThrows(
                            IllegalArgumentException.class, () -> probe("net_af_packet1" + bad));
            assertTrue(e.getMessage().startsWith("device net_af_packet1: "), e.getMessage());
        }
    }
}
