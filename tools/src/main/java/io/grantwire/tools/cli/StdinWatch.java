package io.grantwire.tools.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/**
 * Ends the program when its standard input does. A parent that starts a child with a pipe for input
 * gets a child that cannot outlive it: the kernel closes the pipe even when the parent is killed
 * with SIGKILL.
 */
public final class StdinWatch {
    private StdinWatch() {}

    /** Starts the watching thread, a daemon; what is read is thrown away. */
    public static void start(InputStream in, StopRequest stop) {
        start(in, stop, line -> {});
    }

    /**
     * Starts the watching thread, a daemon.
     *
     * @param onLine called on that thread for every line that comes in
     */
    public static void start(InputStream in, StopRequest stop, Consumer<String> onLine) {
        Thread thread = new Thread(() -> watch(in, stop, onLine), "stdin-watch");
        thread.setDaemon(true);
        thread.start();
    }

    private static void watch(InputStream in, StopRequest stop, Consumer<String> onLine) {
        try {
            BufferedReader reader =
                    new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
            String line;
            while ((line = reader.readLine()) != null && !stop.requested()) {
                onLine.accept(line);
            }
        } catch (IOException e) {
            // A broken input is an ended one.
        } finally {
            stop.request("end of standard input", false);
        }
    }
}
