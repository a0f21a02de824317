package io.grantwire.bindings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Test;

class LibXenstoreLibraryTest {
    @Test
    void anAbsentLibraryIsAReasonWithTheCommandThatInstallsIt() {
        String reason = LibXenstoreLibrary.unavailable("libxenstore-absent.so.4").orElseThrow();
        assertEquals(
                "libxenstore-absent.so.4 is not installed; get it with: apt-get install"
                        + " libxenstore4",
                reason);
    }

    @Test
    void aLibraryThatIsAnotherOneIsAReasonToo() {
        assertEquals(
                "libc.so.6 does not offer xs_open",
                LibXenstoreLibrary.unavailable("libc.so.6").orElseThrow());
    }

    @Test
    void whereItIsInstalledItLoads() {
        String reason = LibXenstoreLibrary.unavailable().orElse("");
        assumeTrue(reason.isEmpty(), reason);
        assertTrue(LibXenstoreLibrary.unavailable(LibXenstoreLibrary.SONAME).isEmpty());
    }
}
