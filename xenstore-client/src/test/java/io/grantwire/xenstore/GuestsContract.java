package io.grantwire.xenstore;

import static io.grantwire.xenstore.testing.Fixture.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.xenstore.XenstoreWatch.Event;
import io.grantwire.xenstore.testing.Fixture;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What a guest may do, and what it is told when it may not. */
interface GuestsContract extends Fixture {
    String HOME = "/local/domain/" + GUEST;

    @Test
    default void relativePathsAreBelowTheGuestsOwnDirectory() {
        Xenstore guest = guest();
        assertEquals(Integer.toString(GUEST), guest.readString("domid"));
        guest.write("data/x", "1");
        assertEquals("1", store().readString(HOME + "/data/x"));
        assertEquals(HOME, guest.domainPath(GUEST));
        assertTrue(guest.directory("data").contains("x"));
    }

    @Test
    default void guestOwnsWhatItMakes() {
        guest().write("data/mine/below", "1");
        XenstorePermission owner = store().permissions(HOME + "/data/mine/below").getFirst();
        assertEquals(GUEST, owner.domid());
    }

    @Test
    default void guestMayNotReadOrChangeWhatIsNotItsOwn() {
        Xenstore guest = guest();
        store().write(key("secret"), "s");
        store().setPermissions(key("secret"), List.of(new XenstorePermission(0, false, false)));
        XenstoreException e = failure("EACCES", () -> guest.read(key("secret")));
        assertTrue(
                e.getMessage()
                        .startsWith(
                                "xenstore read "
                                        + key("secret")
                                        + ": EACCES (Permission denied); "),
                e.getMessage());
        assertTrue(e.getMessage().contains("grantwire xenstore chmod"), e.getMessage());
        failure("EACCES", () -> guest.readString(key("secret")));
        assertFalse(guest.exists(key("secret")));
        failure("EACCES", () -> guest.write(key("secret"), "x"));
        failure("EACCES", () -> guest.directory(key("secret")));
        failure("EACCES", () -> guest.write("name", "other"));
        assertEquals("s", store().readString(key("secret")));
        store().setPermissions(
                        key("secret"),
                        List.of(
                                new XenstorePermission(0, false, false),
                                new XenstorePermission(GUEST, true, false)));
        assertEquals("s", guest.readString(key("secret")));
        failure("EACCES", () -> guest.write(key("secret"), "x"));
        failure(
                "EACCES",
                () ->
                        guest.setPermissions(
                                key("secret"), List.of(new XenstorePermission(GUEST, true, true))));
    }

    @Test
    default void controlDirectoryIsExplained() {
        Xenstore guest = guest();
        String advice =
                "in dom0: grantwire xenstore write "
                        + HOME
                        + "/control/dpdk '' && grantwire xenstore chmod "
                        + HOME
                        + "/control/dpdk n"
                        + GUEST;
        XenstoreException relative = failure("EACCES", () -> guest.write("control/foo", "1"));
        assertTrue(relative.getMessage().endsWith(advice), relative.getMessage());
        assertEquals("control/foo", relative.path());
        XenstoreException absolute = failure("EACCES", () -> guest.mkdir(HOME + "/control/foo"));
        assertTrue(absolute.getMessage().endsWith(advice), absolute.getMessage());
        guest.write("control/dpdk/0_mempool_gref", "8,9");
        assertEquals("8,9", store().readString(HOME + "/control/dpdk/0_mempool_gref"));
    }

    @Test
    default void dom0SeesGuestsChanges() throws Exception {
        Xenstore guest = guest();
        try (XenstoreWatch watch = store().watch("/local/domain", "mytoken")) {
            assertEquals("/local/domain", watch.await(SOON).path());
            guest.write("control/dpdk/event_type_start_0", "1");
            assertEquals(
                    new Event(HOME + "/control/dpdk/event_type_start_0", "mytoken"),
                    watch.await(SOON));
        }
    }

    @Test
    default void guestHasTransactions() {
        Xenstore guest = guest();
        guest.transaction(t -> {
            t.write("data/a", "1");
            t.write("data/b", "2");
            return null;
        });
        assertEquals("2", store().readString(HOME + "/data/b"));
    }

    @Test
    default void quotasAreExplained() {
        Xenstore guest = guest();
        XenstoreException value =
                failure("ENOSPC", () -> guest.write("data/large", new byte[3000]));
        assertTrue(value.getMessage().contains("2048 bytes by default"), value.getMessage());
        assertNull(store().readString(HOME + "/data/large"));

        List<XenstoreWatch> watches = new ArrayList<>();
        XenstoreException watch =
                assertThrows(
                        XenstoreException.class,
                        () -> {
                            while (watches.size() < 1000) {
                                watches.add(guest.watch("data/w", "t" + watches.size()));
                            }
                        });
        // ENOSPC since Xen 4.18, E2BIG before.
        assertTrue(Set.of("ENOSPC", "E2BIG").contains(watch.errnoName()), watch.getMessage());
        assertTrue(watch.getMessage().contains("128 by default"), watch.getMessage());
        // One more before Xen 4.18.
        assertTrue(watches.size() <= 129, watches.size() + " watches");
        watches.forEach(XenstoreWatch::close);
        guest.watch("data/w", "again").close();
    }
}
