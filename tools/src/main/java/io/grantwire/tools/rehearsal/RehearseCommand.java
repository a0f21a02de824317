package io.grantwire.tools.rehearsal;

import io.grantwire.tools.Main;
import io.grantwire.tools.cli.Command;
import io.grantwire.tools.cli.CommandFailure;
import io.grantwire.tools.cli.Context;
import io.grantwire.tools.cli.ExitStatus;
import io.grantwire.tools.cli.StopRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Plays a short demo inside one process: the run from which the launcher makes its ahead-of-time
 * cache. The JVM then knows the classes of all the demo's processes, and which methods of theirs
 * are hot.
 */
public final class RehearseCommand implements Command {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final long TRAFFIC_MILLIS = 3000;

    /** A command on a thread of its own, as its process would run it. */
    private static final class Part implements AutoCloseable {
        private final PipedOutputStream input = new PipedOutputStream();
        private final ByteArrayOutputStream output = new ByteArrayOutputStream();
        private final StopRequest stop = new StopRequest();
        private final Thread thread;

        Part(String... args) throws IOException {
            PipedInputStream in = new PipedInputStream(input);
            PrintStream out = new PrintStream(output, true, StandardCharsets.UTF_8);
            thread = new Thread(() -> Main.run(args, in, out, out, stop), "part " + args[0]);
            thread.setDaemon(true);
            thread.start();
        }

        void tell(String line) throws IOException {
            input.write((line + "\n").getBytes(StandardCharsets.UTF_8));
            input.flush();
        }

        String said() {
            return output.toString(StandardCharsets.UTF_8);
        }

        void awaitSaid(String text) throws InterruptedException {
            long deadline = System.nanoTime() + PATIENCE.toNanos();
            while (!said().contains(text)) {
                if (!thread.isAlive() || System.nanoTime() > deadline) {
                    throw new CommandFailure(thread.getName() + " did not say " + text);
                }
                Thread.sleep(10);
            }
        }

        @Override
        public void close() {
            try {
                input.close();
                stop.request("end of the rehearsal", false);
                thread.join(Duration.ofSeconds(20));
            } catch (IOException e) {
                // It does not read any more.
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public int run(String[] args, Context context) throws Exception {
        Path base = Files.createTempDirectory("gw");
        Deque<Part> parts = new ArrayDeque<>();
        try {
            play(base.resolve("host").toString(), parts);
        } finally {
            while (!parts.isEmpty()) {
                parts.pop().close();
            }
            Files.deleteIfExists(base);
        }
        return ExitStatus.OK;
    }

    private static void play(String dir, Deque<Part> parts)
            throws IOException, InterruptedException {
        Part vswitch =
                new Part(
                        "switch",
                        "-p",
                        "1",
                        "--dir",
                        dir,
                        "--control",
                        "--json",
                        "--stats",
                        "1",
                        "--uplink",
                        "xenvirt:3",
                        "--rx-retry",
                        "10000");
        parts.push(vswitch);
        vswitch.awaitSaid("started\n");
        guest(vswitch, parts, dir, 1, "00:00:00:00:00:11", "00:00:00:00:00:22");
        guest(vswitch, parts, dir, 2, "00:00:00:00:00:22", "00:00:00:00:00:33");
        Part generator =
                new Part("generator", "--dir", dir, "--millis", Long.toString(TRAFFIC_MILLIS));
        parts.push(generator);
        generator.tell("go");
        generator.awaitSaid("\"finished\":true");
        vswitch.tell("stats");
        // What the demo's own process does with an answer.
        for (String line : vswitch.said().split("\n")) {
            if (line.startsWith("{")) {
                io.grantwire.tools.cli.Json.parse(line);
            }
        }
    }

    private static void guest(
            Part vswitch, Deque<Part> parts, String dir, int domid, String mac, String peer)
            throws IOException, InterruptedException {
        List<String> args =
                new ArrayList<>(List.of("testpmd", "--dir", dir, "--domid", "" + domid));
        // Lcore ids are the process's, and here all parts are in one.
        args.addAll(List.of("-l", 2 * domid + 100 + "," + (2 * domid + 101)));
        args.addAll(List.of("--vdev", "eth_xenvirt0,mac=" + mac));
        args.addAll(
                List.of("--", "-i", "--forward-mode=mac", "--tx-retry", "--eth-peer=0," + peer));
        Part guest = new Part(args.toArray(String[]::new));
        parts.push(guest);
        for (String line :
                List.of("set burst tx delay 50 retry 1000000", "start", "show port stats all")) {
            guest.tell(line);
        }
        // Not its log line: the parts share one log.
        vswitch.awaitSaid("\"mac\":\"" + mac);
    }
}
