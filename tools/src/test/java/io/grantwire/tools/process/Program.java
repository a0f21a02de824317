package io.grantwire.tools.process;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * The packaged program as a process of its own, started as the launcher starts it: on the module
 * path, native access for the bindings only. Killed, with what it started, when a test forgets it.
 */
public final class Program implements AutoCloseable {
    public static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Path LIB = Path.of("target/dist/lib");

    private final Process process;
    private final StringBuilder out = new StringBuilder();
    private final StringBuilder err = new StringBuilder();
    private final List<Thread> readers = new ArrayList<>();

    private Program(Process process) {
        this.process = process;
        read(process.getInputStream(), out);
        read(process.getErrorStream(), err);
    }

    /** Skips the test when nothing was packaged. */
    public static void assumePackaged() {
        boolean packaged = false;
        if (Files.isDirectory(LIB)) {
            try (Stream<Path> files = Files.list(LIB)) {
                packaged = files.anyMatch(f -> f.getFileName().toString().startsWith("tools-"));
            } catch (IOException e) {
                fail(e);
            }
        }
        assumeTrue(packaged, LIB + " is not there: run mvn verify, or mvn package first");
    }

    /** Starts a command. */
    public static Program start(Object... args) {
        return startUnder(List.of(), args);
    }

    /**
     * Starts a command under another program, such as {@code ip netns exec NAME}.
     *
     * @param wrapper the other program with its arguments
     */
    public static Program startUnder(List<String> wrapper, Object... args) {
        assumePackaged();
        List<String> command = new ArrayList<>(wrapper);
        command.addAll(
                List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:+UseSerialGC",
                        "--module-path",
                        LIB.toString(),
                        "--enable-native-access=io.grantwire.bindings",
                        "--illegal-native-access=deny",
                        "--module",
                        "io.grantwire.tools/io.grantwire.tools.Main"));
        for (Object arg : args) {
            command.add(arg.toString());
        }
        try {
            return new Program(new ProcessBuilder(command).start());
        } catch (IOException e) {
            return fail(e);
        }
    }

    private void read(InputStream in, StringBuilder into) {
        Thread thread =
                new Thread(() -> {
                    try (BufferedReader reader =
                            new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
                        String line;
                        while ((line = reader.readLine()) != null) {
                            synchronized (into) {
                                into.append(line).append('\n');
                            }
                        }
                    } catch (IOException e) {
                        // The process has ended.
                    }
                });
        thread.setDaemon(true);
        thread.start();
        readers.add(thread);
    }

    public long pid() {
        return process.pid();
    }

    public ProcessHandle handle() {
        return process.toHandle();
    }

    public String out() {
        synchronized (out) {
            return out.toString();
        }
    }

    public String err() {
        synchronized (err) {
            return err.toString();
        }
    }

    /** Types lines. */
    public Program type(String... lines) {
        try {
            for (String line : lines) {
                process.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
            }
            process.getOutputStream().flush();
        } catch (IOException e) {
            fail("it does not take input any more: " + out() + err());
        }
        return this;
    }

    /** Ends its input. */
    public Program endInput() {
        try {
            process.getOutputStream().close();
        } catch (IOException e) {
            // It has ended before.
        }
        return this;
    }

    /** Waits until standard output has a text. */
    public Program awaitOut(String text) {
        await(() -> out().contains(text) || !process.isAlive(), text);
        assertTrue(out().contains(text), () -> "no '" + text + "' in: " + out() + err());
        return this;
    }

    /** Waits for its end. */
    public int awaitEnd() {
        try {
            if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
                fail("it does not end: " + out() + err());
            }
            for (Thread reader : readers) {
                reader.join(Duration.ofSeconds(10));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            fail(e);
        }
        return process.exitValue();
    }

    /** Sends a signal by name. */
    public void signal(String name) {
        run("kill", "-" + name, Long.toString(pid()));
    }

    /**
     * Sends what Ctrl-C sends. Where this JVM was started with SIGINT ignored, as shells do in the
     * background, so are its children: then SIGTERM.
     */
    public void interrupt() {
        signal(interruptIgnored() ? "TERM" : "INT");
    }

    private static boolean interruptIgnored() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
            return lines.filter(line -> line.startsWith("SigIgn:"))
                    .mapToLong(line -> Long.parseUnsignedLong(line.substring(7).strip(), 16))
                    .anyMatch(mask -> (mask & 2) != 0);
        } catch (IOException e) {
            return true;
        }
    }

    /** Waits until something is so. */
    public static void await(BooleanSupplier condition, String what) {
        await(condition, () -> what);
    }

    /** The same with a message that is made when it is needed. */
    public static void await(BooleanSupplier condition, Supplier<String> what) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                fail("waited in vain for: " + what.get());
            }
            try {
                Thread.sleep(20);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                fail(e);
            }
        }
    }

    /** Runs another program to its end and returns what it printed. */
    public static String run(String... command) {
        return runWith(java.util.Map.of(), command);
    }

    /** The same with more environment. */
    public static String runWith(java.util.Map<String, String> environment, String... command) {
        try {
            ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
            builder.environment().putAll(environment);
            Process other = builder.start();
            other.getOutputStream().close();
            String printed =
                    new String(other.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int status = other.waitFor();
            if (status != 0) {
                fail(String.join(" ", command) + " ended with " + status + ": " + printed);
            }
            return printed;
        } catch (IOException e) {
            return fail(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return fail(e);
        }
    }

    @Override
    public void close() {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
    }
}
