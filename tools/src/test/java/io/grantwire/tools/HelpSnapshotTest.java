package io.grantwire.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Help pages as they were last agreed on, in {@code src/test/resources/help}. After a wanted
 * change: {@code mvn -pl tools -am test -Dtest=HelpSnapshotTest -Dhelp.update=true}, and look at
 * the difference.
 */
class HelpSnapshotTest {
    private static final Path SNAPSHOTS = Path.of("src/test/resources/help");

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--help",
                "demo --help",
                "switch --help",
                "switch ctl --help",
                "testpmd --help",
                "host --help",
                "nic-bind --help",
                "doctor --help",
                "xenstore --help",
                "xenstore ls --help",
                "xenstore list --help",
                "xenstore read --help",
                "xenstore write --help",
                "xenstore mkdir --help",
                "xenstore rm --help",
                "xenstore exists --help",
                "xenstore chmod --help",
                "xenstore watch --help",
                "xenstore prepare --help",
                "bench --help",
                "bench path --help",
                "bench ring --help",
                "bench mempool --help",
                "bench copy --help",
                "bench scale --help",
                "bench startup --help",
                "bench gc --help",
                "bench vs-dpdk --help",
                "bench soak --help"
            })
    void pageIsAsAgreed(String command) throws IOException {
        InProcess.Result result = InProcess.run(command.split(" "));
        assertEquals(0, result.status(), result.err());
        compare(command.replace(" --help", "").replace("--help", "grantwire"), result.out());
    }

    static void compare(String name, String text) throws IOException {
        Path file = SNAPSHOTS.resolve(name.replace(' ', '-') + ".txt");
        if (Boolean.getBoolean("help.update")) {
            Files.createDirectories(SNAPSHOTS);
            Files.writeString(file, text);
        }
        assertTrue(Files.exists(file), file + " is missing; make it with -Dhelp.update=true");
        assertEquals(Files.readString(file), text);
        for (String line : text.split("\n")) {
            assertTrue(line.length() <= 110, "too wide: " + line);
        }
    }
}
