package io.grantwire.vswitch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.pmd.domain.Domain;
import io.grantwire.pmd.domain.DomainException;
import io.grantwire.vswitch.testkit.Bed;
import io.grantwire.vswitch.testkit.Frames;
import io.grantwire.vswitch.testkit.FrontEnd;
import io.grantwire.vswitch.testkit.OtherStore;
import io.grantwire.vswitch.testkit.StoreRelay;
import io.grantwire.xenstore.Reconnection;
import io.grantwire.xenstore.Xenstore;
import io.grantwire.xenstore.Xenstores;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The store goes and comes back under a switch and its guests. */
class StoreRestartTest extends SwitchBed {
    private static final String AWAY = "new ones are seen when it is back";
    private static final String BACK = "XENHOST:the store is back: all guests are looked at again";

    private int seed;

    /** Numbered frames there and back; each has to arrive, in order. */
    private void exchange(FrontEnd one, FrontEnd other, int count) {
        long a = one.device.macAddress().value();
        long b = other.device.macAddress().value();
        for (int i = 0; i < count; i++) {
            one.sendSurely(Frames.frame(b, a, 60, seed));
            assertEquals(seed++, Frames.seed(other.receive(1).get(0)));
            other.sendSurely(Frames.frame(a, b, 60, seed));
            assertEquals(seed++, Frames.seed(one.receive(1).get(0)));
        }
    }

    /** Refused until the hypervisor has seen that the guest's process has left. */
    private boolean destroyed(int domid) {
        try {
            bed.host().destroyDomain(domid);
            return true;
        } catch (DomainException e) {
            return false;
        }
    }

    private long lines(String part) {
        return log.lines().stream().filter(l -> l.contains(part)).count();
    }

    private String allLines() {
        return String.join("\n", log.lines());
    }

    @Test
    void guestsDoNotNoticeAndNewOnesAreServedAfterwards() {
        start(config());
        FrontEnd vm1 = frontEnd(1, MAC1);
        FrontEnd vm2 = frontEnd(2, MAC2);
        exchange(vm1, vm2, 200);
        Path socket = bed.host().xenstoreSocket();
        for (int restart = 1; restart <= 2; restart++) {
            int times = restart;
            bed.host().stopStore();
            Bed.await("the loss", () -> lines(AWAY) == times, log::lines);
            exchange(vm1, vm2, 500);
            bed.host().startStore();
            exchange(vm1, vm2, 200);
            Bed.await("the return", () -> lines(BACK) == times, log::lines);
            exchange(vm1, vm2, 200);
            assertEquals(
                    times, lines("XENSTORE:unix:" + socket + ": connection lost"), this::allLines);
            assertEquals(
                    times,
                    lines("XENSTORE:unix:" + socket + ": the connection is"),
                    this::allLines);
        }
        FrontEnd vm3 = frontEnd(3, STRANGER);
        exchange(vm1, vm3, 100);
        exchange(vm3, vm2, 100);
        assertEquals(3, lines("is started"), this::allLines);
        assertEquals(0, lines("to be removed"), this::allLines);
        assertEquals(3, sw.stats().devices().size());
    }

    @Test
    void aGuestThatEndsMeanwhileIsRemovedAndItsNumberCanBeUsedAgain() {
        start(config());
        FrontEnd vm1 = frontEnd(1, MAC1);
        Domain guest = bed.guest(2);
        FrontEnd vm2 = new FrontEnd(guest, 0, MAC2);
        awaitDevices(2, 2);
        exchange(vm1, vm2, 100);
        bed.host().stopStore();
        Bed.await("the loss", () -> lines(AWAY) == 1, log::lines);
        // It cannot take its keys away; that its pages are not shared any more shows all the same.
        long begin = System.nanoTime();
        vm2.close();
        guest.close();
        long took = System.nanoTime() - begin;
        assertTrue(took < 2_000_000_000L, () -> "closing took " + took + " ns");
        Bed.await("device 1 gone", () -> sw.stats().devices().size() == 1, log::lines);
        Bed.await("the process gone", () -> destroyed(2));
        bed.host().startStore();
        Bed.await("the return", () -> lines(BACK) == 1, log::lines);
        Bed.await(
                "no key of it", () -> !bed.dom0().xenstore().exists("/local/domain/2"), log::lines);
        FrontEnd again = frontEnd(2, MAC2);
        exchange(vm1, again, 100);
        assertEquals(1, lines("(1, 0) is started"), this::allLines);
        assertEquals(2, lines("(2, 0) is started"), this::allLines);
    }

    @Test
    void whatChangedWhileTheSwitchAloneWasCutOffIsSeenWhenItIsBack() {
        StoreRelay relay =
                bed.keep(new StoreRelay(bed.dir().resolve("r"), bed.host().xenstoreSocket()));
        Xenstore store =
                bed.keep(
                        Xenstores.reconnecting(
                                Xenstores.Options.socket(bed.dir().resolve("r")),
                                Reconnection.DEFAULT));
        start(config(), new OtherStore(bed.dom0(), store));
        FrontEnd vm1 = frontEnd(1, MAC1);
        FrontEnd vm2 = frontEnd(2, MAC2);
        relay.cut();
        Bed.await("the loss", () -> lines(AWAY) == 1, log::lines);
        bed.dom0().xenstore().rm("/local/domain/2/control/dpdk/event_type_start_0");
        FrontEnd vm3 = bed.keep(new FrontEnd(bed.guest(3), 0, STRANGER));
        exchange(vm1, vm2, 500);
        assertEquals(2, sw.stats().devices().size(), "nobody can have told the switch");
        relay.mend();
        awaitDevices(1, 3);
        Bed.await("device of guest 2 gone", () -> sw.stats().devices().size() == 2, log::lines);
        assertTrue(
                log.has("XENHOST:#####(2, 0) to be removed: its start key was removed"),
                this::allLines);
        exchange(vm1, vm3, 200);
        assertEquals(1, lines("(1, 0) is started"), this::allLines);
        assertEquals(1, lines("to be removed"), this::allLines);
    }
}
