package io.grantwire.bindings;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.bindings.gen.libc.LibC;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LinkAheadTest {
    @TempDir Path dir;

    @Test
    void everyCallThatItNamesIsThere() {
        LinkAhead.link();
    }

    @Test
    void itEndsByItselfAndKeepsNoProgramAlive() throws Exception {
        Thread thread = LinkAhead.start();
        assertTrue(thread.isDaemon());
        assertTrue(thread.join(Duration.ofSeconds(30)));
    }

    @Test
    void callsMadeMeanwhileWork() throws Exception {
        LinkAhead.start();
        try (Fd file = Fd.open(dir.toString(), LibC.O_RDONLY())) {
            assertTrue(file.isOpen());
        }
    }
}
