package io.grantwire.xenstore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class XenstorePathTest {

    @Test
    void acceptsTheCharactersAndLengthsOfTheProtocol() {
        for (String path :
                List.of(
                        "/",
                        "/a",
                        "/local/domain/0",
                        "domid",
                        "control/dpdk/0_tx_vring_gref",
                        "/a-b_c@D/9",
                        "/" + "x".repeat(3071),
                        "x".repeat(2048))) {
            assertNull(XenstorePath.problem(path), path);
        }
    }

    @Test
    void saysWhatIsWrong() {
        assertEquals("the path is empty", XenstorePath.problem(""));
        assertEquals("the path ends with a slash", XenstorePath.problem("/a/"));
        assertEquals("there is a double slash at position 2", XenstorePath.problem("/a//b"));
        assertEquals("there is a double slash at position 0", XenstorePath.problem("//"));
        assertEquals(
                "the character '.' at position 1 is not one of A-Z a-z 0-9 - / _ @",
                XenstorePath.problem("/.."));
        assertEquals(
                "the character U+0000 at position 2 is not one of A-Z a-z 0-9 - / _ @",
                XenstorePath.problem("/a\0"));
        assertEquals(
                "the path has 3073 characters; the limit is 3072",
                XenstorePath.problem("/" + "x".repeat(3072)));
        assertEquals(
                "the path has 2049 characters; the limit is 2048",
                XenstorePath.problem("x".repeat(2049)));
        assertNotNull(XenstorePath.problem("/\u00e4"));
    }

    @Test
    void specialNamesCanBeWatchedOnly() {
        assertNotNull(XenstorePath.problem("@releaseDomain"));
        assertNull(XenstorePath.problemOrSpecial("@releaseDomain"));
        assertNull(XenstorePath.problemOrSpecial("/a"));
    }

    @Test
    void resolvesRelativePathsBelowTheDomain() {
        assertEquals("/local/domain/5/data", XenstorePath.absolute("data", 5));
        assertEquals("/data", XenstorePath.absolute("/data", 5));
        assertEquals("@releaseDomain", XenstorePath.absolute("@releaseDomain", 5));
    }

    @Test
    void takesPathsApart() {
        assertNull(XenstorePath.parent("/"));
        assertEquals("/", XenstorePath.parent("/a"));
        assertEquals("/a", XenstorePath.parent("/a/b"));
        assertEquals("", XenstorePath.name("/"));
        assertEquals("b", XenstorePath.name("/a/b"));
        assertEquals("/a", XenstorePath.child("/", "a"));
        assertEquals("/a/b", XenstorePath.child("/a", "b"));
    }

    @Test
    void watchesMatchWholeComponents() {
        assertTrue(XenstorePath.isWithin("/a", "/a"));
        assertTrue(XenstorePath.isWithin("/a", "/a/b"));
        assertFalse(XenstorePath.isWithin("/a", "/ab"));
        assertFalse(XenstorePath.isWithin("/a/b", "/a"));
        assertTrue(XenstorePath.isWithin("/", "/a"));
        assertFalse(XenstorePath.isWithin("/", "@releaseDomain"));
        assertTrue(XenstorePath.isWithin("@releaseDomain", "@releaseDomain"));
    }
}
