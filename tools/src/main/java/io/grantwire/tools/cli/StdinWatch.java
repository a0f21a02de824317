package io.grantwire.tools.cli;

import java.io.IOException;
import java.io.InputStream;

/**
 * Ends the program when its standard input does. A parent that starts a child with a pipe for input
 * gets a child that cannot outlive it: the kernel closes the pipe even when the parent is killed
 * with SIGKILL.
 */
public final class StdinWatch {
    private StdinWatch() {}

    /** Starts the watching thread, a daemon; what is read is thrown away. */
    public static void start(InputStream in, StopRequest stop) {
        Thread thread =
                new Thread(
                        () -> {
                            byte[] buffer = new byte[256];
                            try {
                                while (in.read(buffer) >= 0) {
                                    if (stop.requested()) {
                                        return;
                                    }
                                }
                            } catch (IOException e) {
                                // A broken input is an ended one.
                            }
                            stop.request("end of standard input", false);
                        },
                        "stdin-watch");
        thread.setDaemon(true);
        thread.start();
    }
}
