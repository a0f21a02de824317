package io.grantwire.tools.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grantwire.vswitch.ring.RejectReason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The pages on security say what is so: the tests that they name are there, and no rule is left
 * out.
 */
class SecurityPageTest {
    private static final Path ROOT = Path.of("..");
    private static final Pattern NAMED = Pattern.compile("`(\\w+)#(\\w+)`");

    /** Rows of the table of cases that need no test, each with the reason in its text. */
    private static final int WITHOUT_TEST = 3;

    @Test
    void everyTestThatIsNamedIsThere() throws IOException {
        Map<String, String> sources = new HashMap<>();
        try (Stream<Path> files = Files.walk(ROOT)) {
            for (Path file :
                    files.filter(f -> f.toString().matches(".*/src/test/java/.*\\.java"))
                            .toList()) {
                String name = file.getFileName().toString().replace(".java", "");
                sources.merge(name, Files.readString(file), String::concat);
            }
        }
        List<String> missing = new ArrayList<>();
        Matcher named = NAMED.matcher(Files.readString(ROOT.resolve("docs/security.md")));
        int found = 0;
        while (named.find()) {
            found++;
            String source = sources.getOrDefault(named.group(1), "");
            if (!source.contains(" void " + named.group(2) + "(")) {
                missing.add(named.group());
            }
        }
        assertEquals(List.of(), missing);
        assertTrue(found > 40, found + " tests are named");
    }

    @Test
    void everyCaseHasATestOrAReason() throws IOException {
        List<String> rows =
                Files.readAllLines(ROOT.resolve("docs/security.md")).stream()
                        .dropWhile(line -> !line.startsWith("## Known cases"))
                        .takeWhile(line -> !line.startsWith("## Reporting"))
                        .filter(line -> line.startsWith("| ") && !line.startsWith("| case"))
                        .toList();
        assertTrue(rows.size() > 30, rows.size() + " rows");
        List<String> without = rows.stream().filter(row -> !NAMED.matcher(row).find()).toList();
        assertEquals(WITHOUT_TEST, without.size(), without::toString);
        assertTrue(
                without.stream().allMatch(row -> row.contains("not used") || row.contains("no")),
                without::toString);
    }

    @Test
    void everyRuleIsOnThePageOfTheSwitch() throws IOException {
        String page = Files.readString(ROOT.resolve("docs/switch.md"));
        for (RejectReason reason : RejectReason.values()) {
            String row = "| `" + reason.key() + "` | " + reason.text() + " |";
            assertTrue(page.contains(row), "no row: " + row);
        }
    }
}
