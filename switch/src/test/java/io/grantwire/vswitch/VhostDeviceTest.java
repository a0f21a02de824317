package io.grantwire.vswitch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.ethdev.EthConfig;
import io.grantwire.pmd.hostile.HostileDriver;
import io.grantwire.pmd.mbuf.Mempool;
import io.grantwire.pmd.mbuf.MempoolConfig;
import io.grantwire.pmd.testkit.OnLcore;
import io.grantwire.pmd.testkit.ZeroAllocation;
import io.grantwire.vswitch.testkit.Bed;
import io.grantwire.vswitch.testkit.Frames;
import io.grantwire.vswitch.testkit.FrontEnd;
import io.grantwire.vswitch.testkit.LogLines;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A guest's device as an Ethernet device. */
class VhostDeviceTest {
    private static final long MAC = 0x11;

    private final int[] burst = new int[32];
    private LogLines log;
    private Bed bed;
    private Mempool pool;
    private VhostDevice device;

    @BeforeEach
    void start() {
        log = new LogLines("PORT", "XENHOST", "PMD");
        bed = new Bed();
        pool = Mempool.create(MempoolConfig.of("vhost-test", 1024));
        device = VhostDevice.open(bed.dom0(), 1, 0);
        device.configure(EthConfig.SINGLE_QUEUE);
        device.rxQueueSetup(0, 0, pool);
        device.txQueueSetup(0, 0);
        device.start();
    }

    @AfterEach
    void stop() throws Exception {
        device.close();
        assertEquals(0, bed.dom0().mapper().mappedPages());
        assertEquals(0, pool.inUse());
        pool.close();
        bed.close();
        log.close();
    }

    private void awaitLink(boolean up) {
        // Bursts go on meanwhile, as they do in a polling loop: they let the device go.
        Bed.await(
                up ? "link up" : "link down",
                () -> {
                    receive();
                    device.txBurst(0, burst, 0, 0);
                    return device.link().up() == up;
                });
    }

    private List<byte[]> receive() {
        List<byte[]> frames = new ArrayList<>();
        int n = device.rxBurst(0, burst, 0, 32);
        for (int i = 0; i < n; i++) {
            frames.add(Frames.bytes(burst[i]));
            pool.free(burst[i]);
        }
        return frames;
    }

    private boolean send(byte[] frame) {
        int[] one = {Frames.mbuf(pool, frame, 900)};
        if (device.txBurst(0, one, 0, 1) == 1) {
            return true;
        }
        pool.free(one[0]);
        return false;
    }

    @Test
    void withoutTheGuestNothingIsAccepted() {
        assertFalse(device.link().up());
        assertFalse(send(Frames.frame(MAC, 2, 60, 1)));
        assertEquals(0, receive().size());
        assertTrue(device.info().lossless());
    }

    @Test
    void framesPassBothWaysInOrder() {
        FrontEnd f = bed.keep(new FrontEnd(bed.guest(1), 0, MAC));
        awaitLink(true);
        List<byte[]> there = new ArrayList<>();
        List<byte[]> back = new ArrayList<>();
        List<byte[]> expected = new ArrayList<>();
        int[] sent = new int[2];
        for (int i = 0; i < 600; i++) {
            expected.add(Frames.frame(MAC, 2, 14 + i * 3, i));
        }
        Bed.await(
                "all frames",
                () -> {
                    while (sent[0] < 600 && send(expected.get(sent[0]))) {
                        sent[0]++;
                    }
                    while (sent[1] < 600 && f.send(expected.get(sent[1]))) {
                        sent[1]++;
                    }
                    there.addAll(f.receive());
                    back.addAll(receive());
                    return there.size() == 600 && back.size() == 600;
                });
        for (int i = 0; i < 600; i++) {
            assertArrayEquals(expected.get(i), there.get(i));
            assertArrayEquals(expected.get(i), back.get(i));
        }
        assertEquals(600, device.stats().ipackets());
        assertEquals(600, device.stats().opackets());
        assertEquals(device.stats().ibytes(), device.stats().obytes());
        assertEquals(0, device.stats().oerrors());
    }

    @Test
    void theGuestMayComeAndGo() {
        for (int i = 0; i < 3; i++) {
            Domain guest = bed.guest(1);
            FrontEnd f = new FrontEnd(guest, 0, MAC);
            awaitLink(true);
            byte[] frame = Frames.frame(MAC, 2, 60, i);
            assertTrue(send(frame));
            assertArrayEquals(frame, f.receive(1).get(0));
            if (i == 1) {
                // Without closing its device, as when it is killed.
                guest.close();
            } else {
                Thread closer = Thread.ofVirtual().start(f::close);
                Bed.await(
                        "the guest's device closed",
                        () -> {
                            receive();
                            device.txBurst(0, burst, 0, 0);
                            return !closer.isAlive();
                        });
                guest.close();
            }
            awaitLink(false);
        }
    }

    @Test
    void aGuestThatBreaksTheRulesIsNotServedUntilItStartsAnew() {
        HostileDriver raw = new HostileDriver(bed.guest(1));
        raw.pool(0, 10, 0x7f00_0000_0000L);
        raw.device(0, "00:00:00:00:00:11");
        awaitLink(true);
        raw.tx.offer(256);
        awaitLink(false);
        assertEquals(0, receive().size());
        raw.device(0, "00:00:00:00:00:11");
        awaitLink(true);
    }

    @Test
    void burstsAllocateNothing() throws Exception {
        FrontEnd f = bed.keep(new FrontEnd(bed.guest(1), 0, MAC));
        awaitLink(true);
        OnLcore.run(() -> {
            int[] there = new int[32];
            int[] back = new int[32];
            byte[] frame = Frames.frame(MAC, 2, 60, 0);
            for (int i = 0; i < 32; i++) {
                there[i] = Frames.mbuf(pool, frame);
            }
            ZeroAllocation.check(
                    "vhost to xenvirt and back",
                    () -> {
                        int moved = 0;
                        int n = device.txBurst(0, there, 0, 32);
                        int got = 0;
                        while (got < n) {
                            got += f.device.rxBurst(0, back, got, 32 - got);
                        }
                        int sent = 0;
                        while (sent < n) {
                            sent += f.device.txBurst(0, back, sent, n - sent);
                        }
                        while (moved < n) {
                            moved += device.rxBurst(0, there, moved, 32 - moved);
                        }
                        return moved;
                    });
            Mempool.freeBulk(there, 0, 32);
        });
    }
}
