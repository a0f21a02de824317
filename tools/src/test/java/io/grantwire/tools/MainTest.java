package io.grantwire.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class MainTest {
    static Stream<String> commands() {
        return Commands.ALL.stream()
                .filter(entry -> !entry.summary().isEmpty())
                .map(Commands.Entry::name);
    }

    @ParameterizedTest
    @MethodSource("commands")
    void everyCommandHasHelpAndSucceedsShowingIt(String command) {
        InProcess.Result result = InProcess.run(command, "--help");
        assertEquals(0, result.status(), result.err());
        assertEquals("", result.err());
        assertTrue(result.out().startsWith("Usage: grantwire " + command), result.out());
        assertEquals(result.out(), InProcess.run("help", command).out());
    }

    @ParameterizedTest
    @MethodSource("commands")
    void everyCommandRefusesAnUnknownOptionInOneLine(String command) {
        InProcess.Result result = InProcess.run(command, "--no-such-option");
        assertEquals(2, result.status());
        assertEquals("", result.out());
        assertEquals(1, result.err().lines().count(), result.err());
        assertTrue(result.err().startsWith("grantwire " + command + ": "), result.err());
        assertTrue(result.err().contains("--no-such-option"), result.err());
    }

    @Test
    void overviewNamesEveryCommandThatPeopleType() {
        String overview = InProcess.run("--help").out();
        for (Commands.Entry entry : Commands.ALL) {
            assertEquals(
                    !entry.summary().isEmpty(),
                    overview.contains("  " + entry.name() + " "),
                    entry.name());
        }
    }

    @Test
    void versionNamesTheProgramAndTheJava() {
        InProcess.Result result = InProcess.run("--version");
        assertEquals(0, result.status());
        assertTrue(result.out().matches("grantwire \\S+ \\(Java \\S+\\)\n"), result.out());
    }

    @Test
    void wrongCommandsAreWrongUsage() {
        assertEquals(2, InProcess.run().status());
        InProcess.Result unknown = InProcess.run("fly\nhigh");
        assertEquals(2, unknown.status());
        assertEquals(
                "grantwire: no such command: fly high; grantwire --help lists them\n",
                unknown.err());
    }
}
