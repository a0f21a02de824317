package io.grantwire.tools.process;

import io.grantwire.tools.cli.CommandFailure;
import io.grantwire.tools.cli.Messages;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * A child process that cannot outlive us: it ends when its standard input does. What it prints is
 * read at once, so that it never waits for us; the last lines are kept to tell why it failed.
 */
public final class Child {
    private static final int TAIL = 20;
    private static final String ERROR_PREFIX = "grantwire ";

    private final String name;
    private final Process process;
    private final OutputStream input;
    private final Deque<String> tail = new ArrayDeque<>();
    private final List<Thread> readers = new ArrayList<>();
    private boolean ending;

    private Child(String name, Process process) {
        this.name = name;
        this.process = process;
        this.input = process.getOutputStream();
    }

    /**
     * Starts a child.
     *
     * @param name for people: {@code VM1}
     * @param onLine called for every line of its standard output, on a thread of its own
     */
    public static Child start(String name, List<String> command, Consumer<String> onLine) {
        return start(name, command, onLine, line -> {});
    }

    /**
     * The same for who wants to hear everything.
     *
     * @param onErrorLine called for every line of its standard error, on another thread of its own
     */
    public static Child start(
            String name,
            List<String> command,
            Consumer<String> onLine,
            Consumer<String> onErrorLine) {
        try {
            Process process = new ProcessBuilder(command).start();
            Child child = new Child(name, process);
            child.read(process.getInputStream(), onLine);
            child.read(process.getErrorStream(), onErrorLine);
            return child;
        } catch (IOException e) {
            throw new CommandFailure("cannot start " + name + ": " + Messages.of(e), e);
        }
    }

    private void read(InputStream from, Consumer<String> onLine) {
        Thread thread =
                new Thread(
                        () -> {
                            try (BufferedReader reader =
                                    new BufferedReader(
                                            new InputStreamReader(from, StandardCharsets.UTF_8))) {
                                String line;
                                while ((line = reader.readLine()) != null) {
                                    remember(line);
                                    onLine.accept(line);
                                }
                            } catch (IOException e) {
                                // The process ended, and with it what it had to say.
                            }
                        },
                        "output of " + name);
        thread.setDaemon(true);
        thread.start();
        readers.add(thread);
    }

    private void remember(String line) {
        if (line.startsWith("{")) {
            // A report, not a word for people.
            return;
        }
        synchronized (tail) {
            if (tail.size() == TAIL) {
                tail.removeFirst();
            }
            tail.addLast(line);
        }
    }

    public String name() {
        return name;
    }

    public long pid() {
        return process.pid();
    }

    public boolean alive() {
        return process.isAlive();
    }

    /** Hands it a line; a child that has ended does not get it. */
    public void tell(String line) {
        try {
            input.write((line + "\n").getBytes(StandardCharsets.UTF_8));
            input.flush();
        } catch (IOException e) {
            // It has ended: check() will tell.
        }
    }

    /**
     * Looks whether it still runs.
     *
     * @throws CommandFailure when it ended although nobody had asked it to
     */
    public void check() {
        if (!ending && !process.isAlive()) {
            throw failure();
        }
    }

    /** Why it ended, in one line. */
    public CommandFailure failure() {
        joinReaders();
        int status = process.exitValue();
        String reason = null;
        List<String> lines;
        synchronized (tail) {
            lines = List.copyOf(tail);
        }
        for (String line : lines) {
            if (line.startsWith(ERROR_PREFIX)) {
                // "grantwire switch: what went wrong": our own way to fail.
                reason = line.substring(line.indexOf(": ") + 2);
            }
        }
        if (reason != null) {
            return new CommandFailure(name + ": " + reason);
        }
        String last =
                String.join(" | ", lines.subList(Math.max(0, lines.size() - 3), lines.size()));
        return new CommandFailure(
                name
                        + " ended with status "
                        + status
                        + (last.isEmpty() ? " and said nothing" : "; its last words: " + last));
    }

    /** Asks it to end by closing its input; from now on its end is no failure. */
    public void askToEnd() {
        ending = true;
        try {
            input.close();
        } catch (IOException e) {
            // It has ended already.
        }
    }

    /** Asks it to end with SIGTERM; from now on its end is no failure. */
    public void terminate() {
        ending = true;
        process.destroy();
    }

    /** Kills it with SIGKILL; from now on its end is no failure. */
    public void kill() {
        ending = true;
        process.destroyForcibly();
    }

    /**
     * Waits for its end, and enforces it when it takes too long.
     *
     * @return its exit status
     */
    public int awaitEnd(Duration atMost) {
        try {
            if (!process.waitFor(atMost.toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroy();
                if (!process.waitFor(1, TimeUnit.SECONDS)) {
                    process.destroyForcibly().waitFor();
                }
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            return -1;
        }
        joinReaders();
        return process.exitValue();
    }

    private void joinReaders() {
        for (Thread reader : readers) {
            try {
                reader.join(Duration.ofSeconds(2));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
