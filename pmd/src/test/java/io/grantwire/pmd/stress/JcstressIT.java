package io.grantwire.pmd.stress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Compiles the jcstress tests in src/jcstress and runs them in the harness's shortest mode. They
 * are compiled here, so that no other build pays for it.
 */
@Tag("machine")
class JcstressIT {
    private static final Path SOURCES = Path.of("src/jcstress/java");

    @TempDir Path dir;

    @Test
    void ringsMempoolsAndVirtqueuesKeepTheirPromisesBetweenThreads() throws Exception {
        assumeTrue(
                Runtime.getRuntime().availableProcessors() >= 2,
                "it takes two CPUs to find a race");
        compile();
        Path log = dir.resolve("log");
        Process harness =
                new ProcessBuilder(
                                ProcessHandle.current().info().command().orElse("java"),
                                "-cp",
                                classPath(),
                                "org.openjdk.jcstress.Main",
                                "-t",
                                "io.grantwire",
                                "-m",
                                "sanity",
                                "-sc",
                                "false",
                                "-af",
                                "GLOBAL",
                                "-jvmArgs",
                                "-XX:+UseSerialGC --enable-native-access=ALL-UNNAMED",
                                "-r",
                                dir.toString())
                        .directory(dir.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(log.toFile())
                        .start();
        try {
            assertTrue(harness.waitFor(10, TimeUnit.MINUTES), "jcstress takes too long");
        } finally {
            harness.destroyForcibly();
        }
        String text = Files.readString(log);
        assertEquals(0, harness.exitValue(), text);
        assertTrue(text.contains("RUN RESULTS"), text);
        for (String kind : List.of("Failed tests", "Error tests")) {
            assertTrue(text.contains(kind + ": No matches."), text);
        }
        assertTrue(text.contains("All remaining tests: 10 matching"), text);
    }

    private String classPath() {
        return dir.resolve("classes") + ":" + System.getProperty("java.class.path");
    }

    private void compile() throws IOException {
        Path classes = Files.createDirectory(dir.resolve("classes"));
        List<Path> sources = new ArrayList<>();
        try (Stream<Path> files = Files.walk(SOURCES)) {
            files.filter(f -> f.toString().endsWith(".java")).forEach(sources::add);
        }
        JavaCompiler javac = ToolProvider.getSystemJavaCompiler();
        StringWriter messages = new StringWriter();
        try (StandardJavaFileManager manager = javac.getStandardFileManager(null, null, null)) {
            boolean good =
                    javac.getTask(
                                    messages,
                                    manager,
                                    null,
                                    List.of(
                                            "-proc:full",
                                            "-cp",
                                            System.getProperty("java.class.path"),
                                            "-d",
                                            classes.toString()),
                                    null,
                                    manager.getJavaFileObjectsFromPaths(sources))
                            .call();
            assertTrue(good, messages.toString());
        }
    }
}
