package io.grantwire.xenstore.server;

import static io.grantwire.xenstore.XsType.DIRECTORY;
import static io.grantwire.xenstore.XsType.MKDIR;
import static io.grantwire.xenstore.XsType.READ;
import static io.grantwire.xenstore.XsType.RESET_WATCHES;
import static io.grantwire.xenstore.XsType.RM;
import static io.grantwire.xenstore.XsType.SET_PERMS;
import static io.grantwire.xenstore.XsType.TRANSACTION_END;
import static io.grantwire.xenstore.XsType.TRANSACTION_START;
import static io.grantwire.xenstore.XsType.WATCH;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class StoreTransactionTest {
    private final StoreFixture fixture = new StoreFixture();
    private final StoreFixture.Client dom0 = fixture.client(0);
    private final StoreFixture.Client second = fixture.client(0);

    @BeforeEach
    void makeKeys() {
        dom0.write("/a", "1");
        dom0.write("/b", "2");
        dom0.write("/d/x", "3");
    }

    @Test
    void changesShowInsideAtOnceAndOutsideAfterTheCommit() {
        int tx = dom0.begin();
        assertEquals("OK|", dom0.writeIn(tx, "/a", "new"));
        assertEquals("new", dom0.askIn(tx, READ, "/a"));
        assertEquals("1", dom0.read("/a"));
        assertEquals("OK|", dom0.commit(tx));
        assertEquals("new", second.read("/a"));
    }

    @Test
    void anAbortedTransactionChangesNothing() {
        int tx = dom0.begin();
        dom0.writeIn(tx, "/a", "new");
        dom0.askIn(tx, RM, "/d");
        assertEquals("OK|", dom0.askIn(tx, TRANSACTION_END, "F"));
        assertEquals("1", dom0.read("/a"));
        assertEquals("3", dom0.read("/d/x"));
    }

    @Test
    void aTransactionSeesTheStoreAsItWasAtTheStart() {
        int tx = dom0.begin();
        second.write("/b", "later");
        second.write("/new", "");
        assertEquals("2", dom0.askIn(tx, READ, "/b"));
        assertEquals("!ENOENT|", dom0.askIn(tx, READ, "/new"));
        assertEquals("!EAGAIN|", dom0.commit(tx));
    }

    @Test
    void whatWasReadMayNotHaveChanged() {
        int tx = dom0.begin();
        dom0.askIn(tx, READ, "/a");
        second.write("/a", "1"); // the same value is a change too
        assertEquals("!EAGAIN|", dom0.commit(tx));
        assertEquals("!ENOENT|", dom0.askIn(tx, TRANSACTION_END, "T"));
    }

    @Test
    void whatWasWrittenMayNotHaveChanged() {
        int tx = dom0.begin();
        dom0.writeIn(tx, "/a", "mine");
        second.write("/a", "theirs");
        assertEquals("!EAGAIN|", dom0.commit(tx));
        assertEquals("theirs", dom0.read("/a"));
    }

    @Test
    void whatWasMissedMayNotHaveAppeared() {
        int tx = dom0.begin();
        assertEquals("!ENOENT|", dom0.askIn(tx, READ, "/q"));
        second.write("/q", "");
        assertEquals("!EAGAIN|", dom0.commit(tx));
    }

    @Test
    void whatWasRemovedOrGivenOtherPermissionsIsAConflict() {
        int tx = dom0.begin();
        dom0.askIn(tx, READ, "/a");
        second.ask(RM, "/a");
        assertEquals("!EAGAIN|", dom0.commit(tx));
        int tx2 = dom0.begin();
        dom0.askIn(tx2, READ, "/b");
        second.permit("/b", "r0");
        assertEquals("!EAGAIN|", dom0.commit(tx2));
    }

    @Test
    void removingAndMakingAgainIsAConflict() {
        int tx = dom0.begin();
        dom0.askIn(tx, READ, "/a");
        second.ask(RM, "/a");
        second.write("/a", "1");
        assertEquals("!EAGAIN|", dom0.commit(tx));
    }

    @Test
    void changesElsewhereAreNoConflict() {
        int tx = dom0.begin();
        dom0.writeIn(tx, "/a", "mine");
        dom0.writeIn(tx, "/d/new", "n");
        second.write("/b", "theirs");
        second.write("/d/x", "theirs too"); // below /d, whose list of names stays the same
        assertEquals("OK|", dom0.commit(tx));
        assertEquals("mine", dom0.read("/a"));
        assertEquals("theirs", dom0.read("/b"));
        assertEquals("theirs too", dom0.read("/d/x"));
        assertEquals("x|new|", dom0.ask(DIRECTORY, "/d"));
    }

    @Test
    void twoChildrenMadeInOneDirectoryAreAConflict() {
        int tx = dom0.begin();
        dom0.writeIn(tx, "/d/mine", "");
        second.write("/d/theirs", "");
        assertEquals("!EAGAIN|", dom0.commit(tx));
    }

    @Test
    void aChangeInsideARemovedSubtreeIsAConflict() {
        dom0.write("/d/e/f", "");
        int tx = dom0.begin();
        dom0.askIn(tx, RM, "/d");
        second.write("/d/e/f", "still in use");
        assertEquals("!EAGAIN|", dom0.commit(tx));
        assertEquals("still in use", dom0.read("/d/e/f"));
    }

    @Test
    void ofTwoCrossedTransactionsTheSecondFails() {
        int one = dom0.begin();
        int two = second.begin();
        dom0.askIn(one, READ, "/a");
        second.askIn(two, READ, "/b");
        dom0.writeIn(one, "/b", "");
        second.writeIn(two, "/a", "");
        assertEquals("OK|", dom0.commit(one));
        assertEquals("!EAGAIN|", second.commit(two));
    }

    @Test
    void transactionsThatDoNotMeetAllCommit() {
        int one = dom0.begin();
        int two = second.begin();
        dom0.writeIn(one, "/a", "x");
        second.writeIn(two, "/b", "y");
        assertEquals("OK|", second.commit(two));
        assertEquals("OK|", dom0.commit(one));
        assertEquals("x", dom0.read("/a"));
        assertEquals("y", dom0.read("/b"));
    }

    @Test
    void aReadOnlyTransactionFailsWhenWhatItReadChanged() {
        int tx = dom0.begin();
        dom0.askIn(tx, DIRECTORY, "/d");
        second.write("/d/y", "");
        assertEquals("!EAGAIN|", dom0.commit(tx));
    }

    @Test
    void anEmptyTransactionAlwaysCommits() {
        int tx = dom0.begin();
        second.write("/a", "x");
        assertEquals("OK|", dom0.commit(tx));
    }

    @Test
    void idsBelongToTheConnection() {
        int tx = dom0.begin();
        assertEquals(1, tx);
        assertEquals(1, second.begin());
        assertEquals(2, dom0.begin());
        assertEquals("!ENOENT|", second.askIn(2, READ, "/a"));
        assertEquals("!ENOENT|", dom0.askIn(99, MKDIR, "/z"));
        assertEquals("!ENOENT|", dom0.ask(TRANSACTION_END, "T"));
        assertEquals("!EINVAL|", dom0.askIn(tx, TRANSACTION_END, "maybe"));
        assertEquals("!EBUSY|", dom0.askIn(tx, TRANSACTION_START, ""));
    }

    @Test
    void removedAndMadeAgainInsideIsOneChange() {
        int tx = dom0.begin();
        dom0.askIn(tx, RM, "/d");
        dom0.writeIn(tx, "/d/x", "again");
        assertEquals("OK|", dom0.commit(tx));
        assertEquals("again", dom0.read("/d/x"));
    }

    @Test
    void eventsComeAtTheCommitOnce() {
        second.ask(WATCH, "/", "w");
        second.takeEvents();
        int tx = dom0.begin();
        dom0.writeIn(tx, "/a", "x");
        dom0.writeIn(tx, "/a", "y");
        dom0.writeIn(tx, "/n/m", "z");
        dom0.askIn(tx, SET_PERMS, "/b", "r0");
        assertEquals(List.of(), second.takeEvents());
        dom0.commit(tx);
        assertEquals(List.of("/a w", "/n/m w", "/b w"), second.takeEvents());
    }

    @Test
    void aFailedOrAbortedTransactionHasNoEvents() {
        second.ask(WATCH, "/", "w");
        int tx = dom0.begin();
        dom0.writeIn(tx, "/a", "x");
        int tx2 = dom0.begin();
        dom0.writeIn(tx2, "/b", "x");
        second.write("/a", "y");
        second.takeEvents();
        assertEquals("!EAGAIN|", dom0.commit(tx));
        dom0.askIn(tx2, TRANSACTION_END, "F");
        assertEquals(List.of(), second.takeEvents());
    }

    @Test
    void aRemovalInsideIsToldAtTheCommit() {
        second.ask(WATCH, "/d", "top");
        second.ask(WATCH, "/d/x", "below");
        second.takeEvents();
        int tx = dom0.begin();
        dom0.askIn(tx, RM, "/d");
        dom0.commit(tx);
        assertEquals(List.of("/d top", "/d/x below"), second.takeEvents());
    }

    @Test
    void resettingWatchesEndsTransactions() {
        int tx = dom0.begin();
        dom0.ask(RESET_WATCHES, "");
        assertEquals("!ENOENT|", dom0.askIn(tx, READ, "/a"));
        assertFalse(fixture.store.othersInTransaction(5));
    }

    @Test
    void anOldSnapshotIsGivenUpBeforeItHoldsTooMuch() {
        int tx = dom0.begin();
        dom0.askIn(tx, READ, "/a");
        String value = "x".repeat(4000);
        for (int i = 0; i < 5000; i++) {
            second.write("/big", value);
        }
        assertFalse(fixture.store.othersInTransaction(5));
        assertEquals("1", dom0.askIn(tx, READ, "/a"));
        assertEquals("!EAGAIN|", dom0.commit(tx));
    }

    @Test
    void accountsStayRightThroughMergedCommits() {
        dom0.ask(MKDIR, "/g");
        dom0.permit("/g", "n5");
        int tx = dom0.begin();
        dom0.writeIn(tx, "/g/one", "1");
        dom0.askIn(tx, RM, "/a");
        second.write("/b", "longer than before");
        second.write("/d/more", "");
        assertEquals("OK|", dom0.commit(tx));
        Tree tree = fixture.store.tree();
        assertEquals(Tree.of(tree.root(), tree.specials()).usage(), tree.usage());
        assertEquals(2, tree.usage().nodes(5));
        assertTrue(tree.usage().bytes(5) > 0);
    }
}
