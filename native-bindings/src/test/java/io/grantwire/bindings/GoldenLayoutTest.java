package io.grantwire.bindings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The generated layouts, offsets, ioctl numbers and constants are those of a C compiler: recorded
 * in {@code golden/*.txt} by the programs in {@code src/test/c}, and compiled anew where that is
 * possible.
 */
class GoldenLayoutTest {
    private static final Path SOURCES = Path.of("src/test/c");

    @TempDir Path work;

    @ParameterizedTest
    @ValueSource(strings = {"libc", "uapi", "xen", "xenstore"})
    void generatedClassesAgreeWithTheRecordedOutput(String name) throws Exception {
        assumeXenstoreLoads(name);
        GoldenFile golden = GoldenFile.recorded(name);
        Map<String, String> java = new GeneratedLayouts(name, cTypes(golden)).facts();
        List<String> wrong = new ArrayList<>();
        golden.facts()
                .forEach((fact, value) -> {
                    String ours = java.get(fact);
                    if (ours == null || !same(fact, value, ours)) {
                        wrong.add(fact + ": C " + value + ", Java " + ours);
                    }
                });
        assertEquals(List.of(), wrong, "recorded with " + golden.versions());
    }

    @ParameterizedTest
    @ValueSource(strings = {"libc", "uapi", "xen", "xenstore"})
    void everyGeneratedNameIsInTheRecordedOutput(String name) throws Exception {
        assumeXenstoreLoads(name);
        GoldenFile golden = GoldenFile.recorded(name);
        TreeSet<String> missing =
                new TreeSet<>(new GeneratedLayouts(name, cTypes(golden)).facts().keySet());
        missing.removeAll(golden.facts().keySet());
        assertTrue(
                missing.isEmpty(),
                () ->
                        "add these to src/test/c/%s.c and run src/test/c/record.sh: %s"
                                .formatted(name, missing));
    }

    @ParameterizedTest
    @ValueSource(strings = {"libc", "uapi", "xen", "xenstore"})
    void theCompilerHereAgreesWithTheRecordedOutput(String name) throws Exception {
        GoldenFile recorded = GoldenFile.recorded(name);
        GoldenFile live = GoldenFile.parse(compileAndRun(name));
        List<String> wrong = new ArrayList<>();
        recorded.facts()
                .forEach((fact, value) -> {
                    String here = live.facts().get(fact);
                    if (here == null || !compatible(fact, value, here)) {
                        wrong.add(fact + ": recorded " + value + ", here " + here);
                    }
                });
        assertEquals(
                List.of(),
                wrong,
                "recorded with " + recorded.versions() + ", here " + live.versions());
    }

    @Test
    void theFactsThatTheKernelInterfaceDocumentsHold() throws Exception {
        Map<String, String> xen = GoldenFile.recorded("xen").facts();
        assertEquals("24", xen.get("type struct ioctl_gntalloc_alloc_gref"));
        assertEquals(
                0x00184705L,
                Long.parseLong(xen.get("constant IOCTL_GNTALLOC_ALLOC_GREF")),
                "size 24, type G, number 5");
        assertEquals(
                0x00084501L, Long.parseLong(xen.get("constant IOCTL_EVTCHN_BIND_INTERDOMAIN")));
        assertEquals(
                "12",
                GoldenFile.recorded("libc").facts().get("type struct epoll_event"),
                "packed on x86-64");
    }

    /** Java has no unsigned types: a constant of 32 bits may come out negative. */
    private static boolean same(String fact, String c, String java) {
        if (!fact.startsWith("constant ")) {
            return c.equals(java);
        }
        long wanted = Long.parseLong(c);
        long ours = Long.parseLong(java);
        return wanted == ours || ours == (int) wanted && wanted >>> 32 == 0;
    }

    /** Newer headers may lengthen a structure at its end, and count more message types. */
    private static boolean compatible(String fact, String recorded, String here) {
        if (fact.startsWith("type ")) {
            return Long.parseLong(here) >= Long.parseLong(recorded);
        }
        return fact.equals("constant XS_TYPE_COUNT") || here.equals(recorded);
    }

    private static TreeSet<String> cTypes(GoldenFile golden) {
        return golden.facts().keySet().stream()
                .filter(fact -> fact.startsWith("type "))
                .map(fact -> fact.substring("type ".length()))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static void assumeXenstoreLoads(String name) {
        String reason = LibXenstoreLibrary.unavailable().orElse("");
        assumeTrue(!name.equals("xenstore") || reason.isEmpty(), reason);
    }

    private String compileAndRun(String name) throws IOException, InterruptedException {
        Path program = work.resolve(name);
        Path source = SOURCES.resolve(name + ".c");
        run(List.of("cc", "-o", program.toString(), source.toString()), "no C compiler: ");
        return run(List.of(program.toString()), "cannot run what was compiled: ");
    }

    /**
     * Skips the test when the machine lacks the program or the headers; any other failure fails.
     */
    private String run(List<String> command, String absent)
            throws IOException, InterruptedException {
        Path output = work.resolve("output");
        java.lang.Process process;
        try {
            process =
                    new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(output.toFile())
                            .start();
        } catch (IOException e) {
            return abort(absent + e.getMessage());
        }
        assertTrue(process.waitFor(60, TimeUnit.SECONDS), command + " takes too long");
        String text = Files.readString(output);
        if (process.exitValue() != 0) {
            String header =
                    text.lines()
                            .filter(l -> l.contains("No such file") || l.contains("undeclared"))
                            .findFirst()
                            .orElse(null);
            assumeTrue(header == null, "the headers here lack something: " + header);
            assertEquals(0, process.exitValue(), text);
        }
        return text;
    }
}
