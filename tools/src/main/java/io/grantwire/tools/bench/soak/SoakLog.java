package io.grantwire.tools.bench.soak;

import io.grantwire.tools.cli.CommandFailure;
import io.grantwire.tools.cli.Messages;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * What all processes of a soak say and what is done to them, each line with the seconds since the
 * start: what one needs to know when it fails, in a file that is kept then. Any thread.
 */
final class SoakLog implements AutoCloseable {
    private final long begin = System.nanoTime();
    private final Path file;
    private final PrintWriter out;

    private SoakLog(Path file) throws IOException {
        this.file = file;
        this.out = new PrintWriter(Files.newBufferedWriter(file));
    }

    /**
     * Begins a log.
     *
     * @throws CommandFailure when the file cannot be written
     */
    static SoakLog open(Path file) {
        try {
            return new SoakLog(file);
        } catch (IOException e) {
            throw new CommandFailure("cannot write " + file + ": " + Messages.of(e), e);
        }
    }

    Path file() {
        return file;
    }

    synchronized void line(String who, String text) {
        double seconds = (System.nanoTime() - begin) / 1e9;
        out.println(String.format(Locale.ROOT, "%9.3f  %-15s  %s", seconds, who, text));
    }

    @Override
    public synchronized void close() {
        out.close();
    }
}
