package io.grantwire.xenstore.server;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.grantwire.xenstore.XenstorePermission;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TreeTest {
    private static final Permissions GUEST =
            new Permissions(List.of(new XenstorePermission(5, false, false)));

    private final Tree initial = Tree.initial();

    private static Node leaf(String value, long generation) {
        return Node.leaf(value.getBytes(), Permissions.PRIVATE, generation);
    }

    private static Tree grown() {
        return Tree.initial()
                .withNew("/", "a", leaf("1", 1), 2)
                .withNew("/a", "b", leaf("2", 3), 4)
                .withNew("/", "c", leaf("3", 5), 6);
    }

    @Test
    void startsWithWhatAFreshStoreHolds() {
        assertNotNull(initial.find("/"));
        assertNotNull(initial.find("/tool/xenstored"));
        assertNotNull(initial.find("@introduceDomain"));
        assertNotNull(initial.find("@releaseDomain"));
        assertNull(initial.find("/local"));
        assertNull(initial.find("@other"));
        assertEquals(5, initial.usage().nodes(0));
    }

    @Test
    void aChangeLeavesOlderTreesAsTheyWere() {
        Tree tree = grown();
        Tree changed = tree.with("/a/b", tree.find("/a/b").withValue("x".getBytes(), 9));
        assertArrayEquals("2".getBytes(), tree.find("/a/b").value());
        assertArrayEquals("x".getBytes(), changed.find("/a/b").value());
        assertSame(tree.find("/c"), changed.find("/c"));
    }

    @Test
    void aGenerationChangesWithTheNodeItselfOnly() {
        Tree tree = grown();
        Tree changed = tree.with("/a/b", tree.find("/a/b").withValue("x".getBytes(), 9));
        assertEquals(9, changed.find("/a/b").generation());
        assertEquals(4, changed.find("/a").generation());
        Tree more = changed.withNew("/a/b", "d", leaf("", 10), 11);
        assertEquals(11, more.find("/a/b").generation());
        assertEquals(4, more.find("/a").generation());
        assertEquals(12, more.without("/a/b/d", 12).find("/a/b").generation());
    }

    @Test
    void childrenKeepTheOrderInWhichTheyWereMade() {
        Tree tree = grown().withNew("/", "b", leaf("", 7), 8).without("/a", 9);
        Children children = tree.root().children();
        List<String> names = new ArrayList<>();
        for (int i = 0; i < children.size(); i++) {
            names.add(children.name(i));
        }
        assertEquals(List.of("tool", "c", "b"), names);
        assertEquals(9, children.bytes());
    }

    @Test
    void usageFollowsOwnersAndSizes() {
        Node guests = Node.leaf("12345".getBytes(), GUEST, 9);
        Tree tree = grown().withNew("/a", "g", guests, 10);
        assertEquals(1, tree.usage().nodes(5));
        assertEquals(guests.size(), tree.usage().bytes(5));
        assertEquals(8, tree.usage().nodes(0));
        Tree handed = tree.with("/a/g", guests.withPermissions(Permissions.PRIVATE, 11));
        assertEquals(0, handed.usage().nodes(5));
        assertEquals(0, handed.usage().bytes(5));
        Tree cut = tree.without("/a", 12);
        assertEquals(0, cut.usage().nodes(5));
        assertEquals(Tree.of(cut.root(), cut.specials()).usage(), cut.usage());
    }

    @Test
    void mergingJoinsChangesOfDifferentNodes() {
        Tree base = grown();
        Tree mine =
                base.with("/a/b", base.find("/a/b").withValue("mine".getBytes(), 20))
                        .withNew("/a/b", "new", leaf("n", 21), 22);
        Tree theirs =
                base.with("/c", base.find("/c").withValue("theirs".getBytes(), 23))
                        .withNew("/a", "x", leaf("x", 24), 25)
                        .withNew("/", "y", Node.leaf(Node.NO_VALUE, GUEST, 26), 27);
        Tree merged = theirs.merge(base, mine);
        assertArrayEquals("mine".getBytes(), merged.find("/a/b").value());
        assertNotNull(merged.find("/a/b/new"));
        assertArrayEquals("theirs".getBytes(), merged.find("/c").value());
        assertNotNull(merged.find("/a/x"));
        assertNotNull(merged.find("/y"));
        assertEquals(25, merged.find("/a").generation());
        assertEquals(Tree.of(merged.root(), merged.specials()).usage(), merged.usage());
    }

    @Test
    void mergingCarriesRemovalsOfEitherSide() {
        Tree base = grown();
        Tree mine = base.without("/a/b", 20);
        Tree theirs = base.without("/c", 21);
        Tree merged = theirs.merge(base, mine);
        assertNull(merged.find("/a/b"));
        assertNull(merged.find("/c"));
        assertEquals(base.usage().nodes(0) - 2, merged.usage().nodes(0));
    }

    @Test
    void mergingOntoTheBaseIsTheOtherTree() {
        Tree base = grown();
        Tree mine = base.without("/c", 20);
        assertSame(mine, base.merge(base, mine));
    }

    @Test
    void mergingCarriesSpecialNodes() {
        Tree base = grown();
        Tree mine =
                base.with("@releaseDomain", base.find("@releaseDomain").withPermissions(GUEST, 20));
        Tree merged = base.without("/c", 21).merge(base, mine);
        assertEquals(GUEST, merged.find("@releaseDomain").permissions());
        assertNull(merged.find("/c"));
    }

    @Test
    void deepPathsAreNoProblem() {
        Tree tree = Tree.initial();
        StringBuilder path = new StringBuilder();
        for (int i = 0; i < 1500; i++) {
            tree = tree.withNew(path.isEmpty() ? "/" : path.toString(), "d", leaf("", i), i);
            path.append("/d");
        }
        assertNotNull(tree.find(path.toString()));
        Tree changed =
                tree.with(
                        path.toString(),
                        tree.find(path.toString()).withValue("x".getBytes(), 9999));
        Tree merged = tree.withNew("/", "other", leaf("", 9), 10).merge(tree, changed);
        assertArrayEquals("x".getBytes(), merged.find(path.toString()).value());
        assertEquals(5, tree.without("/d", 1).usage().nodes(0));
    }
}
