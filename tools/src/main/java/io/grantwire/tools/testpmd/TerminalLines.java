package io.grantwire.tools.testpmd;

import io.grantwire.tools.testpmd.command.CommandTable;
import java.io.IOException;
import java.util.List;
import org.jline.reader.Candidate;
import org.jline.reader.Completer;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.ParsedLine;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;

/** Lines that a person types: history, editing, completion from the command table. */
final class TerminalLines implements LineSource {
    private final Terminal terminal;
    private final LineReader reader;
    private final String prompt;

    TerminalLines(CommandTable table, String prompt) throws IOException {
        this.prompt = prompt;
        // The provider that calls stty: the others need native access, which this module has not.
        this.terminal = TerminalBuilder.builder().system(true).provider("exec").build();
        Completer completer =
                (LineReader r, ParsedLine line, List<Candidate> candidates) ->
                        table.completions(line.words().subList(0, line.wordIndex()))
                                .forEach(word -> candidates.add(new Candidate(word)));
        this.reader = LineReaderBuilder.builder().terminal(terminal).completer(completer).build();
    }

    @Override
    public String next() {
        try {
            return reader.readLine(prompt);
        } catch (UserInterruptException | EndOfFileException e) {
            return null;
        }
    }

    @Override
    public void close() throws IOException {
        terminal.close();
    }
}
