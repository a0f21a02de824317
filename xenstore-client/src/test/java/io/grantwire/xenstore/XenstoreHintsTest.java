package io.grantwire.xenstore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.bindings.Errno;
import org.junit.jupiter.api.Test;

class XenstoreHintsTest {

    private static String of(String operation, String path, String errno) {
        return XenstoreHints.of(operation, path, Errno.numberOf(errno));
    }

    @Test
    void guestsControlDirectoryNamesTheCommandsForDom0() {
        String expected =
                "a guest may not create keys in its control directory until dom0 gives it one; in"
                        + " dom0: grantwire xenstore write /local/domain/5/control/dpdk '' &&"
                        + " grantwire xenstore chmod /local/domain/5/control/dpdk n5";
        assertEquals(expected, of("write", "/local/domain/5/control/dpdk/x", "EACCES"));
        assertEquals(expected, of("rm", "/local/domain/5/control", "EACCES"));
        assertEquals(
                expected.replace("/5/", "/<domid>/").replace("n5", "n<domid>"),
                of("write", "control/dpdk", "EACCES"));
    }

    @Test
    void otherKeysNameTheRightThatIsMissing() {
        assertTrue(of("read", "/a", "EACCES").contains("chmod /a n0 r<domid>"));
        assertTrue(of("write", "/a", "EACCES").contains("chmod /a n0 b<domid>"));
        assertFalse(of("write", "/local/domain/5/controlled", "EACCES").contains("dpdk"));
        assertFalse(of("write", "/control/x/../y", "EACCES").contains("dpdk"));
    }

    @Test
    void quotasAreNamedByOperation() {
        assertTrue(of("write", "/a", "ENOSPC").contains("2048 bytes"));
        assertTrue(of("mkdir", "/a", "EDQUOT").contains("1000"));
        assertTrue(of("watch", "/a", "E2BIG").contains("128"));
        assertTrue(of("transaction", "", "ENOSPC").contains("10 by default"));
        assertTrue(of("setPermissions", "/a", "ENOSPC").contains("5 by default"));
        assertTrue(of("directory", "/a", "E2BIG").contains("longer than one message"));
    }

    @Test
    void absentKeysSayWhereToLook() {
        assertEquals(
                "there is no such key; what is there shows: grantwire xenstore ls /a",
                of("read", "/a/b", "ENOENT"));
        assertEquals("there is no such key", of("read", "name", "ENOENT"));
        assertEquals("there is no such key", of("permissions", "@releaseDomain", "ENOENT"));
        assertEquals("neither the key nor its parent exists", of("rm", "/a/b", "ENOENT"));
    }

    @Test
    void otherErrorsSpeakForThemselves() {
        assertNull(of("write", "/a", "EIO"));
        assertNull(of("write", "/a", "EAGAIN"));
    }
}
