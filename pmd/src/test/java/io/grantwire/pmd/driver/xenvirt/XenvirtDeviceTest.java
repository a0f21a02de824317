package io.grantwire.pmd.driver.xenvirt;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.grantwire.gntalloc.GrantMapping;
import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.ethdev.EthDevice;
import io.grantwire.pmd.ethdev.EthDeviceException;
import io.grantwire.pmd.mbuf.Mbuf;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import io.grantwire.pmd.testkit.Frames;
import io.grantwire.pmd.virtio.RingIndex;
import io.grantwire.pmd.xenvirt.FlagPage;
import io.grantwire.xenstore.XenstorePermission;
import io.grantwire.xenstore.XenstoreWatch;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class XenvirtDeviceTest {
    private EmulatedRig rig;
    private OriginalBackEnd backEnd;

    @BeforeEach
    void open() throws Exception {
        rig = new EmulatedRig();
        backEnd = new OriginalBackEnd(rig.dom0, rig.guest.domid());
    }

    @AfterEach
    void close() throws Exception {
        backEnd.close();
        rig.close();
    }

    private static String refusal(Runnable body) {
        return assertThrows(EthDeviceException.class, body::run).getMessage();
    }

    // Handshake.

    @Test
    void keysAreWrittenInTheOriginalsOrder() throws Exception {
        String base = "/local/domain/1/control/dpdk";
        try (XenstoreWatch watch = rig.dom0.xenstore().watch(base, "t");
                Mempool pool = rig.pool(512);
                EthDevice device = rig.probe("eth_xenvirt0,mac=00:00:00:00:00:11")) {
            Frames.start(device, pool);
            List<String> written = new ArrayList<>();
            while (!written.contains("event_type_start_0")) {
                XenstoreWatch.Event event = watch.await(Duration.ofSeconds(20));
                if (event.path().length() > base.length()) {
                    written.add(event.path().substring(base.length() + 1));
                }
            }
            assertEquals(
                    List.of(
                            "0_mempool_gref",
                            "0_mempool_va",
                            "0_tx_vring_gref",
                            "0_rx_vring_gref",
                            "0_ether_addr",
                            "0_vring_flag",
                            "event_type_start_0"),
                    written);
        }
    }

    @Test
    void keysHaveTheOriginalsFormats() {
        try (Mempool pool = rig.pool(2048);
                EthDevice device = rig.probe("eth_xenvirt0,mac=00:0C:29:AB:02:03")) {
            Frames.start(device, pool);
            assertEquals(
                    new TreeSet<>(
                            List.of(
                                    "0_ether_addr",
                                    "0_mempool_gref",
                                    "0_mempool_va",
                                    "0_rx_vring_gref",
                                    "0_tx_vring_gref",
                                    "0_vring_flag",
                                    "event_type_start_0")),
                    new TreeSet<>(rig.keys()));
            assertEquals("00:0c:29:ab:02:03", rig.key("0_ether_addr"));
            assertEquals("1", rig.key("event_type_start_0"));
            assertEquals(Long.toHexString(pool.segment().address()), rig.key("0_mempool_va"));
            // 2048 buffers of 2176 bytes are 1088 pages, which 3 index pages list.
            assertTrue(
                    rig.key("0_mempool_gref").matches("[1-9][0-9]*(,[1-9][0-9]*){2}"),
                    rig.key("0_mempool_gref"));
            for (String single : List.of("0_rx_vring_gref", "0_tx_vring_gref", "0_vring_flag")) {
                assertTrue(rig.key(single).matches("[1-9][0-9]*"), rig.key(single));
            }
        }
    }

    @Test
    void xenstoreLsListsThem() throws Exception {
        Path tool = Path.of("/usr/bin/xenstore-ls");
        assumeTrue(Files.isExecutable(tool), "needs xenstore-ls: apt install xenstore-utils");
        try (Mempool pool = rig.pool(256);
                EthDevice device = rig.probe("eth_xenvirt0,mac=00:00:00:00:00:11")) {
            Frames.start(device, pool);
            ProcessBuilder ls = new ProcessBuilder(tool.toString(), "/local/domain/1/control/dpdk");
            ls.environment().put("XENSTORED_PATH", rig.host.xenstoreSocket().toString());
            ls.redirectErrorStream(true);
            String listing = new String(ls.start().getInputStream().readAllBytes());
            StringBuilder expected = new StringBuilder();
            for (String key :
                    List.of(
                            "0_mempool_gref",
                            "0_mempool_va",
                            "0_tx_vring_gref",
                            "0_rx_vring_gref",
                            "0_ether_addr",
                            "0_vring_flag",
                            "event_type_start_0")) {
                expected.append(key).append(" = \"").append(rig.key(key)).append("\"\n");
            }
            assertEquals(expected.toString(), listing);
            assertTrue(listing.contains("0_ether_addr = \"00:00:00:00:00:11\"\n"), listing);
        }
    }

    @Test
    void theFlagPageIsGrantedDirectlyAndHoldsA5() {
        try (Mempool pool = rig.pool(512);
                EthDevice device = rig.probe("eth_xenvirt0")) {
            Frames.start(device, pool);
            try (GrantMapping page =
                    rig.dom0
                            .mapper()
                            .map(1, new int[] {Integer.parseInt(rig.key("0_vring_flag"))}, true)) {
                byte[] bytes = page.segment().toArray(ValueLayout.JAVA_BYTE);
                assertEquals(0xa5, bytes[0] & 0xff);
                for (int i = 1; i < bytes.length; i++) {
                    assertEquals(0, bytes[i]);
                }
            }
        }
    }

    @Test
    void keysOfAnEarlierProcessAreRemovedOnceAtTheFirstProbe() {
        rig.guest.xenstore().write("control/dpdk/event_type_start_3", "1");
        rig.guest.xenstore().write("control/dpdk/0_mempool_va", "7f00deadb000");
        rig.guest.xenstore().write("control/dpdk/sub/key", "x");
        try (EthDevice first = rig.probe("eth_xenvirt0")) {
            assertEquals(List.of(), rig.keys());
            try (Mempool pool = rig.pool(512);
                    EthDevice second = rig.probe("eth_xenvirt1")) {
                assertEquals(512, pool.count());
                assertTrue(rig.keys().contains("0_mempool_gref"), "a second probe removes nothing");
                assertNotEquals(first.macAddress(), second.macAddress(), "random addresses");
            }
        }
    }

    @Test
    void poolsNeverFillTheirIndexPagesExactly() {
        try (Mempool pool = XenvirtMempools.create(rig.guest, "exact", 1024, 1920, 0);
                EthDevice device = rig.probe("eth_xenvirt0")) {
            assertEquals(1024 * 2048, pool.count() * pool.elementSize(), "512 pages of buffers");
            Frames.start(device, pool);
            // The original's map loop fails when no index page is short: adding would throw.
            backEnd.add(0);
            assertEquals(2, rig.key("0_mempool_gref").split(",").length);
        }
    }

    @Test
    void aPoolTooLargeForTheProtocolIsRefusedWithWhatToDo() {
        String message =
                refusal(() -> XenvirtMempools.create(rig.guest, "huge", 100_000, 2048, 256));
        assertTrue(message.contains("--total-num-mbufs"), message);
        assertEquals(List.of(), rig.keys());
    }

    /** As libxl has it: the guest reads this directory, and writes nothing in it. */
    private void keepFromGuest(String directory) {
        rig.dom0
                .xenstore()
                .setPermissions(
                        "/local/domain/1/" + directory,
                        List.of(XenstorePermission.parse("n0"), XenstorePermission.parse("r1")));
    }

    @Test
    void aGuestThatMayNotWriteItsKeysIsToldWhatDomain0Types() {
        String control = "/local/domain/1/control";
        rig.dom0.xenstore().rm(control + "/dpdk");
        keepFromGuest("control");
        keepFromGuest("data");
        String message = refusal(() -> rig.probe("eth_xenvirt0"));
        assertTrue(message.contains("EACCES"), message);
        assertTrue(message.contains("grantwire xenstore prepare --domid 1"), message);
        // What the message says works.
        rig.dom0.xenstore().write(control + "/dpdk", "");
        rig.dom0
                .xenstore()
                .setPermissions(control + "/dpdk", List.of(XenstorePermission.parse("n1")));
        rig.probe("eth_xenvirt0").close();
    }

    @Test
    void onAnUnpreparedHostTheKeysGoBelowData() {
        rig.dom0.xenstore().rm("/local/domain/1/control/dpdk");
        keepFromGuest("control");
        rig.guest.xenstore().write("data/dpdk/event_type_start_7", "1");
        try (Mempool pool = rig.pool(512);
                EthDevice device = rig.probe("eth_xenvirt0")) {
            String base = "/local/domain/1/data/dpdk";
            assertEquals(
                    Set.of("0_mempool_gref", "0_mempool_va"),
                    Set.copyOf(rig.dom0.xenstore().directory(base)));
            device.configure(EthConfig.SINGLE_QUEUE);
            device.rxQueueSetup(0, 256, pool);
            device.txQueueSetup(0, 256);
            device.start();
            assertEquals("1", rig.dom0.xenstore().readString(base + "/event_type_start_0"));
            assertFalse(rig.dom0.xenstore().exists("/local/domain/1/control/dpdk"));
        }
        assertEquals(List.of(), rig.dom0.xenstore().directory("/local/domain/1/data/dpdk"));
    }

    @Test
    void aDirectoryThatIsThereButNotOursIsNotUsed() {
        rig.dom0.xenstore().rm("/local/domain/1/control/dpdk");
        rig.dom0.xenstore().write("/local/domain/1/control/dpdk", "");
        keepFromGuest("control/dpdk");
        try (Mempool pool = rig.pool(512)) {
            assertEquals(512, pool.count());
            assertTrue(rig.dom0.xenstore().exists("/local/domain/1/data/dpdk/0_mempool_va"));
        }
    }

    @Test
    void onAPreparedHostKeysOfAnEarlierProcessBelowDataAreRemoved() {
        rig.guest.xenstore().write("data/dpdk/event_type_start_0", "1");
        rig.guest.xenstore().write("data/dpdk/0_mempool_va", "7f00deadb000");
        rig.probe("eth_xenvirt0").close();
        assertEquals(List.of(), rig.dom0.xenstore().directory("/local/domain/1/data/dpdk"));
    }

    @Test
    void domain0IsNoGuest() {
        String message =
                refusal(() ->
                        io.grantwire.pmd.ethdev.EthDrivers.probe("eth_xenvirt0", () -> rig.dom0));
        assertTrue(message.contains("this is domain 0"), message);
    }

    @Test
    void wrongArgumentsAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> rig.probe("eth_xenvirt0,mac=1:2"));
        assertThrows(
                IllegalArgumentException.class,
                () -> rig.probe("eth_xenvirt0,mac=ff:ff:ff:ff:ff:ff"));
        assertThrows(IllegalArgumentException.class, () -> rig.probe("eth_xenvirt0,speed=1"));
    }

    @Test
    void aReceivePoolThatIsNotGrantedIsRefused() {
        try (Mempool plain = Mempool.create(MempoolConfig.of("plain", 64));
                EthDevice device = rig.probe("eth_xenvirt0")) {
            device.configure(EthConfig.SINGLE_QUEUE);
            String message = refusal(() -> device.rxQueueSetup(0, 0, plain));
            assertTrue(message.contains("plain is not granted"), message);
        }
    }

    // Frames.

    @Test
    void framesOfAllSizesArriveUnchanged() {
        try (Mempool pool = rig.pool(512);
                EthDevice device = rig.probe("eth_xenvirt0")) {
            Frames.start(device, pool);
            OriginalBackEnd.Device back = backEnd.add(0);
            assertEquals(256, back.posted(), "the ring is full of buffers before the start key");
            for (int size = 14; size <= 2048; size++) {
                assertTrue(back.deliver(Frames.bytes(size, size)));
                List<byte[]> got = EmulatedRig.receive(device);
                assertEquals(1, got.size());
                assertArrayEquals(Frames.bytes(size, size), got.getFirst());
            }
        }
    }

    @Test
    void framesOfAllSizesLeaveUnchanged() {
        try (Mempool pool = rig.pool(512);
                EthDevice device = rig.probe("eth_xenvirt0")) {
            Frames.start(device, pool);
            OriginalBackEnd.Device back = backEnd.add(0);
            for (int size = 14; size <= 2048; size++) {
                int[] one = {Frames.mbuf(pool, Frames.bytes(size, size))};
                assertEquals(1, device.txBurst(0, one, 0, 1));
                List<byte[]> sent = back.take();
                assertEquals(1, sent.size());
                assertArrayEquals(Frames.bytes(size, size), sent.getFirst());
            }
            assertEquals(2035, device.stats().opackets());
            assertEquals(IntStream.rangeClosed(14, 2048).sum(), device.stats().obytes());
        }
    }

    @Test
    void atMost128FramesAreInFlight() {
        try (Mempool pool = rig.pool(1024);
                EthDevice device = rig.probe("eth_xenvirt0")) {
            Frames.start(device, pool);
            OriginalBackEnd.Device back = backEnd.add(0);
            int[] frames = new int[200];
            for (int i = 0; i < frames.length; i++) {
                frames[i] = Frames.mbuf(pool, Frames.bytes(60, i));
            }
            assertEquals(128, device.txBurst(0, frames, 0, 200));
            assertEquals(0, device.txBurst(0, frames, 128, 72));
            assertEquals(32, back.take().size());
            assertEquals(32, device.txBurst(0, frames, 128, 72));
            assertEquals(32, device.xstats().get("tx_q0_reclaimed"));
            Mempool.freeBulk(frames, 160, 40);
        }
    }

    @Test
    void whatTheBackEndCannotReadIsCopiedFirst() {
        try (Mempool pool = rig.pool(512);
                Mempool plain = Mempool.create(MempoolConfig.of("plain", 64));
                EthDevice device = rig.probe("eth_xenvirt0")) {
            Frames.start(device, pool);
            OriginalBackEnd.Device back = backEnd.add(0);
            int chained = Frames.mbuf(pool, Frames.bytes(100, 1));
            Mbuf.chain(chained, Frames.mbuf(plain, Frames.bytes(50, 2)));
            int tagged = Frames.mbuf(pool, Frames.bytes(60, 3));
            Mbuf.setOlFlags(tagged, Mbuf.TX_VLAN);
            Mbuf.setVlanTci(tagged, 0xabc);
            int[] frames = {
                Frames.mbuf(plain, Frames.bytes(70, 4)), chained, tagged,
            };
            assertEquals(3, device.txBurst(0, frames, 0, 3));
            List<byte[]> sent = back.take();
            assertArrayEquals(Frames.bytes(70, 4), sent.get(0));
            assertEquals(150, sent.get(1).length);
            assertArrayEquals(
                    Frames.bytes(50, 2), java.util.Arrays.copyOfRange(sent.get(1), 100, 150));
            byte[] plainTagged = Frames.bytes(60, 3);
            byte[] withTag = new byte[64];
            System.arraycopy(plainTagged, 0, withTag, 0, 12);
            withTag[12] = (byte) 0x81;
            withTag[14] = 0x0a;
            withTag[15] = (byte) 0xbc;
            System.arraycopy(plainTagged, 12, withTag, 16, 48);
            assertArrayEquals(withTag, sent.get(2));
            assertEquals(3, device.xstats().get("tx_q0_copied"));
            assertEquals(0, plain.inUse());
        }
    }

    @Test
    void whatIsNoFrameOrFitsNoBufferIsCountedAndFreed() {
        try (Mempool pool = rig.pool(512);
                Mempool big = Mempool.create(MempoolConfig.of("big", 8).withDataRoom(9000));
                EthDevice device = rig.probe("eth_xenvirt0")) {
            Frames.start(device, pool);
            OriginalBackEnd.Device back = backEnd.add(0);
            int[] frames = {
                Frames.mbuf(pool, new byte[0]),
                Frames.mbuf(pool, new byte[13]),
                Frames.mbuf(big, new byte[2049]),
                Frames.mbuf(pool, Frames.bytes(60, 1))
            };
            assertEquals(4, device.txBurst(0, frames, 0, 4));
            assertEquals(3, device.stats().oerrors());
            assertEquals(1, device.stats().opackets());
            assertEquals(1, back.take().size());
            assertEquals(0, big.inUse());
        }
    }

    @Test
    void jumboFramesNeedOneOfOurBackEnds() {
        try (Mempool pool = XenvirtMempools.create(rig.guest, "jumbo", 300, 9216, 0);
                EthDevice device = rig.probe("eth_xenvirt0")) {
            Frames.start(device, pool);
            OriginalBackEnd.Device back = backEnd.add(0);
            int[] one = {Frames.mbuf(pool, Frames.bytes(9000, 1))};
            assertEquals(1, device.txBurst(0, one, 0, 1));
            assertEquals(1, device.stats().oerrors(), "an original would overrun its buffers");
            FlagPage.attach(back.flag);
            one[0] = Frames.mbuf(pool, Frames.bytes(9000, 2));
            assertEquals(1, device.txBurst(0, one, 0, 1));
            assertArrayEquals(Frames.bytes(9000, 2), back.take().getFirst());
            assertTrue(back.deliver(Frames.bytes(9000, 3)));
            assertArrayEquals(Frames.bytes(9000, 3), EmulatedRig.receive(device).getFirst());
            FlagPage.detach(back.flag);
        }
    }

    @Test
    void runtsFromTheBackEndAreCountedAsErrors() {
        try (Mempool pool = rig.pool(512);
                EthDevice device = rig.probe("eth_xenvirt0")) {
            Frames.start(device, pool);
            OriginalBackEnd.Device back = backEnd.add(0);
            back.deliver(new byte[13]);
            back.deliver(new byte[0]);
            back.deliver(Frames.bytes(14, 1));
            assertEquals(1, EmulatedRig.receive(device).size());
            assertEquals(2, device.stats().ierrors());
            assertEquals(1, device.stats().ipackets());
        }
    }

    @Test
    void anEmptyPoolIsSurvived() {
        try (Mempool pool = rig.pool(300);
                EthDevice device = rig.probe("eth_xenvirt0")) {
            Frames.start(device, pool);
            OriginalBackEnd.Device back = backEnd.add(0);
            List<Integer> held = new ArrayList<>();
            for (int m = pool.alloc(); m != 0; m = pool.alloc()) {
                held.add(m);
            }
            int[] burst = new int[64];
            for (int i = 0; i < 300; i++) {
                back.deliver(Frames.bytes(60, i));
                int n = device.rxBurst(0, burst, 0, 64);
                for (int k = 0; k < n; k++) {
                    held.add(burst[k]);
                }
            }
            assertEquals(0, back.posted());
            assertTrue(device.stats().rxNombuf() > 0);
            // A few come back: fewer than a batch, and still they are posted.
            for (int i = 0; i < 5; i++) {
                Mbuf.free(held.removeLast());
            }
            EmulatedRig.receive(device);
            assertEquals(5, back.posted());
            held.forEach(Mbuf::free);
            EmulatedRig.receive(device);
            assertTrue(back.posted() >= 225, back.posted() + " posted");
        }
    }

    // Several devices and pools.

    @Test
    void severalDevicesAndPoolsAreNumberedByTheGuest() {
        try (Mempool first = rig.pool(512);
                Mempool second = rig.pool(512);
                EthDevice d0 = rig.probe("eth_xenvirt0,mac=02:00:00:00:00:01");
                EthDevice d1 = rig.probe("eth_xenvirt1,mac=02:00:00:00:00:02")) {
            Frames.start(d0, first);
            Frames.start(d1, second);
            assertEquals(Long.toHexString(second.segment().address()), rig.key("1_mempool_va"));
            assertEquals("02:00:00:00:00:02", rig.key("1_ether_addr"));
            OriginalBackEnd.Device b0 = backEnd.add(0);
            OriginalBackEnd.Device b1 = backEnd.add(1);
            b0.deliver(Frames.bytes(60, 0));
            b1.deliver(Frames.bytes(61, 1));
            assertArrayEquals(Frames.bytes(60, 0), EmulatedRig.receive(d0).getFirst());
            assertArrayEquals(Frames.bytes(61, 1), EmulatedRig.receive(d1).getFirst());
            // A device may send from any granted pool of the guest, without a copy.
            int[] one = {Frames.mbuf(second, Frames.bytes(62, 2))};
            assertEquals(1, d0.txBurst(0, one, 0, 1));
            assertArrayEquals(Frames.bytes(62, 2), b0.take().getFirst());
            assertEquals(0, d0.xstats().get("tx_q0_copied"));
        }
    }

    // Stop, start, close.

    @Test
    void stopKeepsTheDevicesPlaceAndStartGoesOn() {
        try (Mempool pool = rig.pool(512);
                EthDevice device = rig.probe("eth_xenvirt0")) {
            Frames.start(device, pool);
            assertTrue(device.link().up());
            assertEquals(10_000, device.link().speedMbps());
            OriginalBackEnd.Device back = backEnd.add(0);
            String flag = rig.key("0_vring_flag");
            int granted = rig.guest.sharer().available();
            for (int round = 0; round < 3; round++) {
                device.stop();
                assertFalse(device.link().up());
                assertEquals(0xa5, back.flagByte(), "the back end keeps it");
                back.deliver(Frames.bytes(60, round));
                assertEquals(List.of(), EmulatedRig.receive(device));
                Frames.start(device, pool);
                assertArrayEquals(Frames.bytes(60, round), EmulatedRig.receive(device).getFirst());
            }
            assertEquals(flag, rig.key("0_vring_flag"));
            assertEquals(granted, rig.guest.sharer().available(), "no page is leaked");
        }
    }

    @Test
    void closeTakesTheKeysAwayAndClearsTheFlag() throws Exception {
        int before = rig.guest.sharer().available();
        try (Mempool pool = rig.pool(512)) {
            EthDevice device = rig.probe("eth_xenvirt0");
            Frames.start(device, pool);
            OriginalBackEnd.Device back = backEnd.add(0);
            String base = "/local/domain/1/control/dpdk/";
            try (XenstoreWatch watch =
                    rig.dom0.xenstore().watch(base + "event_type_start_0", "t")) {
                watch.await(Duration.ofSeconds(20));
                device.close();
                assertEquals(
                        base + "event_type_start_0", watch.await(Duration.ofSeconds(20)).path());
            }
            assertEquals(0, back.flagByte());
            assertEquals(
                    new TreeSet<>(List.of("0_mempool_gref", "0_mempool_va")),
                    new TreeSet<>(rig.keys()));
            assertEquals(0, pool.inUse(), "posted buffers are back");
        }
        assertEquals(List.of(), rig.keys(), "the pool's keys go with the pool");
        backEnd.close();
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (rig.guest.sharer().available() != before && System.nanoTime() < deadline) {
            Thread.sleep(5);
        }
        assertEquals(before, rig.guest.sharer().available(), "all grants have ended");
        // And the number is free again.
        try (Mempool pool = rig.pool(512);
                EthDevice again = rig.probe("eth_xenvirt0")) {
            Frames.start(again, pool);
            assertEquals("1", rig.key("event_type_start_0"));
        }
    }

    @Test
    void closeWaitsForOneOfOurBackEndsToLetGo() throws Exception {
        try (Mempool pool = rig.pool(512)) {
            EthDevice device = rig.probe("eth_xenvirt0");
            Frames.start(device, pool);
            OriginalBackEnd.Device back = backEnd.add(0);
            FlagPage.attach(back.flag);
            Thread closer = Thread.ofPlatform().start(device::close);
            while (back.flagByte() != 0) {
                Thread.sleep(1);
            }
            // Still ours to write: the front end has not taken its buffers back.
            assertTrue(pool.inUse() >= 256, "buffers stay posted until the back end lets go");
            FlagPage.detach(back.flag);
            closer.join(20_000);
            assertFalse(closer.isAlive());
            assertEquals(0, pool.inUse());
        }
    }

    @Test
    void aDeviceThatWasNeverStartedLeavesNoTrace() {
        try (Mempool pool = rig.pool(512)) {
            EthDevice device = rig.probe("eth_xenvirt0");
            device.configure(EthConfig.SINGLE_QUEUE);
            device.txQueueSetup(0, 0);
            device.close();
            assertNull(rig.key("0_tx_vring_gref"));
            assertEquals(0, pool.inUse());
        }
    }

    // Hostile back ends.

    @Test
    void aBackEndThatBreaksTheRulesStopsTheQueueAndNothingElse() {
        try (Mempool pool = rig.pool(512)) {
            EthDevice device = rig.probe("eth_xenvirt0");
            Frames.start(device, pool);
            OriginalBackEnd.Device back = backEnd.add(0);
            back.deliver(Frames.bytes(60, 1));
            MemorySegment rx = back.rxRing();
            rx.set(ValueLayout.JAVA_INT, 8196 + 8, 99_999);
            RingIndex.release(rx, 8194, 2);
            assertEquals(1, EmulatedRig.receive(device).size(), "what came before is good");
            assertEquals(List.of(), EmulatedRig.receive(device));
            assertEquals(1, device.xstats().get("rx_q0_ring_errors"));
            assertEquals(0, device.xstats().get("tx_q0_ring_errors"));
            assertFalse(device.link().up());
            // The other direction goes on.
            int[] one = {Frames.mbuf(pool, Frames.bytes(60, 1))};
            assertEquals(1, device.txBurst(0, one, 0, 1));
            assertEquals(1, back.take().size());
            device.stop();
            String message = refusal(device::start);
            assertTrue(message.contains("USED_ID"), message);
            device.close();
            assertEquals(0, pool.inUse());
        }
    }

    @Test
    void aTransmitRingThatIsBrokenAcceptsNothingMore() {
        try (Mempool pool = rig.pool(512);
                EthDevice device = rig.probe("eth_xenvirt0")) {
            Frames.start(device, pool);
            OriginalBackEnd.Device back = backEnd.add(0);
            RingIndex.release(back.txRing(), 8194, 1000);
            int[] two = {
                Frames.mbuf(pool, Frames.bytes(60, 1)), Frames.mbuf(pool, Frames.bytes(60, 2))
            };
            assertEquals(1, device.txBurst(0, two, 0, 1), "posted before it was looked at");
            assertEquals(1, device.xstats().get("tx_q0_ring_errors"));
            assertEquals(0, device.txBurst(0, two, 1, 1));
            Mbuf.free(two[1]);
        }
    }
}
