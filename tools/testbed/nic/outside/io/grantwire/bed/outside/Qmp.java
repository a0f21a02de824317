package io.grantwire.bed.outside;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** QEMU's control socket (QEMU Machine Protocol): the few commands that the bed needs. */
final class Qmp {
    private static final long LOOK_MILLIS = 10;

    private final Path path;
    private UnixSocketStream socket;

    Qmp(Path path) {
        this.path = path;
    }

    /** Connects; QEMU makes the socket when it starts. */
    synchronized void connect(long millis) throws IOException, InterruptedException {
        long end = System.nanoTime() + millis * 1_000_000;
        while (socket == null) {
            try {
                if (Files.exists(path)) {
                    socket = UnixSocketStream.connect(path);
                    break;
                }
            } catch (IOException notYet) {
                // Made, and not listened at.
            }
            if (System.nanoTime() > end) {
                throw new IOException("QEMU's control socket did not come up");
            }
            Thread.sleep(LOOK_MILLIS);
        }
        socket.readLine();
        run("qmp_capabilities", "{}");
    }

    /** Runs a command and returns its answer; what QEMU tells meanwhile is left out. */
    private synchronized String run(String command, String arguments) throws IOException {
        String request = "{\"execute\": \"" + command + "\", \"arguments\": " + arguments + "}\n";
        socket.write(request.getBytes(StandardCharsets.UTF_8));
        String line;
        while ((line = socket.readLine()) != null) {
            if (line.startsWith("{\"return\"") || line.startsWith("{\"error\"")) {
                return line;
            }
        }
        throw new IOException("QEMU ended during " + command);
    }

    boolean setLink(String netdev, boolean up) throws IOException {
        return run("set_link", "{\"name\": \"" + netdev + "\", \"up\": " + up + "}").startsWith("{\"return\"");
    }

    /** Stops the machine, and writes its state to a file. */
    void save(Path file, long millis) throws IOException, InterruptedException {
        run("stop", "{}");
        String answer = run("migrate", "{\"uri\": \"file:" + file + "\"}");
        if (!answer.startsWith("{\"return\"")) {
            throw new IOException("QEMU refuses to save the machine: " + answer);
        }
        long end = System.nanoTime() + millis * 1_000_000;
        while (true) {
            String state = run("query-migrate", "{}");
            if (state.contains("\"status\": \"completed\"")) {
                return;
            }
            if (state.contains("\"status\": \"failed\"") || System.nanoTime() > end) {
                throw new IOException("the machine was not saved: " + state);
            }
            Thread.sleep(LOOK_MILLIS);
        }
    }

    /** Lets a machine run whose state has been read in. */
    void resume(long millis) throws IOException, InterruptedException {
        long end = System.nanoTime() + millis * 1_000_000;
        while (true) {
            String state = run("query-status", "{}");
            if (!state.contains("inmigrate")) {
                break;
            }
            if (System.nanoTime() > end) {
                throw new IOException("the saved machine did not come up: " + state);
            }
            Thread.sleep(LOOK_MILLIS);
        }
        run("cont", "{}");
    }

    void quit() throws IOException {
        try {
            run("quit", "{}");
        } catch (IOException gone) {
            // It may be quicker than its answer.
        }
    }
}
