package io.grantwire.tools.testpmd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.grantwire.tools.testpmd.command.CommandException;
import io.grantwire.tools.testpmd.command.CommandTable;
import io.grantwire.tools.testpmd.command.Rule;
import io.grantwire.tools.testpmd.command.Values;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class CommandTableTest {
    private final List<String> done = new ArrayList<>();
    private Values last;
    private final CommandTable table =
            new CommandTable(
                    List.of(
                            rule("start"),
                            rule("start tx_first [<bursts:uint>]"),
                            rule("show port <what:info|stats> <port:port>"),
                            rule("set fwd <mode:io|mac> [retry]"),
                            rule("set burst <n:uint>"),
                            rule("set burst tx delay <us:uint> retry <n:uint>"),
                            rule("set peer <port:uint> <mac:mac>"),
                            rule("set list <list:list>")));

    private Rule rule(String syntax) {
        return Rule.of(
                "Section",
                syntax,
                "Does it.",
                values -> {
                    done.add(syntax);
                    last = values;
                });
    }

    @Test
    void findsTheRowThatFitsTheWholeLine() {
        table.run("start");
        table.run("  start   tx_first ");
        table.run("start tx_first 3");
        table.run("set burst 64");
        table.run("set burst tx delay 10 retry 7");
        assertEquals(
                List.of(
                        "start",
                        "start tx_first [<bursts:uint>]",
                        "start tx_first [<bursts:uint>]",
                        "set burst <n:uint>",
                        "set burst tx delay <us:uint> retry <n:uint>"),
                done);
        assertEquals(10, last.number("us"));
        assertEquals(7, last.number("n"));
    }

    @Test
    void handsOverValuesByName() {
        table.run("show port stats all");
        assertEquals("stats", last.text("what"));
        assertEquals(-1, last.port("port"));
        table.run("show port info 12");
        assertEquals(12, last.port("port"));
        table.run("set fwd mac retry");
        assertEquals("mac", last.text("mode"));
        assertEquals(true, last.has("retry"));
        table.run("set fwd io");
        assertFalse(last.has("retry"));
        table.run("set peer 0 00:0A:0b:1:2:3");
        assertEquals("00:0A:0b:1:2:3", last.text("mac"));
        table.run("set list 0,2-4");
        assertArrayEquals(new int[] {0, 2, 3, 4}, last.list("list"));
    }

    @Test
    void emptyLinesAndCommentsDoNothing() {
        table.run("");
        table.run("   ");
        table.run("# start");
        table.run("start # now");
        assertEquals(List.of("start"), done);
    }

    @Test
    void saysWhatWasExpectedWhere() {
        assertEquals("Command not found: fly (try help)", refusal("fly"));
        assertEquals(
                "Bad arguments: expected info or stats after \"show port\", not \"foo\"",
                refusal("show port foo 0"));
        assertEquals(
                "Bad arguments: expected a port number or all after \"show port stats\", not"
                        + " \"x\"",
                refusal("show port stats x"));
        assertEquals(
                "Incomplete command: expected a number or tx after \"set burst\"",
                refusal("set burst"));
        assertEquals(
                "Bad arguments: expected the end of the line or tx_first after \"start\", not"
                        + " \"now\"",
                refusal("start now"));
        assertEquals(
                "Bad arguments: expected a MAC address such as 00:00:00:00:00:11 after \"set peer"
                        + " 0\", not \"zz\"",
                refusal("set peer 0 zz"));
        assertEquals(List.of(), done);
    }

    @Test
    void completesWordByWord() {
        assertEquals(Set.of("start", "show", "set"), table.completions(List.of()));
        assertEquals(Set.of("info", "stats"), table.completions(List.of("show", "port")));
        assertEquals(Set.of("retry"), table.completions(List.of("set", "fwd", "io")));
        assertEquals(Set.of(), table.completions(List.of("fly")));
    }

    @Test
    void helpShowsValuesWithoutTheirKinds() {
        assertEquals("show port info|stats <port>", table.rules().get(2).shownSyntax());
        assertEquals("set fwd io|mac [retry]", table.rules().get(3).shownSyntax());
        assertEquals("start tx_first [<bursts>]", table.rules().get(1).shownSyntax());
    }

    private String refusal(String line) {
        return assertThrows(CommandException.class, () -> table.run(line)).getMessage();
    }
}
