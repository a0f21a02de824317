package io.grantwire.tools.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.grantwire.tools.cli.CommandFailure;
import java.util.List;
import org.junit.jupiter.api.Test;

class SelfLauncherTest {
    private static final String MAIN = "io.grantwire.tools.Main";

    @Test
    void keepsJavasPartOfTheCommandLine() {
        List<String> java =
                List.of(
                        "/jdk/bin/java",
                        "-XX:AOTCache=/x.aot",
                        "--module-path",
                        "/lib",
                        "--module",
                        "io.grantwire.tools/io.grantwire.tools.Main");
        List<String> all = new java.util.ArrayList<>(java);
        all.addAll(List.of("demo", "--duration", "1"));
        assertEquals(java, SelfLauncher.prefix(all, MAIN));
        List<String> classPath = List.of("java", "-cp", "a:b", MAIN);
        assertEquals(classPath, SelfLauncher.prefix(classPath, MAIN));
        assertEquals(
                List.of("java", "--module=io.grantwire.tools/" + MAIN),
                SelfLauncher.prefix(
                        List.of("java", "--module=io.grantwire.tools/" + MAIN, "x"), MAIN));
    }

    @Test
    void childrenDoNotRecordTheCacheTheParentRecords() {
        assertEquals(
                List.of("java", MAIN),
                SelfLauncher.prefix(
                        List.of(
                                "java",
                                "-XX:AOTCacheOutput=/x",
                                "-XX:AOTMode=record",
                                MAIN,
                                "demo"),
                        MAIN));
    }

    @Test
    void refusesWhenStartedOtherwise() {
        assertThrows(
                CommandFailure.class,
                () -> SelfLauncher.prefix(List.of("java", "-jar", "x.jar"), MAIN));
    }
}
