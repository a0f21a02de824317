package io.grantwire.vswitch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.gntalloc.GrantShare;
import io.grantwire.pmd.hostile.HostileDriver;
import io.grantwire.pmd.hostile.KeyAttack;
import io.grantwire.pmd.hostile.RawRing;
import io.grantwire.pmd.hostile.RingAttack;
import io.grantwire.pmd.net.MacAddress;
import io.grantwire.vswitch.SwitchStats.DeviceStats;
import io.grantwire.vswitch.SwitchStats.RefusedStats;
import io.grantwire.vswitch.ring.RejectReason;
import io.grantwire.vswitch.testkit.Bed;
import io.grantwire.vswitch.testkit.Frames;
import io.grantwire.vswitch.testkit.FrontEnd;
import io.grantwire.vswitch.testkit.LogLines;
import io.grantwire.vswitch.testkit.MemoryWire;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every rule of {@link RejectReason}, broken by a guest of a running switch: the device is
 * quarantined or refused with that rule's name, in the statistics and in the log, and two guests
 * beside it lose nothing.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RuleBookTest {
    private static final long VA = 0x7f00_0000_0000L;
    private static final int POOL_PAGES = 64;
    private static final long POOL_BYTES = POOL_PAGES * 4096L;

    private final MemoryWire wire = new MemoryWire(true, 1);
    private LogLines log;
    private Bed bed;
    private Switch sw;
    private FrontEnd vm1;
    private FrontEnd vm2;
    private int nextDomid = 16;
    private int seed;

    @BeforeAll
    void start() {
        log = new LogLines("DATA", "PORT", "XENHOST", "PMD");
        bed = new Bed();
        sw =
                Switch.start(
                        SwitchConfig.builder()
                                .uplink(UplinkSpec.of("memory", d -> wire))
                                .maxPagesPerGuest(KeyAttack.PAGES_ALLOWED)
                                .build(),
                        bed.dom0());
        vm1 = bed.keep(new FrontEnd(bed.guest(1), 0, 0x11));
        vm2 = bed.keep(new FrontEnd(bed.guest(2), 0, 0x22));
        Bed.await("the good ones", () -> sw.stats().devices().size() == 2);
    }

    @AfterAll
    void stop() throws Exception {
        sw.close();
        assertEquals(0, bed.dom0().mapper().mappedPages(), "pages stay mapped");
        bed.close();
        log.close();
    }

    private HostileDriver evil() {
        return new HostileDriver(bed.guest(nextDomid++));
    }

    private Optional<DeviceStats> device(int domid) {
        return sw.stats().devices().stream().filter(d -> d.domid() == domid).findFirst();
    }

    private boolean is(int domid, String state) {
        return device(domid).map(d -> d.state().equals(state)).orElse(false);
    }

    private long count(String rule) {
        return sw.stats().rejects().getOrDefault(rule, 0L);
    }

    /** Every evil guest has an address of its own, so that none is in another's way. */
    private static long mac(int domid) {
        return 0x6600 + domid;
    }

    private void sendTo(int domid) {
        vm1.sendSurely(Frames.frame(mac(domid), 0x11, 60, 0));
    }

    /** What was logged last. */
    private List<String> tail() {
        List<String> lines = List.copyOf(log.lines());
        return lines.subList(Math.max(0, lines.size() - 8), lines.size());
    }

    /** The good ones still exchange every frame. */
    private void exchange() {
        for (int i = 0; i < 20; i++) {
            vm1.sendSurely(Frames.frame(0x22, 0x11, 60, seed));
            assertEquals(seed++, Frames.seed(vm2.receive(1).get(0)));
        }
        Set<String> others =
                sw.stats().devices().stream()
                        .filter(d -> d.domid() < 3 && !d.state().equals("ready"))
                        .map(DeviceStats::fault)
                        .collect(Collectors.toSet());
        assertEquals(Set.of(), others, "a good guest was hit");
    }

    private void end(HostileDriver evil) {
        int domid = evil.guest().domid();
        evil.guest().close();
        Bed.await("the end", () -> device(domid).isEmpty(), this::tail);
    }

    @ParameterizedTest
    @EnumSource(RingAttack.class)
    void aRingThatBreaksARuleIsQuarantinedUntilItIsReleased(RingAttack attack) {
        HostileDriver evil = evil();
        int domid = evil.guest().domid();
        GrantShare pool = evil.pool(0, POOL_PAGES, VA);
        evil.device(0, MacAddress.format(mac(domid)));
        Bed.await("the evil one", () -> is(domid, "ready"), this::tail);
        long before = count(attack.rule());
        RawRing ring = attack.ring() == RingAttack.Ring.RX ? evil.rx : evil.tx;

        attack.on(ring, VA, POOL_BYTES);
        // A frame for it, since a receive ring is looked at only then.
        sendTo(domid);
        Bed.await("quarantine", () -> is(domid, "quarantined"), this::tail);
        exchange();
        DeviceStats bad = device(domid).orElseThrow();
        assertEquals(attack.rule(), bad.reject());
        RejectReason reason = RejectReason.valueOf(attack.rule().toUpperCase());
        String words =
                (attack.ring() == RingAttack.Ring.RX ? "rx ring: " : "tx ring: ") + reason.text();
        assertEquals(words, bad.fault());
        Bed.await("the counter", () -> count(attack.rule()) == before + 1);
        assertTrue(
                log.contains(
                        "XENHOST:("
                                + bad.number()
                                + ") device ("
                                + domid
                                + ", 0) is quarantined, "
                                + words
                                + "; it is served again when the guest starts it anew, or by:"
                                + " grantwire switch ctl release "
                                + bad.number()),
                () -> String.join("\n", tail()));
        assertTrue(StatsScreen.render(sw.stats()).contains("quarantined (" + words + ")"));

        // Released without a change it is quarantined again; mended, it is served.
        sw.release(bad.number());
        Bed.await(
                "the counter",
                () -> {
                    sendTo(domid);
                    return count(attack.rule()) == before + 2;
                },
                this::tail);
        Bed.await("quarantine", () -> is(domid, "quarantined"), this::tail);
        ring.startAt(ring.usedIdx());
        ring.desc(0, VA, 2048, attack.ring() == RingAttack.Ring.RX ? 2 : 0, 0);
        ring.desc(1, VA, 2048, attack.ring() == RingAttack.Ring.RX ? 2 : 0, 0);
        sw.release(device(domid).orElseThrow().number());
        Bed.await("served again", () -> is(domid, "ready"), this::tail);
        ring.offer(1);
        if (attack.ring() == RingAttack.Ring.RX) {
            sendTo(domid);
        }
        Bed.await("a completion", () -> ring.usedCount() == 1, this::tail);
        exchange();
        assertEquals(before + 2, count(attack.rule()));
        assertTrue(pool.pages() > 0);
        end(evil);
    }

    @ParameterizedTest
    @EnumSource(KeyAttack.class)
    void keysThatBreakARuleAreRefusedWithItsName(KeyAttack attack) {
        HostileDriver evil = evil();
        int domid = evil.guest().domid();
        evil.pool(0, 8, VA);
        evil.rings(3).flag(3, MacAddress.format(mac(domid)));
        attack.on(evil, 3);
        int pages = bed.dom0().mapper().mappedPages();
        long before = count(attack.rule());

        attack.start(evil, 3);
        Bed.await("a refusal", () -> count(attack.rule()) > before, () -> sw.stats().rejects());
        exchange();
        RefusedStats refused =
                sw.stats().refused().stream()
                        .filter(r -> r.domid() == domid)
                        .findFirst()
                        .orElseThrow();
        assertEquals(3, refused.index());
        assertEquals(attack.rule(), refused.reject());
        String screen = StatsScreen.render(sw.stats());
        assertTrue(
                screen.contains("Refused (" + domid + ", 3): \t\t" + attack.rule() + " ("), screen);
        assertTrue(log.contains(refused.text()), () -> refused + "\n" + log.lines());
        assertTrue(refused.text().chars().allMatch(c -> c >= ' ' && c < 0x7f || c == '…'));
        assertEquals(pages, bed.dom0().mapper().mappedPages(), "a refused device stays mapped");

        evil.remove("event_type_start_3");
        Bed.await(
                "forgotten",
                () -> sw.stats().refused().stream().noneMatch(r -> r.domid() == domid));
        evil.guest().close();
    }

    @Test
    void aGuestGetsNoMoreDevicesThanItMay() throws Exception {
        SwitchConfig config =
                SwitchConfig.builder()
                        .uplink(UplinkSpec.of("memory", d -> new MemoryWire(true, 1)))
                        .maxDevicesPerGuest(2)
                        .build();
        try (Bed own = new Bed();
                Switch small = Switch.start(config, own.dom0())) {
            HostileDriver evil = new HostileDriver(own.guest(1));
            evil.pool(0, 8, VA);
            for (int i = 0; i < 3; i++) {
                evil.device(i, "00:00:00:00:00:7" + i);
            }
            Bed.await(
                    "a refusal",
                    () -> small.stats().rejects().containsKey("too_many_devices"),
                    small::stats);
            assertEquals(2, small.stats().devices().size());
        }
    }

    @Test
    void aGuestGetsNoAddressThatIsKeptForAnotherEvenWhileThatOneIsAway() throws Exception {
        SwitchConfig config =
                SwitchConfig.builder()
                        .uplink(UplinkSpec.of("memory", d -> new MemoryWire(true, 1)))
                        .macs(
                                MacRules.parse(
                                        List.of("VM1=00:00:00:00:00:11", "2=00:00:00:00:00:22")))
                        .build();
        try (Bed own = new Bed();
                Switch strict = Switch.start(config, own.dom0())) {
            HostileDriver evil = new HostileDriver(own.guest(9));
            evil.pool(0, 8, VA);
            evil.device(0, "00:00:00:00:00:11");
            Bed.await("a refusal", () -> strict.stats().refused().size() == 1, strict::stats);
            assertEquals(
                    "/local/domain/9/control/dpdk/0_ether_addr: 00:00:00:00:00:11 is kept for VM1,"
                            + " see --mac",
                    strict.stats().refused().getFirst().text());
            assertEquals(1, strict.stats().rejects().get("mac_not_allowed"));

            // The owner comes, by its name; another one, by its number, may not have a third.
            FrontEnd owner = own.keep(new FrontEnd(own.guest(1), 0, 0x11));
            Bed.await("the owner", () -> strict.stats().devices().size() == 1, strict::stats);
            own.keep(new FrontEnd(own.guest(2), 0, 0x33));
            Bed.await("a refusal", () -> strict.stats().refused().size() == 2, strict::stats);
            assertEquals(
                    "/local/domain/2/control/dpdk/0_ether_addr: 00:00:00:00:00:33 is not among this"
                            + " guest's, see --mac",
                    strict.stats().refused().getLast().text());

            // Whoever is not named may have what is nobody's.
            FrontEnd other = own.keep(new FrontEnd(own.guest(3), 0, 0x33));
            Bed.await("the other", () -> strict.stats().devices().size() == 2, strict::stats);
            other.sendSurely(Frames.frame(0x11, 0x33, 60, 7));
            assertEquals(7, Frames.seed(owner.receive(1).getFirst()));
        }
    }

    @Test
    void onlyAQuarantinedDeviceIsReleased() {
        int good = device(1).orElseThrow().number();
        assertThrows(IllegalArgumentException.class, () -> sw.release(good));
        assertThrows(IllegalArgumentException.class, () -> sw.release(999));
        assertThrows(IllegalArgumentException.class, () -> sw.release(-1));
        exchange();
    }

    @Test
    void everyRuleIsTested() {
        Set<String> broken =
                Stream.concat(
                                Stream.of(RingAttack.values()).map(RingAttack::rule),
                                Stream.of(KeyAttack.values()).map(KeyAttack::rule))
                        .collect(Collectors.toSet());
        // By aGuestGetsNoMoreDevicesThanItMay, aGuestGetsNoAddressThatIsKeptForAnother..., and by
        // SwitchLifeTest with a store that fails.
        broken.add(RejectReason.MAC_NOT_ALLOWED.key());
        broken.add(RejectReason.TOO_MANY_DEVICES.key());
        broken.add(RejectReason.KEY_UNREADABLE.key());
        assertEquals(
                EnumSet.allOf(RejectReason.class).stream()
                        .map(RejectReason::key)
                        .collect(Collectors.toSet()),
                broken);
    }
}
