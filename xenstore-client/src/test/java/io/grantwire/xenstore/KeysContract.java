package io.grantwire.xenstore;

import static io.grantwire.xenstore.testing.Fixture.failure;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.xenstore.testing.Fixture;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** What a store does with keys, values, directories and permissions. */
interface KeysContract extends Fixture {

    @Test
    default void valueIsReadBackOnEveryConnection() {
        store().write(key("a"), "hello");
        assertEquals("hello", store().readString(key("a")));
        assertEquals("hello", another().readString(key("a")));
        store().write(key("a"), "");
        assertEquals("", store().readString(key("a")));
    }

    @Test
    default void everyByteSurvives() {
        byte[] all = new byte[256];
        for (int i = 0; i < all.length; i++) {
            all[i] = (byte) i;
        }
        store().write(key("bytes"), all);
        assertArrayEquals(all, store().read(key("bytes")));
        store().write(key("text"), "\u00fc\0\u00ff");
        assertEquals("\u00fc\0\u00ff", another().readString(key("text")));
    }

    @Test
    default void valuesUpToTheNodeLimitFit() {
        byte[] value = new byte[2000];
        new Random(1).nextBytes(value);
        store().write(key("large"), value);
        assertArrayEquals(value, store().read(key("large")));
    }

    @Test
    default void valueThatNoMessageHoldsIsRefusedBeforeItIsSent() {
        XenstoreException e = failure("E2BIG", () -> store().write(key("huge"), new byte[5000]));
        assertTrue(e.getMessage().contains("a value of 5000 bytes; at most"), e.getMessage());
        assertFalse(store().exists(key("huge")));
    }

    @Test
    default void missingKeysAreToldApartFromEmptyOnes() {
        assertNull(store().readString(key("none")));
        assertFalse(store().exists(key("none")));
        assertFalse(store().exists(key("none/below")));
        XenstoreException e = failure("ENOENT", () -> store().read(key("none")));
        assertEquals("read", e.operation());
        assertEquals(key("none"), e.path());
        assertTrue(
                e.getMessage()
                        .startsWith(
                                "xenstore read "
                                        + key("none")
                                        + ": ENOENT (No such file or directory); there is no such"
                                        + " key"),
                e.getMessage());
        failure("ENOENT", () -> store().directory(key("none")));
        failure("ENOENT", () -> store().permissions(key("none")));
        store().mkdir(key("none"));
        assertTrue(store().exists(key("none")));
        assertEquals("", store().readString(key("none")));
    }

    @Test
    default void writeAndMkdirMakeMissingParents() {
        store().write(key("p/q/r"), "1");
        assertEquals("", store().readString(key("p/q")));
        store().mkdir(key("x/y"));
        assertTrue(store().exists(key("x")));
        store().mkdir(key("p/q/r"));
        assertEquals("1", store().readString(key("p/q/r")));
    }

    @Test
    default void rmRemovesAllBelow() {
        store().write(key("t/a/b"), "1");
        store().write(key("t/c"), "2");
        store().rm(key("t"));
        assertFalse(store().exists(key("t/a/b")));
        assertFalse(store().exists(key("t")));
        store().rm(key("t"));
        XenstoreException e = failure("ENOENT", () -> store().rm(key("t/deep/er")));
        assertTrue(e.getMessage().contains("neither the key nor its parent"), e.getMessage());
        failure("EINVAL", () -> store().rm("/"));
    }

    @Test
    default void directoryListsNamesInAnOrderThatStays() {
        assertEquals(List.of(), directoryOf(key("d"), true));
        for (String name : List.of("b", "a", "c", "B", "10", "9")) {
            store().write(key("d/" + name + "/below"), name);
        }
        List<String> names = directoryOf(key("d"), false);
        assertEquals(Set.of("b", "a", "c", "B", "10", "9"), new HashSet<>(names));
        assertEquals(6, names.size());
        assertEquals(names, store().directory(key("d")));
        assertEquals(names, another().directory(key("d")));
        store().rm(key("d/c"));
        List<String> fewer = new ArrayList<>(names);
        fewer.remove("c");
        assertEquals(fewer, store().directory(key("d")));
    }

    @Test
    default void topDirectoryIsListedToo() {
        assertTrue(store().directory("/").contains("local") || !store().exists("/local"));
    }

    private List<String> directoryOf(String path, boolean make) {
        if (make) {
            store().mkdir(path);
        }
        return store().directory(path);
    }

    @Test
    default void directoryLongerThanOneMessageIsReadInParts() {
        Set<String> expected = new HashSet<>();
        for (int i = 0; i < 700; i++) {
            String name = "child-number-" + i;
            expected.add(name);
            store().write(key("many/" + name), "");
        }
        List<String> names = store().directory(key("many"));
        assertEquals(700, names.size());
        assertEquals(expected, new HashSet<>(names));
        assertEquals(expected, store().transaction(t -> new HashSet<>(t.directory(key("many")))));
    }

    @Test
    default void permissionsAreReplacedAsAWhole() {
        store().write(key("p"), "1");
        assertEquals(0, store().permissions(key("p")).getFirst().domid());
        List<XenstorePermission> list =
                List.of(
                        XenstorePermission.parse("r0"),
                        XenstorePermission.parse("n" + GUEST),
                        XenstorePermission.parse("b9"));
        // Entries for domains that the store does not know may be dropped, so the guest exists.
        guest();
        store().setPermissions(key("p"), list.subList(0, 2));
        assertEquals(list.subList(0, 2), store().permissions(key("p")));
        assertEquals(list.subList(0, 2), another().permissions(key("p")));
        failure("EINVAL", () -> store().setPermissions(key("p"), List.of()));
        failure("ENOENT", () -> store().setPermissions(key("none"), list.subList(0, 1)));
    }

    @Test
    default void childrenInheritPermissions() {
        guest();
        List<XenstorePermission> list =
                List.of(
                        new XenstorePermission(0, false, false),
                        new XenstorePermission(GUEST, true, false));
        store().mkdir(key("parent"));
        store().setPermissions(key("parent"), list);
        store().write(key("parent/child"), "1");
        assertEquals(list, store().permissions(key("parent/child")));
    }

    @Test
    default void pathsAreCheckedBeforeAnythingIsSent() {
        for (String bad :
                List.of("", "/a//b", "/a/", "/a.b", "/\u00e4", "/a\n", "@releaseDomain")) {
            XenstoreException e = failure("EINVAL", () -> store().read(bad));
            assertEquals(1, e.getMessage().lines().count());
            failure("EINVAL", () -> store().write(bad, "x"));
            failure("EINVAL", () -> store().mkdir(bad));
            failure("EINVAL", () -> store().rm(bad));
            failure("EINVAL", () -> store().directory(bad));
        }
        failure("EINVAL", () -> store().write("/a", "\u20ac"));
        failure("EINVAL", () -> store().watch("/a//b", "t"));
        failure("EINVAL", () -> store().watch("/a", "t\0"));
        failure("EINVAL", () -> store().domainPath(-1));
    }

    @Test
    default void domainPathIsBelowLocalDomain() {
        assertEquals("/local/domain/5", store().domainPath(5));
        assertEquals("/local/domain/0", store().domainPath(0));
    }

    @Test
    default void manyThreadsShareOneConnection() throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            List<Future<Integer>> results = new ArrayList<>();
            for (int t = 0; t < 8; t++) {
                String mine = key("thread-" + t);
                Callable<Integer> work =
                        () -> {
                            int right = 0;
                            for (int i = 0; i < 50; i++) {
                                store().write(mine, mine + i);
                                right += store().readString(mine).equals(mine + i) ? 1 : 0;
                            }
                            return right;
                        };
                results.add(threads.submit(work));
            }
            for (Future<Integer> result : results) {
                assertEquals(50, result.get());
            }
        }
    }

    @Test
    default void interruptNeitherEndsTheCallNorGetsLost() {
        Thread.currentThread().interrupt();
        store().write(key("interrupted"), "1");
        assertEquals("1", store().readString(key("interrupted")));
        assertTrue(Thread.interrupted(), "the interrupt has to stay");
        assertEquals("1", store().readString(key("interrupted")));
    }

    @Test
    default void closedConnectionSaysSo() {
        Xenstore closed = another();
        closed.close();
        closed.close();
        XenstoreException e = failure("EBADF", () -> closed.read("/"));
        assertTrue(e.getMessage().contains("this connection was closed"), e.getMessage());
        failure("EBADF", () -> closed.watch("/", "t"));
        failure("EBADF", () -> closed.transaction(t -> 1));
        store().write(key("after"), "1");
        assertTrue(store().exists(key("after")), "others are not affected");
    }
}
