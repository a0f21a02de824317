package io.grantwire.xenstore.server;

import static io.grantwire.xenstore.XsType.MKDIR;
import static io.grantwire.xenstore.XsType.RM;
import static io.grantwire.xenstore.XsType.TRANSACTION_START;
import static io.grantwire.xenstore.XsType.UNWATCH;
import static io.grantwire.xenstore.XsType.WATCH;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class StoreQuotaTest {
    private final StoreFixture fixture = new StoreFixture(StoreFixture.small());
    private final StoreFixture.Client dom0 = fixture.client(0);
    private final StoreFixture.Client guest = fixture.client(5);

    @BeforeEach
    void makeHome() {
        dom0.ask(MKDIR, "/local/domain/5");
        dom0.permit("/local/domain/5", "n5");
    }

    @Test
    void nodesAreCountedPerOwner() {
        for (int i = 0; i < 9; i++) {
            assertEquals("OK|", guest.write("k" + i, ""));
        }
        assertEquals("!ENOSPC|", guest.write("k9", ""));
        assertEquals("OK|", guest.write("k8", "again"));
        assertEquals("OK|", guest.ask(RM, "k0"));
        assertEquals("!ENOSPC|", guest.write("a/b", ""));
        assertEquals("OK|", guest.write("k9", ""));
    }

    @Test
    void nodesThatDomainZeroMakesInsideCountButAreNotRefused() {
        for (int i = 0; i < 20; i++) {
            assertEquals("OK|", dom0.write("/local/domain/5/k" + i, ""));
        }
        assertEquals(21, fixture.store.tree().usage().nodes(5));
        assertEquals("!ENOSPC|", guest.write("more", ""));
    }

    @Test
    void aNodeHasASize() {
        int room = 200 - 24 - 8 - 1;
        assertEquals("OK|", guest.write("k", "x".repeat(room)));
        assertEquals("!ENOSPC|", guest.write("k", "x".repeat(room + 1)));
        assertEquals("!ENOSPC|", guest.write("new", "x".repeat(room + 1)));
        assertEquals("OK|", dom0.write("/local/domain/5/k", "x".repeat(1000)));
    }

    @Test
    void theNamesOfChildrenCountForTheParent() {
        String name = "n".repeat(90);
        assertEquals("OK|", guest.write(name, ""));
        assertEquals("!ENOSPC|", guest.write(name + "2", ""));
    }

    @Test
    void permissionListsAreShort() {
        assertEquals("OK|", guest.permit("/local/domain/5", "n5", "r6"));
        assertEquals("!ENOSPC|", guest.permit("/local/domain/5", "n5", "r6", "r7"));
        assertEquals("OK|", dom0.permit("/local/domain/5", "n5", "r6", "r7", "r8"));
    }

    @Test
    void watchesAreLimitedOverAllConnections() {
        StoreFixture.Client second = fixture.client(5);
        assertEquals("OK|", guest.ask(WATCH, "/a", "1"));
        assertEquals("OK|", guest.ask(WATCH, "/a", "2"));
        assertEquals("OK|", second.ask(WATCH, "/a", "1"));
        assertEquals("!ENOSPC|", second.ask(WATCH, "/a", "2"));
        assertEquals("OK|", guest.ask(UNWATCH, "/a", "1"));
        assertEquals("OK|", second.ask(WATCH, "/a", "2"));
        guest.session.reset(fixture.store, fixture.watches);
        assertEquals("OK|", second.ask(WATCH, "/a", "3"));
        for (int i = 0; i < 50; i++) {
            assertEquals("OK|", dom0.ask(WATCH, "/a", "t" + i));
        }
    }

    @Test
    void transactionsAreLimited() {
        int first = guest.begin();
        guest.begin();
        assertEquals("!ENOSPC|", guest.ask(TRANSACTION_START, ""));
        guest.commit(first);
        guest.begin();
        guest.session.reset(fixture.store, fixture.watches);
        guest.begin();
        guest.begin();
        assertEquals("!ENOSPC|", guest.ask(TRANSACTION_START, ""));
    }

    @Test
    void aTransactionTouchesALimitedNumberOfNodesAndThenFails() {
        int tx = guest.begin();
        String reply = "OK|";
        for (int i = 0; i < 10 && reply.equals("OK|"); i++) {
            reply = guest.writeIn(tx, "k" + i, "");
        }
        assertEquals("!ENOSPC|", reply);
        assertEquals("!ENOMEM|", guest.commit(tx));
    }

    @Test
    void nodesMadeInATransactionAreCountedAtTheCommit() {
        for (int i = 0; i < 6; i++) {
            guest.write("k" + i, "");
        }
        int tx = guest.begin();
        assertEquals("OK|", guest.writeIn(tx, "d/a", ""));
        // Children of another node: no conflict, but together too many.
        dom0.write("/local/domain/5/k0/x", "");
        dom0.write("/local/domain/5/k0/y", "");
        assertEquals("!ENOSPC|", guest.commit(tx));
        assertEquals("!ENOENT|", guest.read("d"));
    }

    @Test
    void memoryComesBack() {
        int tx = guest.begin();
        assertEquals("OK|", guest.ask(WATCH, "/w", "t"));
        long before = fixture.store.memoryOf(guest.session.domain());
        assertEquals("OK|", guest.writeIn(tx, "a", "x".repeat(150)));
        assertTrue(fixture.store.memoryOf(guest.session.domain()) > before + 150);
        guest.commit(tx);
        assertEquals("OK|", guest.ask(RM, "a"));
        assertEquals(before, fixture.store.memoryOf(guest.session.domain()));
    }

    @Test
    void overTheMemoryLimitWritesAreRefused() {
        StoreFixture tight =
                new StoreFixture(
                        new Quotas(1000, 2048, 128, 10, 1024, 5, 2048, 20, 5000, 16, 1024));
        StoreFixture.Client host = tight.client(0);
        StoreFixture.Client hog = tight.client(5);
        host.ask(MKDIR, "/local/domain/5");
        host.permit("/local/domain/5", "n5");
        assertEquals("OK|", hog.write("a", "x".repeat(1900)));
        assertEquals("OK|", hog.write("b", "x".repeat(1900)));
        assertEquals("!ENOMEM|", hog.write("c", "x".repeat(1900)));
        assertEquals("OK|", hog.write("b", "short"));
        assertEquals("OK|", hog.write("c", "x".repeat(1900)));
        int tx = hog.begin();
        assertEquals("!ENOMEM|", hog.writeIn(tx, "d", "x".repeat(1900)));
        assertEquals("!ENOMEM|", hog.commit(tx));
    }

    @Test
    void domainZeroHasNoLimits() {
        for (int i = 0; i < 30; i++) {
            dom0.begin();
            assertEquals("OK|", dom0.write("/k" + i, "x".repeat(3000)));
        }
    }

    @Test
    void aLimitOfNothingIsRefused() {
        assertThrows(
                IllegalArgumentException.class, () -> new Quotas(0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1));
    }
}
