package io.grantwire.gntalloc.emulated;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Another process that is a domain, and can be killed. Runs {@link GuestMain}. */
final class GuestProcess implements AutoCloseable {
    private final Process process;
    private final BufferedReader answers;
    private final PrintStream commands;
    private final int domid;

    GuestProcess(Path socket, int domid) {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        try {
            process =
                    new ProcessBuilder(
                                    java,
                                    "-XX:+UseSerialGC",
                                    "-XX:TieredStopAtLevel=1",
                                    "-Xmx128m",
                                    "--enable-native-access=ALL-UNNAMED",
                                    "-cp",
                                    System.getProperty("java.class.path"),
                                    GuestMain.class.getName(),
                                    socket.toString(),
                                    Integer.toString(domid),
                                    "child-" + domid)
                            .redirectError(ProcessBuilder.Redirect.DISCARD)
                            .start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        answers = process.inputReader();
        commands = new PrintStream(process.getOutputStream(), true);
        try {
            this.domid = Integer.parseInt(answer());
        } catch (RuntimeException e) {
            kill();
            throw e;
        }
    }

    int domid() {
        return domid;
    }

    long pid() {
        return process.pid();
    }

    /** Sends a command and returns its answer; an error answer is thrown. */
    String tell(Object... words) {
        commands.println(String.join(" ", Arrays.stream(words).map(String::valueOf).toList()));
        return answer();
    }

    int ask(Object... words) {
        return Integer.parseInt(tell(words));
    }

    /** Sends a command whose answer is fetched with {@link #answer} later. */
    void send(Object... words) {
        commands.println(String.join(" ", Arrays.stream(words).map(String::valueOf).toList()));
    }

    String answer() {
        CompletableFuture<String> line =
                CompletableFuture.supplyAsync(() -> {
                    try {
                        return answers.readLine();
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                });
        String text;
        try {
            text = line.get(60, TimeUnit.SECONDS);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw new IllegalStateException("no answer from the child: " + e, e);
        }
        if (text == null || !text.startsWith("ok ")) {
            throw new IllegalStateException("the child says: " + text);
        }
        return text.substring(3);
    }

    /** A share made by the child. */
    record Shared(int id, int[] grefs) {}

    Shared share(int toDomid, int pages, boolean writable) {
        String[] answer = tell("share", toDomid, pages, writable ? "rw" : "ro").split(" ");
        int[] grefs = Arrays.stream(answer[1].split(",")).mapToInt(Integer::parseInt).toArray();
        return new Shared(Integer.parseInt(answer[0]), grefs);
    }

    /** SIGKILL, and waits until the kernel has taken it down. */
    void kill() {
        process.destroyForcibly();
        try {
            if (!process.waitFor(60, TimeUnit.SECONDS)) {
                throw new IllegalStateException("process " + process.pid() + " does not die");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        kill();
        commands.close();
        try {
            answers.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
