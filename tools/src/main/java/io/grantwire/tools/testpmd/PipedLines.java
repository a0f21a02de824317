package io.grantwire.tools.testpmd;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** Lines from a pipe or a file, with the prompt and the line shown as at a terminal. */
final class PipedLines implements LineSource {
    private final BufferedReader reader;
    private final PrintStream out;
    private final String prompt;

    PipedLines(InputStream in, PrintStream out, String prompt) {
        this.reader = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
        this.out = out;
        this.prompt = prompt;
    }

    @Override
    public String next() throws IOException {
        String line = reader.readLine();
        if (line != null && !line.isBlank()) {
            out.println(prompt + line);
        }
        return line;
    }
}
