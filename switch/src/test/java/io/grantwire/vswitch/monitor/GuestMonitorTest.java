package io.grantwire.vswitch.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.gntalloc.GrantShare;
import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.hostile.HostileDriver;
import io.grantwire.pmd.xenvirt.FlagPage;
import io.grantwire.pmd.xenvirt.XenvirtKeys;
import io.grantwire.vswitch.ring.RejectReason;
import io.grantwire.vswitch.testkit.Bed;
import io.grantwire.vswitch.testkit.LogLines;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a guest's keys and pages can do to the monitor. */
class GuestMonitorTest {
    private static final long VA = 0x7f00_0000_0000L;
    private static final String MAC = "00:00:00:00:00:11";

    /** Takes everything; lets go at once. */
    private static final class Recorder implements PortHandler {
        final List<GuestPort> attached = new CopyOnWriteArrayList<>();
        final List<GuestPort> detached = new CopyOnWriteArrayList<>();
        volatile int room = Integer.MAX_VALUE;
        volatile boolean holdOn;

        @Override
        public boolean accepts(int domid) {
            return domid != 99;
        }

        @Override
        public void attach(GuestPort port) {
            if (attached.size() - detached.size() >= room) {
                throw new PortException(RejectReason.TOO_MANY_DEVICES, "no room for " + port);
            }
            attached.add(port);
        }

        @Override
        public void detach(GuestPort port) {
            detached.add(port);
        }

        @Override
        public boolean released(GuestPort port) {
            return !holdOn;
        }
    }

    private final Recorder recorder = new Recorder();
    private LogLines log;
    private Bed bed;
    private GuestMonitor monitor;

    @BeforeEach
    void startHost() {
        log = new LogLines("XENHOST");
        bed = new Bed();
    }

    @AfterEach
    void stopHost() throws Exception {
        recorder.holdOn = false;
        if (monitor != null) {
            monitor.close();
        }
        assertEquals(0, bed.dom0().mapper().mappedPages(), "pages stay mapped");
        assertEquals(recorder.attached.size(), recorder.detached.size());
        bed.close();
        log.close();
    }

    private void monitor() {
        monitor(GuestMonitor.Options.DEFAULT);
    }

    private void monitor(GuestMonitor.Options options) {
        monitor = GuestMonitor.start(bed.dom0(), "test-monitor", recorder, options);
    }

    private HostileDriver guest(int domid) {
        return new HostileDriver(bed.guest(domid));
    }

    private void awaitAttached(int n) {
        Bed.await(n + " attached", () -> recorder.attached.size() >= n, log::lines);
        assertEquals(n, recorder.attached.size());
    }

    private void awaitDetached(int n) {
        Bed.await(n + " detached", () -> recorder.detached.size() >= n, log::lines);
        assertEquals(n, recorder.detached.size());
    }

    private int mappedPages() {
        return bed.dom0().mapper().mappedPages();
    }

    @Test
    void findsDevicesThatWereThereBefore() {
        HostileDriver front = guest(1);
        front.pool(0, 10, VA);
        front.device(0, MAC);
        front.device(31, "00:00:00:00:00:12");
        monitor();
        awaitAttached(2);
        GuestPort port = recorder.attached.get(0);
        assertEquals(1, port.domid());
        assertEquals(0x11, port.mac());
        assertEquals("(1, 0)", port.toString());
        Bed.await("started", () -> log.has("XENHOST:#####virtio dev (1, 31) is started"));
        assertEquals(10 + 2 * 7, mappedPages(), "the pool is mapped once");
    }

    @Test
    void findsDevicesThatStartLater() {
        monitor();
        HostileDriver front = guest(1);
        front.pool(0, 10, VA);
        front.device(0, MAC);
        awaitAttached(1);
        Bed.await("the front end is told", () -> FlagPage.isAttached(front.flag.segment()));
    }

    @Test
    void alsoLooksWhereGuestsMayWriteOnAnUnpreparedHost() {
        monitor();
        Domain guest = bed.guest(1);
        HostileDriver front = new HostileDriver(guest);
        front.pool(0, 10, VA);
        front.rings(0).flag(0, MAC);
        for (String key : front.keys()) {
            guest.xenstore()
                    .write(
                            XenvirtKeys.alternativeBase(1) + "/" + key,
                            guest.xenstore().readString(front.path(key)));
        }
        guest.xenstore().write(XenvirtKeys.alternativeBase(1) + "/event_type_start_0", "1");
        awaitAttached(1);
        guest.xenstore().rm(XenvirtKeys.alternativeBase(1));
        awaitDetached(1);
    }

    @Test
    void aStartThatIsSeenTwiceIsOneDevice() throws Exception {
        HostileDriver front = guest(1);
        front.pool(0, 10, VA);
        front.device(0, MAC);
        monitor();
        awaitAttached(1);
        for (int i = 0; i < 20; i++) {
            front.start(0);
            Thread.sleep(2);
        }
        front.device(1, "00:00:00:00:00:12");
        awaitAttached(2);
        assertEquals(0, recorder.detached.size());
    }

    @Test
    void aDeviceStartedAnewReplacesTheOldOne() {
        monitor();
        HostileDriver front = guest(1);
        front.pool(0, 10, VA);
        front.device(0, MAC);
        awaitAttached(1);
        recorder.holdOn = true;
        // As the original does on a second start: a new flag page, the old one left as it is.
        GrantShare oldFlag = front.flag;
        front.flag(0, MAC).start(0);
        awaitDetached(1);
        assertEquals(1, recorder.attached.size(), "two poll the same rings");
        recorder.holdOn = false;
        awaitAttached(2);
        assertSame(recorder.attached.get(0), recorder.detached.get(0));
        assertNotSame(recorder.attached.get(0), recorder.attached.get(1));
        assertFalse(FlagPage.isAttached(oldFlag.segment()));
    }

    @Test
    void theClearedFlagByteEndsADevice() {
        monitor();
        HostileDriver front = guest(1);
        front.pool(0, 10, VA);
        front.device(0, MAC);
        awaitAttached(1);
        FlagPage.clear(front.flag.segment());
        awaitDetached(1);
        assertTrue(log.has("XENHOST:#####watch_unmap_event:  (1, 0) to be removed"));
        Bed.await("unmapped", () -> mappedPages() == 0);
        Bed.await("forgotten", () -> log.has("XENHOST:destroy guest (1)"));
    }

    @Test
    void theEndOfTheProcessEndsADevice() {
        monitor();
        Domain guest = bed.guest(1);
        HostileDriver front = new HostileDriver(guest);
        front.pool(0, 10, VA);
        front.device(0, MAC);
        awaitAttached(1);
        guest.close();
        awaitDetached(1);
        // The keys are still there. They must not bring the dead device back.
        Bed.await("unmapped", () -> mappedPages() == 0);
        HostileDriver again = guest(1);
        again.pool(0, 10, VA);
        again.device(0, MAC);
        awaitAttached(2);
    }

    @Test
    void theRemovedStartKeyEndsADevice() {
        monitor();
        HostileDriver front = guest(1);
        front.pool(0, 10, VA);
        front.device(0, MAC);
        front.device(1, "00:00:00:00:00:12");
        awaitAttached(2);
        front.remove("event_type_start_0");
        awaitDetached(1);
        assertEquals(0, recorder.detached.get(0).index());
    }

    @Test
    void theRemovedDirectoryEndsAllDevicesOfTheGuest() {
        monitor();
        Domain guest = bed.guest(1);
        HostileDriver front = new HostileDriver(guest);
        front.pool(0, 10, VA);
        front.device(0, MAC);
        front.device(1, "00:00:00:00:00:12");
        HostileDriver other = guest(2);
        other.pool(0, 10, VA);
        other.device(0, "00:00:00:00:00:22");
        awaitAttached(3);
        guest.xenstore().rm("control/dpdk");
        awaitDetached(2);
    }

    @Test
    void theDestroyedDomainEndsItsDevices() {
        monitor();
        Domain guest = bed.guest(1);
        HostileDriver front = new HostileDriver(guest);
        front.pool(0, 10, VA);
        front.device(0, MAC);
        awaitAttached(1);
        guest.close();
        Bed.await(
                "destroyed",
                () -> {
                    try {
                        bed.host().destroyDomain(1);
                        return true;
                    } catch (RuntimeException e) {
                        return false;
                    }
                });
        awaitDetached(1);
    }

    @ParameterizedTest
    @CsvSource({
        "0_mempool_gref, x",
        "0_mempool_gref, '8,,9'",
        "0_mempool_va, 7f00zz",
        "0_mempool_va, 0",
        "0_mempool_va, ffffffffffffffff",
        "1_rx_vring_gref, ''",
        "1_rx_vring_gref, 99999999999999",
        "1_rx_vring_gref, 4000000",
        "1_tx_vring_gref, -1",
        "1_tx_vring_gref, 0",
        "1_ether_addr, zz:zz",
        "1_ether_addr, ff:ff:ff:ff:ff:ff",
        "1_ether_addr, 00:00:00:00:00:00",
        "1_vring_flag, 0",
        "1_vring_flag, 4000000",
        "1_vring_flag, '8,9'",
        "event_type_start_1, 2",
    })
    void garbageInAKeyNamesTheKeyAndHarmsNobody(String key, String value) {
        monitor();
        HostileDriver front = guest(1);
        front.pool(0, 10, VA);
        front.device(0, MAC);
        awaitAttached(1);
        int pages = mappedPages();
        front.rings(1).flag(1, "00:00:00:00:00:12");
        front.put(key, value);
        if (!key.startsWith("event")) {
            front.start(1);
        }
        Bed.await("a complaint", () -> log.contains("XENHOST:" + front.path(key)), log::lines);
        assertEquals(1, recorder.attached.size());
        assertEquals(0, recorder.detached.size(), "the guest's other device was lost");
        Bed.await("nothing more mapped", () -> mappedPages() == pages);
    }

    @ParameterizedTest
    @CsvSource({"1_rx_vring_gref", "1_tx_vring_gref", "1_ether_addr", "1_vring_flag"})
    void aMissingKeyIsNamed(String key) {
        monitor();
        HostileDriver front = guest(1);
        front.pool(0, 10, VA);
        front.rings(1).flag(1, MAC).remove(key);
        front.start(1);
        Bed.await("a complaint", () -> log.has("XENHOST:" + front.path(key) + ": no such key"));
    }

    @Test
    void aGuestWithoutPoolsIsRefused() {
        monitor();
        HostileDriver front = guest(1);
        front.device(0, MAC);
        Bed.await(
                "a complaint",
                () ->
                        log.has(
                                "XENHOST:"
                                        + front.path("0_mempool_gref")
                                        + ": the guest has no mempool"));
    }

    @Test
    void aGrantThatIsNotThereIsNamed() {
        monitor();
        HostileDriver front = guest(1);
        GrantShare pages = front.share(3);
        int[] grefs = HostileDriver.grefs(pages);
        grefs[1] = 30_000;
        front.put("0_mempool_gref", front.index(grefs));
        front.put("0_mempool_va", "7f0000000000");
        front.device(0, MAC);
        Bed.await(
                "a complaint",
                () ->
                        log.contains(
                                "XENHOST:"
                                        + front.path("0_mempool_gref")
                                        + ": mapping gref 30000 of domain 1: "),
                log::lines);
        assertEquals(0, mappedPages());
    }

    @Test
    void aFlagThatIsDownMeansNobodyIsThere() {
        monitor();
        HostileDriver front = guest(1);
        front.pool(0, 10, VA);
        front.rings(0).flag(0, MAC);
        FlagPage.clear(front.flag.segment());
        front.start(0);
        Bed.await(
                "a complaint", () -> log.contains("the flag byte is zero, the front end is gone"));
        assertEquals(0, mappedPages());
    }

    @Test
    void aRingOfTooFewPagesIsRefused() {
        monitor();
        HostileDriver front = guest(1);
        front.pool(0, 10, VA);
        front.rings(0).flag(0, MAC);
        front.put("0_rx_vring_gref", front.index(HostileDriver.grefs(front.share(2))));
        front.start(0);
        Bed.await("a complaint", () -> log.contains("a ring of 2 pages, it needs 3"));
    }

    @Test
    void fullIndexPagesAreAccepted() {
        monitor();
        HostileDriver front = guest(1);
        front.pool(0, 1024, VA);
        front.device(0, MAC);
        awaitAttached(1);
        assertEquals(1024 + 7, mappedPages());
    }

    @Test
    void aNegativeGrantEndsAnIndexPage() {
        monitor();
        HostileDriver front = guest(1);
        GrantShare pages = front.share(5);
        int[] grefs = HostileDriver.grefs(pages);
        grefs[3] = -1;
        front.put("0_mempool_gref", front.index(grefs));
        front.put("0_mempool_va", "0x7f0000000000");
        front.device(0, MAC);
        awaitAttached(1);
        assertEquals(3 + 7, mappedPages());
    }

    @Test
    void overlappingPoolsAreRefused() {
        monitor();
        HostileDriver front = guest(1);
        front.pool(0, 10, VA);
        front.pool(1, 10, VA + 9 * 4096);
        front.device(0, MAC);
        Bed.await("a complaint", () -> log.contains("1_mempool_va overlap"), log::lines);
        assertEquals(0, mappedPages());
    }

    @Test
    void poolsAreReadAgainForEachDevice() {
        monitor();
        HostileDriver front = guest(1);
        front.pool(0, 10, VA);
        front.device(0, MAC);
        awaitAttached(1);
        front.pool(1, 20, VA + 0x100_0000);
        front.device(1, "00:00:00:00:00:12");
        awaitAttached(2);
        assertEquals(10 + 20 + 2 * 7, mappedPages());
        front.remove("event_type_start_1");
        awaitDetached(1);
        Bed.await("its pool is unmapped", () -> mappedPages() == 10 + 7);
    }

    @Test
    void aGuestGetsNoMorePagesThanItMay() {
        monitor(new GuestMonitor.Options(Duration.ofMillis(1), 25));
        HostileDriver front = guest(1);
        front.pool(0, 10, VA);
        front.pool(1, 16, VA + 0x100_0000);
        front.device(0, MAC);
        Bed.await(
                "a complaint",
                () -> log.contains("16 pages and 10 mapped already are more than the 25"));
        assertEquals(0, mappedPages());
    }

    @Test
    void aDeviceThatTheHandlerRefusesIsUnmapped() {
        recorder.room = 1;
        monitor();
        HostileDriver front = guest(1);
        front.pool(0, 10, VA);
        front.device(0, MAC);
        awaitAttached(1);
        front.device(1, "00:00:00:00:00:12");
        Bed.await("a complaint", () -> log.has("XENHOST:no room for (1, 1)"));
        assertEquals(10 + 7, mappedPages());
        assertFalse(FlagPage.isAttached(front.flag.segment()));
    }

    @Test
    void guestsThatAreNotWantedAreLeftAlone() {
        monitor();
        HostileDriver front = guest(99);
        front.pool(0, 10, VA);
        front.device(0, MAC);
        HostileDriver wanted = guest(1);
        wanted.pool(0, 10, VA);
        wanted.device(0, MAC);
        awaitAttached(1);
        assertEquals(1, recorder.attached.get(0).domid());
        assertFalse(FlagPage.isAttached(front.flag.segment()));
    }

    @Test
    void aGuestThatComplainsAreMadeOfFillsNoLog() {
        monitor();
        HostileDriver front = guest(1);
        for (int i = 0; i < 300; i++) {
            front.put("event_type_start_" + i % 32, "garbage " + i);
        }
        HostileDriver other = guest(2);
        other.pool(0, 10, VA);
        other.device(0, MAC);
        awaitAttached(1);
        long lines = log.lines().stream().filter(l -> l.contains("/local/domain/1/")).count();
        assertTrue(lines <= 60, lines + " lines");
    }
}
