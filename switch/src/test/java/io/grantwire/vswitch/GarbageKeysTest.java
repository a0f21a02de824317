package io.grantwire.vswitch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.hostile.HostileDriver;
import io.grantwire.pmd.xenvirt.XenvirtKeys;
import io.grantwire.vswitch.testkit.Bed;
import io.grantwire.vswitch.testkit.Frames;
import io.grantwire.vswitch.testkit.FrontEnd;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A guest that writes garbage into its keys, one at a time: its device is refused with a line that
 * names the key, and served once the key is as it should be; the other guests lose nothing.
 */
class GarbageKeysTest extends SwitchBed {
    private static final long VA = 0x7f00_0000_0000L;
    private static final String EVIL = "00:00:00:00:00:66";

    private FrontEnd vm1;
    private FrontEnd vm2;
    private int seed;

    /** Every frame between the two others arrives, in order. */
    private void exchange(int frames) {
        for (int i = 0; i < frames; i++) {
            vm1.sendSurely(Frames.frame(MAC2, MAC1, 60, seed));
            assertEquals(seed++, Frames.seed(vm2.receive(1).get(0)));
        }
    }

    private boolean serves(int domid) {
        return sw.stats().devices().stream().anyMatch(d -> d.domid() == domid);
    }

    @ParameterizedTest
    @CsvSource({
        "0_mempool_gref, garbage",
        "0_mempool_gref, ''",
        "0_mempool_gref, '1,2,3,4,5,6,7,8,9,'",
        "0_mempool_va, -1",
        "0_mempool_va, ffffffffffffffff",
        "0_tx_vring_gref, 99999999999999",
        "0_tx_vring_gref, 0x",
        "0_rx_vring_gref, 16777215",
        "0_rx_vring_gref, '%n%n%n'",
        "0_ether_addr, ff:ff:ff:ff:ff:ff",
        "0_ether_addr, 'no address at all'",
        "0_vring_flag, 16777215",
        "0_vring_flag, '1,1'",
        "event_type_start_0, 2",
        "event_type_start_0, ''",
    })
    void isRefusedByNameAndTheOthersLoseNothing(String key, String garbage) {
        start(config());
        vm1 = frontEnd(1, MAC1);
        vm2 = frontEnd(2, MAC2);
        Domain guest = bed.guest(3);
        HostileDriver evil = new HostileDriver(guest);
        evil.pool(0, 64, VA);
        evil.rings(0).flag(0, EVIL);
        String start = XenvirtKeys.start(0);
        String good = key.equals(start) ? "1" : guest.xenstore().readString(evil.path(key));

        evil.put(key, garbage);
        if (!key.equals(start)) {
            evil.start(0);
        }
        Bed.await(
                "a line about " + key,
                () -> {
                    exchange(10);
                    return log.contains("XENHOST:" + evil.path(key) + ": ");
                },
                log::lines);
        assertTrue(!serves(3));
        exchange(100);

        evil.remove(start);
        evil.put(key, good).start(0);
        Bed.await(
                "the device",
                () -> {
                    exchange(10);
                    return serves(3);
                },
                log::lines);
        assertEquals(0, device(0).tx().dropped() + device(1).rx().dropped());
    }
}
